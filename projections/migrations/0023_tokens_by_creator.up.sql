CREATE INDEX tokens_by_creator ON tokens (created_by) WHERE revoked_at IS NULL;
