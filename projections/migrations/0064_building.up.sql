-- When and how a site is built, beyond its engine: what most sites keep while nothing is said.
ALTER TABLE sites ADD COLUMN building jsonb NOT NULL DEFAULT '{}';
