ALTER TABLE sites DROP COLUMN building;
