//! `ready.json`: where everything is, written when all of it answers.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const NAME: &str = "ready.json";
/// The rest before it is written once more.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// What a person or a program needs to use a running platform. It holds secrets, so only its owner can read it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// The dashboard and the API.
    pub(crate) web: String,
    /// The published sites.
    pub(crate) edge: String,
    /// The published sites over TLS, if the edge speaks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) edge_tls: Option<String>,
    /// `/healthz` and `/metrics`, for operators.
    #[serde(default)]
    pub(crate) admin: String,
    /// The S3 server.
    pub(crate) s3: String,
    /// The log's server, which stays there wherever its process listens. Its users' passwords are in `nats/passwords.json`.
    pub(crate) nats: String,
    /// The certificate that it proves itself by.
    pub(crate) nats_certificate: PathBuf,
    /// The read model's database, as its owner: the host is the folder of a Unix socket.
    pub(crate) postgres: String,
    /// Bearer token for the API, and to sign in with.
    pub(crate) token: String,
    /// Signs its owner in at the dashboard, once and within an hour; `pagefold sign-in-link` makes another.
    #[serde(default)]
    pub(crate) sign_in_url: String,
    /// What webhooks are signed with.
    pub(crate) github_webhook_secret: String,
    /// Domain below which every site has its host.
    pub(crate) sites_domain: String,
    /// An S3 access key that may read every bucket.
    pub(crate) s3_access_key: String,
    /// Its secret.
    pub(crate) s3_secret_key: String,
    /// The process.
    pub(crate) pid: u32,
}

impl Ready {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        let text = std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("`{}` is not what it should be", path.display()))
    }

    /// Writes it down, as often as it takes: what answers already is not taken away because a disk is full.
    pub(super) async fn keep(&self, folder: &Path) {
        while let Err(error) = self.write(folder) {
            tracing::error!(error = format!("{error:#}"), "ready.json cannot be written, trying again");
            tokio::time::sleep(WRITE_AGAIN).await;
        }
    }

    /// Whoever sees the file sees all of it.
    fn write(&self, folder: &Path) -> Result<()> {
        let temporary = folder.join("ready.json.new");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        std::fs::rename(temporary, folder.join(NAME))?;
        Ok(())
    }

    pub(super) fn remove(folder: &Path) {
        // Often there is none.
        let _ = std::fs::remove_file(folder.join(NAME));
    }
}
