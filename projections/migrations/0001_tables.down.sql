DROP TABLE errors, events, aliases, deploys, builds, sites, position;
