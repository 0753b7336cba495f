-- Deploys that are kept no longer stay in the list, with the moment in which that was decided.
ALTER TABLE deploys ADD COLUMN collected_at timestamptz;
