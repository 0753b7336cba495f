DROP INDEX receivers_by_site, notices_by_receiver;
