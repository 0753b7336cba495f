ALTER TABLE domains ADD COLUMN proven boolean NOT NULL DEFAULT false, ADD COLUMN expires_at timestamptz;
UPDATE domains SET proven = true WHERE state = 'verified';
