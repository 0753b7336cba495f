ALTER TABLE sites DROP COLUMN erased_at;
