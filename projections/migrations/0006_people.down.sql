ALTER TABLE sites DROP COLUMN source;
DROP TABLE users, members, invitations, tokens;
