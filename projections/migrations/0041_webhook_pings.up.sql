-- When the webhook of a site was first tried with its newest secret.
ALTER TABLE sites ADD COLUMN webhook_pinged_at timestamptz;
