ALTER TABLE builds DROP COLUMN clear_cache;
