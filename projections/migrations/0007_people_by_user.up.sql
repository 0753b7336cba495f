CREATE INDEX members_by_user ON members (user_id, organization);
CREATE INDEX invitations_by_organization ON invitations (organization, id);
CREATE INDEX sites_by_organization ON sites (organization, name, id) WHERE deleted_at IS NULL;
CREATE INDEX sites_by_source ON sites (source, id);
