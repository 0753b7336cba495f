//! Makes all that the services expect of a fresh NATS, S3 and Postgres. Safe to repeat.

mod read_model;

use crate::service::Nats;
use anyhow::{Context, Result};
use clap::Args;
use ctl::print::say;
use read_model::ReadModel;
use runtime::{Connection, streams};
use secrecy::SecretString;
use storage::Storage;

/// Where an operator makes the streams, the bucket and the read model.
#[derive(Debug, Args)]
pub(crate) struct Provision {
    #[command(flatten)]
    nats: Nats,
    /// Copies of every fact, on as many servers; as many as there are if absent, 1 at first
    #[arg(long, env = "PAGEFOLD_NATS_REPLICAS")]
    replicas: Option<usize>,
    /// Address of the S3 API; the object store is left alone if absent
    #[arg(long, env = "PAGEFOLD_S3_ENDPOINT")]
    s3_endpoint: Option<String>,
    /// Its region
    #[arg(long, env = "PAGEFOLD_S3_REGION", default_value = "us-east-1")]
    s3_region: String,
    /// An access key that may make the platform's bucket and write to it
    #[arg(long, env = "PAGEFOLD_S3_ACCESS_KEY", default_value = "")]
    s3_access_key: String,
    /// Its secret
    #[arg(long, env = "PAGEFOLD_S3_SECRET_KEY", hide_env_values = true, default_value = "")]
    s3_secret_key: SecretString,
    /// The bucket of artifacts and logs
    #[arg(long, env = "PAGEFOLD_S3_PLATFORM_BUCKET", default_value = storage::PLATFORM_BUCKET)]
    s3_platform_bucket: String,
    #[command(flatten)]
    read_model: ReadModel,
}

/// Makes what is there to be made, and says so line by line.
pub(crate) async fn run(options: Provision) -> Result<()> {
    let connection = Connection::open(&options.nats.access("ctl")).await?;
    let replicas = match options.replicas {
        Some(replicas) => replicas,
        None => streams::replicas(&connection).await?,
    };
    streams::provision(&connection, replicas).await?;
    say(&format!("the log has its streams and buckets, with {replicas} of each fact"))?;
    if let Some(storage) = options.storage() {
        // A wrong key or a silent store is told better by a question than by a bucket that cannot be made.
        if let Err(error) = storage.check().await
            && !matches!(error, storage::Error::Missing { .. })
        {
            return Err(error.into());
        }
        storage.platform().ensure().await.context("the platform's bucket cannot be made")?;
        storage.probe().await?;
        say("the object store has the platform's bucket and keeps its promises")?;
    }
    for made in options.read_model.provision().await? {
        say(&made)?;
    }
    Ok(())
}

impl Provision {
    fn storage(&self) -> Option<Storage> {
        let (key, secret) = (self.s3_access_key.clone(), self.s3_secret_key.clone());
        let config = storage::Config::new(self.s3_endpoint.clone()?, self.s3_region.clone(), key, secret);
        Some(Storage::connect(&storage::Config { platform_bucket: self.s3_platform_bucket.clone(), ..config }))
    }
}
