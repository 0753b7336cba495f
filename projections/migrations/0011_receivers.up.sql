-- Who is told what happens to a site, as far as it may be known: where is sealed.
CREATE TABLE receivers (
    id uuid PRIMARY KEY,
    site uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    wants text NOT NULL,
    address text NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL
);
-- What became of each notice.
CREATE TABLE notices (
    id uuid PRIMARY KEY,
    receiver uuid NOT NULL,
    site uuid NOT NULL,
    fact bigint NOT NULL,
    occasion text NOT NULL,
    state text NOT NULL,
    tries integer NOT NULL,
    status integer,
    reason text NOT NULL,
    duration_ms bigint NOT NULL,
    at timestamptz NOT NULL,
    sequence bigint NOT NULL
);
