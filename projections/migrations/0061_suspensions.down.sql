ALTER TABLE organizations
    DROP COLUMN suspended,
    DROP COLUMN sites_max,
    DROP COLUMN members_max,
    DROP COLUMN builds_max,
    DROP COLUMN sandbox_days,
    DROP COLUMN clean_up_at;
ALTER TABLE users DROP COLUMN suspended;
