-- How a site answers its readers: what most sites keep while nothing is said.
ALTER TABLE sites ADD COLUMN serving jsonb NOT NULL DEFAULT '{}';
