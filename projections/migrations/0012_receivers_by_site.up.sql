CREATE INDEX receivers_by_site ON receivers (site, id);
CREATE INDEX notices_by_receiver ON notices (receiver, sequence);
