DROP INDEX members_by_user, invitations_by_organization, sites_by_organization, sites_by_source;
