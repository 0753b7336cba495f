-- The links by which closed sites are read, as long as nobody has revoked them. What proves one is nowhere.
CREATE TABLE share_links (
    site uuid NOT NULL,
    id uuid NOT NULL,
    alias text,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    PRIMARY KEY (site, id)
);
