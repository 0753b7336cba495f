DROP INDEX identities_by_user;
