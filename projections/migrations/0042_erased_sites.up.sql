-- When what was kept of a deleted site went: until then it can be restored.
ALTER TABLE sites ADD COLUMN erased_at timestamptz;
