-- Who may change nothing now and why, what an organization may have, and when the sites of a sandbox are deleted next.
ALTER TABLE users ADD COLUMN suspended text;
ALTER TABLE organizations
    ADD COLUMN suspended text,
    ADD COLUMN sites_max integer,
    ADD COLUMN members_max integer,
    ADD COLUMN builds_max integer,
    ADD COLUMN sandbox_days integer,
    ADD COLUMN clean_up_at timestamptz;
