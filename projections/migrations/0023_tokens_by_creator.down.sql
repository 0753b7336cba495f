DROP INDEX tokens_by_creator;
