-- The tables of one read model, each with its primary key and nothing else: secondary indexes come when they are full.
-- Applied with `search_path` set to the model's schema, so no name here is qualified.

-- One row: up to which sequence of the log the tables below are folded, and the id of the fact there, which names the log.
CREATE TABLE position (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sequence bigint NOT NULL,
    id uuid NOT NULL
);
INSERT INTO position (sequence, id) VALUES (0, '00000000-0000-0000-0000-000000000000');

CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE sites (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    organization uuid NOT NULL,
    repository text NOT NULL,
    branch text NOT NULL,
    demo_branch text,
    engine text NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    deleted_at timestamptz
);

-- Which site each host below the sites' domain shows, or showed last.
CREATE TABLE hosts (
    label text PRIMARY KEY,
    site uuid NOT NULL,
    released boolean NOT NULL
);

CREATE TABLE builds (
    id uuid PRIMARY KEY,
    site uuid NOT NULL,
    number bigint,
    source_sequence bigint NOT NULL,
    branch text NOT NULL,
    alias text,
    commit text,
    engine text,
    lane text NOT NULL,
    summary text NOT NULL,
    state text NOT NULL,
    attempt integer NOT NULL,
    worker text,
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    duration_ms bigint,
    superseded_by uuid,
    correlation uuid NOT NULL,
    deploy text,
    log_key text,
    log_bytes bigint,
    sequence bigint NOT NULL
);

-- The facts that belong to no site and began a story of one: pushes.
CREATE TABLE causes (
    site uuid NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (site, sequence)
);

CREATE TABLE deploys (
    id text PRIMARY KEY,
    site uuid NOT NULL,
    build uuid NOT NULL,
    number bigint NOT NULL,
    source_sequence bigint NOT NULL,
    branch text NOT NULL,
    alias text NOT NULL,
    commit text NOT NULL,
    content text NOT NULL,
    files bigint NOT NULL,
    bytes bigint NOT NULL,
    uploaded_files bigint NOT NULL,
    uploaded_bytes bigint NOT NULL,
    requests bigint NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE aliases (
    site uuid NOT NULL,
    alias text NOT NULL,
    deploy text NOT NULL,
    number bigint NOT NULL,
    source_sequence bigint NOT NULL,
    previous text,
    reason text NOT NULL,
    promoted_at timestamptz NOT NULL,
    actor text NOT NULL,
    mirrored_deploy text,
    mirrored_at timestamptz,
    PRIMARY KEY (site, alias)
);

-- The timeline: every fact as it was stated.
CREATE TABLE events (
    sequence bigint PRIMARY KEY,
    id uuid NOT NULL,
    type text NOT NULL,
    aggregate text NOT NULL,
    subject text NOT NULL,
    site uuid,
    time timestamptz NOT NULL,
    actor text NOT NULL,
    correlation uuid NOT NULL,
    causation uuid,
    data jsonb NOT NULL
);

-- What could not be folded, and why. `noted_at` is the database's clock: the only value here the log does not determine.
CREATE TABLE errors (
    sequence bigint PRIMARY KEY,
    kind text NOT NULL,
    reason text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now()
);
