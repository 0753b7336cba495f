-- Organizations can be changed, by whoever says which version they saw.
ALTER TABLE organizations
    ADD COLUMN version bigint NOT NULL,
    ADD COLUMN created_by text NOT NULL;
