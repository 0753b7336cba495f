CREATE INDEX routes_by_host ON routes (host, path);
CREATE INDEX routes_by_owner ON routes (owner, host, path);
