//! Makes all that the services expect of a fresh NATS, S3 and Postgres. Safe to repeat.

use crate::service::{Bucket, Nats};
use anyhow::{Context, Result};
use clap::Args;
use projections::Store;
use runtime::{Connection, streams};
use secrecy::SecretString;
use std::io::Write;

/// Connections to Postgres that this needs.
const CONNECTIONS: u32 = 1;

/// Where an operator makes the streams, the bucket and the read model.
#[derive(Debug, Args)]
pub(crate) struct Provision {
    #[command(flatten)]
    nats: Nats,
    /// Copies of every fact, on as many servers
    #[arg(long, env = "PAGEFOLD_NATS_REPLICAS", default_value_t = 1)]
    replicas: usize,
    #[command(flatten)]
    bucket: Option<Bucket>,
    /// The read model's database, as its owner; left alone if absent
    #[arg(long, env = "PAGEFOLD_POSTGRES_URL", hide_env_values = true)]
    postgres_url: Option<SecretString>,
    /// The role that may read it
    #[arg(long, env = "PAGEFOLD_POSTGRES_READER", default_value = "pagefold_web")]
    postgres_reader: String,
    /// Its password, if the role is to be made; the owner needs the right to make roles
    #[arg(long, env = "PAGEFOLD_POSTGRES_READER_PASSWORD", hide_env_values = true)]
    postgres_reader_password: Option<SecretString>,
}

/// Makes what is there to be made, and says so line by line.
pub(crate) async fn run(options: Provision) -> Result<()> {
    let connection = Connection::open(&options.nats.access("ctl")).await?;
    streams::provision(&connection, options.replicas).await?;
    say("the log has its streams and buckets")?;
    if let Some(bucket) = &options.bucket {
        let storage = bucket.storage();
        storage.platform().ensure().await.context("the platform's bucket cannot be made")?;
        storage.check().await?;
        storage.probe().await?;
        say("the object store has the platform's bucket and keeps its promises")?;
    }
    if let Some(url) = &options.postgres_url {
        let store = Store::connect(url, CONNECTIONS).await?;
        if let Some(password) = &options.postgres_reader_password {
            store.make_reader(&options.postgres_reader, password).await?;
        }
        store.prepare(Some(&options.postgres_reader)).await?;
        say("Postgres has the read model, and its reader may read it")?;
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
