ALTER TABLE organizations DROP COLUMN version, DROP COLUMN created_by;
