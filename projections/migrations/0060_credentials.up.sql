-- What the repository of a site is read by: public halves and names, and no secret, not even sealed.
CREATE TABLE credentials (
    site uuid NOT NULL,
    kind text NOT NULL,
    shown text,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    PRIMARY KEY (site, kind)
);
