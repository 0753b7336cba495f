-- What the attempt that ended a build did, and what it took.
ALTER TABLE builds ADD COLUMN steps jsonb NOT NULL DEFAULT '[]', ADD COLUMN resources jsonb;
