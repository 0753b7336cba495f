ALTER TABLE sites DROP COLUMN webhook_secret;
