//! `ready.json`: what a running platform tells its owner.

use serde::Deserialize;
use std::path::Path;

/// Where everything is.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    /// The dashboard and the API.
    pub web: String,
    /// The published sites.
    pub edge: String,
    /// The published sites over TLS, where they are.
    pub edge_tls: Option<String>,
    /// What operators ask.
    pub admin: String,
    /// The S3 server.
    pub s3: String,
    /// The log's server.
    pub nats: String,
    /// The read model's database, as its owner.
    pub postgres: String,
    /// Bearer token for the API.
    pub token: String,
    /// What webhooks are signed with.
    pub github_webhook_secret: String,
    /// Domain below which every site has its host.
    pub sites_domain: String,
    /// The process.
    pub pid: u32,
}

impl Ready {
    /// What the process `pid` wrote into `data` when it was ready.
    #[must_use]
    pub fn of(data: &Path, pid: u32) -> Option<Self> {
        let text = std::fs::read(data.join("ready.json")).ok()?;
        serde_json::from_slice(&text).ok().filter(|ready: &Self| ready.pid == pid)
    }
}
