-- Secondary indexes, one for each way of asking that a primary key does not answer.
CREATE INDEX sites_by_name ON sites (name, id);
CREATE INDEX builds_of_site ON builds (site, source_sequence DESC);
CREATE INDEX deploys_of_site ON deploys (site, source_sequence DESC);
CREATE INDEX events_by_id ON events (id);
CREATE INDEX events_of_story ON events (correlation, sequence);
CREATE INDEX events_of_aggregate ON events (aggregate, subject, sequence);
CREATE INDEX events_of_site ON events (site, sequence);
