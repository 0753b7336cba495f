ALTER TABLE deploys DROP COLUMN collected_at;
