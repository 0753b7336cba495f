-- Of which sites what their readers see stays, and why.
CREATE TABLE locks (
    site uuid PRIMARY KEY,
    reason text NOT NULL,
    locked_at timestamptz NOT NULL,
    locked_by text NOT NULL
);
