DROP INDEX builds_open;
DROP INDEX invitations_open;
