-- Whether a site's webhook has a secret of its own, and so an address of its own.
ALTER TABLE sites ADD COLUMN webhook_secret boolean NOT NULL DEFAULT false;
