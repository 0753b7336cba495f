ALTER TABLE sites DROP COLUMN webhook_pinged_at;
