ALTER TABLE builds DROP COLUMN steps, DROP COLUMN resources;
