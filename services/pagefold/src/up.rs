//! `pagefold up`: the whole platform in one process, with servers of its own, below one data directory.
//!
//! The same services run as in production, over the same protocols; only the addresses differ.

mod folder;
pub(crate) mod ready;
mod secrets;
mod servers;
mod services;
mod supervisor;

use crate::acme::Acme;
use crate::api::Api;
use crate::backends::Backends;
use crate::door::Door;
use crate::edge_tls::EdgeTls;
use crate::edges::Edges;
use crate::github_app::GithubApp;
use crate::launch::{Builds, Sources};
use crate::limits::Scheduling;
use crate::mail::Mail;
use crate::receivers::Receivers;
use crate::resolver::Resolver;
use crate::service::{SYNCER_SLOTS, WEB_CONNECTIONS};
use crate::sign_in::SignIn;
use crate::{admin, modes};
use anyhow::Result;
use clap::Args;
use ready::Ready;
use runtime::Health;
use secrets::Secrets;
use servers::Servers;
use services::{Services, Surroundings};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use supervisor::Supervisor;

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
    /// Memory of the edge for file lists and contents, in bytes
    #[arg(long, env = "PAGEFOLD_EDGE_CACHE_BYTES", default_value_t = edge::CACHE_BYTES)]
    pub(crate) edge_cache_bytes: u64,
    /// Disk of the edge for contents, in bytes; 0 for none
    #[arg(long, env = "PAGEFOLD_EDGE_DISK_BYTES", default_value_t = edge::DISK_BYTES)]
    pub(crate) edge_disk_bytes: u64,
    #[command(flatten)]
    pub(crate) scheduling: Scheduling,
    /// Connections of web to the read model at the same time
    #[arg(long, env = "PAGEFOLD_WEB_POSTGRES_CONNECTIONS", default_value_t = WEB_CONNECTIONS)]
    pub(crate) web_postgres_connections: u32,
    /// Deploys that the syncer has in hand at the same time
    #[arg(long, env = "PAGEFOLD_SYNCER_SLOTS", default_value_t = SYNCER_SLOTS)]
    pub(crate) syncer_slots: usize,
    #[command(flatten)]
    pub(crate) edge_tls: EdgeTls,
    #[command(flatten)]
    pub(crate) edges: Edges,
    #[command(flatten)]
    pub(crate) resolver: Resolver,
    #[command(flatten)]
    pub(crate) acme: Acme,
    #[command(flatten)]
    pub(crate) door: Door,
    #[command(flatten)]
    pub(crate) sign_in: SignIn,
    #[command(flatten)]
    pub(crate) builds: Builds,
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) receivers: Receivers,
    #[command(flatten)]
    pub(crate) backends: Backends,
    #[command(flatten)]
    pub(crate) mail: Mail,
    #[command(flatten)]
    pub(crate) github_app: GithubApp,
}

/// Starts everything, says that it is ready, and runs until it is asked to end.
pub(crate) async fn run(options: Up) -> Result<()> {
    let stop = runtime::shutdown::on_signal()?;
    let (folder, _lock) = folder::prepare(options.data.clone().unwrap_or_else(data_dir))?;
    modes::close();
    Ready::remove(&folder);
    let (secrets, health) = (Secrets::open(&folder)?, Health::default());
    let mut servers = Servers::prepare(&folder, options.s3, &secrets, &health).await?;
    let admin = admin::bind(options.admin).await?;
    let admin_addr = admin.local_addr()?;
    tokio::spawn(admin::serve(admin, health.clone(), stop.clone()));
    let (supervisor, endpoints) = (Supervisor::new(health.clone()), servers.endpoints());
    let running = async {
        let around = Surroundings {
            options: &options,
            folder: &folder,
            endpoints: &endpoints,
            secrets: &secrets,
            supervisor: &supervisor,
            health: &health,
        };
        let services = Services::start(&around, admin_addr).await?;
        // What is late is waited for: to end would take away what answers already.
        while let Err(error) = services.answer(&health).await {
            tracing::error!(error = format!("{error:#}"), "the platform is not up yet, waiting");
        }
        let ready = Ready { admin: format!("http://{admin_addr}"), ..services.ready(&around) };
        let ready = Ready { sign_in_url: sign_in_url(&ready).await, ..ready };
        ready.keep(&folder).await;
        greet(&ready, &folder);
        std::future::pending::<Result<()>>().await
    };
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        failed = running => failed,
        () = servers.keep_up() => Ok(()),
    };
    Ready::remove(&folder);
    supervisor.stop().await;
    servers.stop().await;
    ended
}

/// A link for whoever started this. Without it there is still the token.
async fn sign_in_url(ready: &Ready) -> String {
    let made = async { Api::new(&ready.web, ready.token.clone().into()).sign_in_link(None).await };
    made.await.unwrap_or_else(|error| {
        tracing::warn!(
            error = format!("{error:#}"),
            "no sign-in link could be made; `pagefold sign-in-link` makes one"
        );
        String::new()
    })
}

/// Says what is where. Whoever started this may have gone: that ends nothing.
fn greet(ready: &Ready, folder: &Path) {
    let Ready { web, edge, sites_domain, sign_in_url, .. } = ready;
    let port = edge.rsplit(':').next().unwrap_or_default();
    let file = folder.join("ready.json");
    let _ = writeln!(
        std::io::stdout(),
        "pagefold is up\n  dashboard  {web}/  (sign in with the token in {})\n  sign in    {sign_in_url}  (once, within an hour)\n  sites      http://<site>.{sites_domain}:{port}/",
        file.display(),
    );
}
