ALTER TABLE domains DROP COLUMN proven, DROP COLUMN expires_at;
