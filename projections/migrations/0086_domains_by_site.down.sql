DROP INDEX domains_by_site;
