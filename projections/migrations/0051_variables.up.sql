-- Which variables the builds of a site are given. Their values are not here, not even sealed.
CREATE TABLE variables (
    site uuid NOT NULL,
    name text NOT NULL,
    contexts text NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    PRIMARY KEY (site, name)
);
