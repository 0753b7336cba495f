CREATE INDEX domains_by_site ON domains (site, name);
