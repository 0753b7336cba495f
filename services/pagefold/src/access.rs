//! How an operator's command reaches the platform: by the data directory of `pagefold up`, or by addresses.

use crate::api::Api;
use crate::credentials;
use crate::up::{data_dir, ready::Ready};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use ctl::Print;
use projections::Store;
use runtime::{Connection, Log, connection};
use secrecy::SecretString;
use serde_json::json;
use servers::nats;
use std::path::PathBuf;

/// Where the platform is.
#[derive(Debug, Args)]
pub(crate) struct Access {
    /// The data directory of a running `pagefold up`
    #[arg(long, env = "PAGEFOLD_DATA", global = true)]
    data: Option<PathBuf>,
    /// The log's server, instead of a data directory
    #[arg(long, env = "PAGEFOLD_NATS_URL", requires = "nats_password", global = true)]
    nats_url: Option<String>,
    /// The password of the log's user `ctl`
    #[arg(long, env = "PAGEFOLD_NATS_PASSWORD", hide_env_values = true, global = true)]
    nats_password: Option<SecretString>,
    /// The certificate (PEM) that the log's servers prove themselves by
    #[arg(long, env = "PAGEFOLD_NATS_CERTIFICATE", global = true)]
    nats_certificate: Option<PathBuf>,
    /// The address of the API, instead of a data directory
    #[arg(long, env = "PAGEFOLD_WEB_URL", requires = "token", global = true)]
    web_url: Option<String>,
    /// A token of the API
    #[arg(long, env = "PAGEFOLD_TOKEN", hide_env_values = true, global = true)]
    token: Option<SecretString>,
    /// The database of the read model, as its owner
    #[arg(long, env = "PAGEFOLD_POSTGRES_URL", hide_env_values = true, global = true)]
    postgres_url: Option<SecretString>,
    /// Tell it as JSON
    #[arg(long, global = true)]
    json: bool,
}

/// What to do with the read model.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum ProjectionsCommand {
    /// Make it anew from the log beside the live one, and swap it in
    Rebuild,
}

impl Access {
    /// For whom the command tells what it found or did.
    pub(crate) const fn print(&self) -> Print {
        Print::of(self.json)
    }

    fn folder(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(data_dir)
    }

    pub(crate) async fn log(&self) -> Result<Log> {
        let config = match (&self.nats_url, &self.nats_password) {
            (Some(url), Some(password)) => connection::Config {
                url: url.clone(),
                user: "ctl".to_owned(),
                password: password.clone(),
                certificate: self.nats_certificate.clone(),
            },
            _ => nats::access(&self.folder().join("nats"), "ctl", self.ready()?.nats)?,
        };
        Ok(Log::new(Connection::open(&config).await?))
    }

    fn postgres(&self) -> Result<SecretString> {
        match &self.postgres_url {
            Some(url) => Ok(url.clone()),
            None => Ok(self.ready()?.postgres.into()),
        }
    }

    /// Whether whoever asks is somebody who signed in or has a token of the API, and not the operator of the log.
    pub(crate) fn is_users(&self) -> bool {
        let is_operators = self.nats_url.is_some() || self.data.is_some();
        let is_known = self.web_url.is_some() || credentials::read().is_some();
        !is_operators && is_known
    }

    /// The API, as whoever has a token for it.
    pub(crate) fn api(&self) -> Result<Api> {
        let (url, token) = self.web()?;
        Ok(Api::new(&url, token))
    }

    fn web(&self) -> Result<(String, SecretString)> {
        match (&self.web_url, &self.token) {
            (Some(url), Some(token)) => Ok((url.clone(), token.clone())),
            // Whoever names a data directory means that; whoever signed in, where they did.
            _ => match credentials::read().filter(|_| self.data.is_none()) {
                Some(known) => Ok(known),
                None => self.ready().map(|ready| (ready.web, ready.token.into())),
            },
        }
    }

    fn ready(&self) -> Result<Ready> {
        let folder = self.folder();
        Ready::read(&folder).with_context(|| {
            format!("no platform runs with the data directory `{}` (choose another with --data)", folder.display())
        })
    }
}

/// Rebuilds the read model and says how far it reaches.
pub(crate) async fn rebuild(access: &Access, command: ProjectionsCommand) -> Result<()> {
    let ProjectionsCommand::Rebuild = command;
    let (log, store) = (access.log().await?, Store::connect(&access.postgres()?, 2).await?);
    let (started, progress) = (std::time::Instant::now(), ctl::Progress::new("facts"));
    let position = projector::rebuild_watched(&log, &store, &|read, all| progress.at(read, all)).await?;
    progress.clear();
    let seconds = started.elapsed().as_secs_f32();
    let told = format!("the read model was made anew from {position} facts in {seconds:.1} s and is live");
    access.print().one(&json!({ "facts": position, "seconds": seconds }), &told)
}
