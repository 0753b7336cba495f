-- What paths of hosts lead to. Hosts and paths are compared byte by byte, as they are asked for.
CREATE TABLE routes (
    id uuid PRIMARY KEY,
    host text COLLATE "C" NOT NULL,
    path text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    leads jsonb NOT NULL,
    owner uuid,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL
);
