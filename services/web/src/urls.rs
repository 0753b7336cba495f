//! Where things are on this server.

/// Where the API is.
pub(crate) const API: &str = "/api/v1";
/// Where repositories send their webhooks.
pub(crate) const WEBHOOK_PATH: &str = "/webhooks/github";

/// What the address ends with that contents of folders are uploaded to.
pub(crate) const UPLOADED: &str = "/uploads/{digest}";
