-- The pull request that a build is for, with the fork that it comes from.
ALTER TABLE builds ADD COLUMN pull_request jsonb;
