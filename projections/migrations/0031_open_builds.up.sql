-- Few builds are open at a time, however many there were.
CREATE INDEX builds_open ON builds (created_at DESC, id) WHERE state IN ('queued', 'dispatched', 'started');
-- What waits for whoever was invited.
CREATE INDEX invitations_open ON invitations (expires_at, id) WHERE state = 'open';
