DROP INDEX sites_by_name, builds_of_site, deploys_of_site, events_by_id, events_of_story, events_of_aggregate, events_of_site;
