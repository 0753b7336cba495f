DROP INDEX routes_by_host, routes_by_owner;
