//! What services share: how they reach the log and the object store.

use anyhow::Result;
use clap::Args;
use runtime::{Connection, Log, connection};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::PathBuf;
use storage::Storage;

/// What every service needs.
#[derive(Debug, Args)]
pub(crate) struct Common {
    #[command(flatten)]
    nats: Nats,
    /// Address that answers /healthz and /metrics; none if absent
    #[arg(long, env = "PAGEFOLD_ADMIN_LISTEN")]
    pub(super) admin: Option<SocketAddr>,
}

/// The log.
#[derive(Debug, Args)]
pub(crate) struct Nats {
    /// The log's server, or several separated by commas
    #[arg(long, env = "PAGEFOLD_NATS_URL", default_value = "nats://127.0.0.1:4222")]
    nats_url: String,
    /// The password of the log's user that is named like the service; an operator's is `ctl`
    #[arg(long, env = "PAGEFOLD_NATS_PASSWORD", hide_env_values = true)]
    nats_password: SecretString,
    /// The certificate (PEM) that the log's servers prove themselves by; the system's own for `tls://` if absent
    #[arg(long, env = "PAGEFOLD_NATS_CERTIFICATE")]
    nats_certificate: Option<PathBuf>,
}

/// The object store.
#[derive(Debug, Args)]
pub(crate) struct Bucket {
    /// Address of the S3 API
    #[arg(long, env = "PAGEFOLD_S3_ENDPOINT")]
    s3_endpoint: String,
    /// Its region
    #[arg(long, env = "PAGEFOLD_S3_REGION", default_value = "us-east-1")]
    s3_region: String,
    /// Access key of this service
    #[arg(long, env = "PAGEFOLD_S3_ACCESS_KEY")]
    s3_access_key: String,
    /// Its secret
    #[arg(long, env = "PAGEFOLD_S3_SECRET_KEY", hide_env_values = true)]
    s3_secret_key: SecretString,
    /// What the name of a site's bucket begins with
    #[arg(long, env = "PAGEFOLD_S3_SITE_BUCKET_PREFIX", default_value = storage::SITE_BUCKET_PREFIX)]
    s3_site_bucket_prefix: String,
    /// The bucket of artifacts and logs
    #[arg(long, env = "PAGEFOLD_S3_PLATFORM_BUCKET", default_value = storage::PLATFORM_BUCKET)]
    s3_platform_bucket: String,
}

impl Nats {
    pub(crate) fn access(&self, user: &str) -> connection::Config {
        connection::Config {
            url: self.nats_url.clone(),
            user: user.to_owned(),
            password: self.nats_password.clone(),
            certificate: self.nats_certificate.clone(),
        }
    }
}

impl Common {
    pub(super) fn access(&self, user: &str) -> connection::Config {
        self.nats.access(user)
    }

    /// The log, whether it is there already or not.
    pub(super) async fn log(&self, user: &str) -> Result<Log> {
        Ok(Log::new(Connection::establish(&self.access(user)).await?))
    }
}

impl Bucket {
    /// Where the S3 API answers.
    pub(super) fn endpoint(&self) -> &String {
        &self.s3_endpoint
    }

    pub(crate) fn storage(&self) -> Storage {
        Storage::connect(&storage::Config {
            endpoint: self.s3_endpoint.clone(),
            region: self.s3_region.clone(),
            access_key: self.s3_access_key.clone(),
            secret_key: self.s3_secret_key.clone(),
            site_bucket_prefix: self.s3_site_bucket_prefix.clone(),
            platform_bucket: self.s3_platform_bucket.clone(),
        })
    }
}
