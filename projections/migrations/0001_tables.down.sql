DROP TABLE errors, events, aliases, deploys, causes, builds, hosts, sites, organizations, position;
