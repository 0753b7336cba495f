//! `pagefold up`: the whole platform in one process, with servers of its own, below one data directory.
//!
//! The same services run as in production, over the same protocols; only the addresses differ.

mod folder;
pub(crate) mod ready;
mod secrets;
mod servers;
mod services;

use crate::admin;
use crate::door::Door;
use crate::launch::Builds;
use anyhow::{Context, Result};
use clap::Args;
use ready::Ready;
use secrets::Secrets;
use servers::Servers;
use services::Services;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

pub(crate) use folder::data_dir;

/// Where everything is and listens.
#[derive(Debug, Clone, Args)]
pub(crate) struct Up {
    /// Everything is kept below this folder [default: .pagefold, or /var/lib/pagefold for root]
    #[arg(long, env = "PAGEFOLD_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Address of the dashboard and the API; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) web: SocketAddr,
    /// Address of the published sites
    #[arg(long, default_value = "127.0.0.1:8081")]
    pub(crate) edge: SocketAddr,
    /// Address of the S3 server
    #[arg(long, default_value = "127.0.0.1:8082")]
    pub(crate) s3: SocketAddr,
    /// Address that answers /healthz and /metrics, for operators only; port 0 takes a free one
    #[arg(long, env = "PAGEFOLD_ADMIN_LISTEN", default_value = "127.0.0.1:0")]
    pub(crate) admin: SocketAddr,
    /// Domain below which every site has its host
    #[arg(long, default_value = edge::BASE_DOMAIN)]
    pub(crate) sites_domain: String,
    #[command(flatten)]
    pub(crate) door: Door,
    #[command(flatten)]
    pub(crate) builds: Builds,
}

/// Starts everything, says that it is ready, and runs until it is asked to end.
pub(crate) async fn run(options: Up) -> Result<()> {
    let stop = runtime::shutdown::on_signal()?;
    let (folder, _lock) = folder::prepare(options.data.clone().unwrap_or_else(data_dir))?;
    Ready::remove(&folder);
    let secrets = Secrets::open(&folder)?;
    let mut servers = Servers::start(&folder, options.s3, &secrets).await?;
    let services = Services::start(&options, &folder, (&servers, &secrets)).await?;
    let admin = admin::bind(options.admin).await?;
    let ready =
        Ready { admin: format!("http://{}", admin.local_addr()?), ..services.ready(&options, (&servers, &secrets)) };
    tokio::spawn(admin::serve(admin, stop.clone()));
    tokio::select! {
        answered = services.answer() => {
            answered.context("the platform did not come up")?;
            ready.write(&folder)?;
            greet(&ready, &folder)?;
        }
        () = stop.cancelled() => {}
    }
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        failed = services.failed() => Err(failed),
        lost = servers.keep_up() => Err(lost),
    };
    Ready::remove(&folder);
    services.stop().await;
    servers.stop().await;
    ended
}

fn greet(ready: &Ready, folder: &std::path::Path) -> Result<()> {
    let Ready { web, edge, sites_domain, .. } = ready;
    let port = edge.rsplit(':').next().unwrap_or_default();
    let file = folder.join("ready.json");
    writeln!(
        std::io::stdout(),
        "pagefold is up\n  dashboard  {web}/  (sign in with the token in {})\n  sites      http://<site>.{sites_domain}:{port}/",
        file.display(),
    )?;
    Ok(())
}
