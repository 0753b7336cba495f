-- What usually helps against what a build failed of.
ALTER TABLE builds ADD COLUMN hint text;
