-- Who wrote the commit of a build, as the commit tells.
ALTER TABLE builds ADD COLUMN author jsonb;
