-- Whether a build was asked for with the cache of its site cleared.
ALTER TABLE builds ADD COLUMN clear_cache boolean NOT NULL DEFAULT false;
