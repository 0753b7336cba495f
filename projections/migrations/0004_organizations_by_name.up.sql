CREATE INDEX organizations_by_name ON organizations (name, id);
