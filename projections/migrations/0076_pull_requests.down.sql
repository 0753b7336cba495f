ALTER TABLE builds DROP COLUMN pull_request;
