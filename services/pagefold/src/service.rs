//! One service by itself, as in production: addresses and secrets come from the environment.

mod options;
mod registrar;

use crate::backends::Backends;
use crate::door::Door;
use crate::edge_tls::EdgeTls;
use crate::edges::Edges;
use crate::github_app::GithubApp;
use crate::health::{watch_read_model, watch_storage};
use crate::launch::{self, Builds, Repositories, Sources};
use crate::limits::Scheduling;
use crate::mail::Mail;
use crate::public::Public;
use crate::receivers::Receivers;
use crate::sign_in::SignIn;
use crate::{admin, modes};
use anyhow::Result;
use clap::{Args, Subcommand};
use dialer::Own;
use listener::Share;
use options::{Bucket, Common};
use projections::Store;
use registrar::Registrar;
use runtime::Health;
use runtime::health::Need;
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

pub(crate) use options::Nats;

/// Connections to the read model that the projector holds at most: one writes, the others rebuild.
pub(crate) const PROJECTOR_CONNECTIONS: u32 = 4;
/// The same of the web server, unless told otherwise.
pub(crate) const WEB_CONNECTIONS: u32 = 8;
/// Deploys that the syncer has in hand at most, unless told otherwise.
pub(crate) const SYNCER_SLOTS: usize = 4;

/// The services.
#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    /// Run the API, the webhooks and the dashboard
    Web(Box<Web>),
    /// Run the scheduler
    Scheduler {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        scheduling: Scheduling,
    },
    /// Run a launcher of builds
    Launcher {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        bucket: Bucket,
        #[command(flatten)]
        builds: Box<Builds>,
        /// By which it reads what builds are given, as `pagefold permissions build-key` prints it
        #[arg(long, env = "PAGEFOLD_BUILD_KEY", hide_env_values = true)]
        build_key: SecretString,
        /// Folder of mirrors and workspaces
        #[arg(long, env = "PAGEFOLD_LAUNCHER_DATA", default_value = "/var/lib/pagefold/launcher")]
        launcher_data: PathBuf,
        #[command(flatten)]
        sources: Sources,
    },
    /// Run a syncer of deploys
    Syncer {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        bucket: Bucket,
        /// Folder for artifacts on their way
        #[arg(long, env = "PAGEFOLD_SYNCER_DATA", default_value = "/var/lib/pagefold/syncer")]
        syncer_data: PathBuf,
        /// Deploys at the same time
        #[arg(long, env = "PAGEFOLD_SYNCER_SLOTS", default_value_t = SYNCER_SLOTS)]
        syncer_slots: usize,
    },
    /// Run the notifier, which tells receivers outside what happens to sites
    Notifier(Notifier),
    /// Run the registrar, which has domains proven and certificates issued
    Registrar(Registrar),
    /// Run the writer of the read model
    Projector {
        #[command(flatten)]
        common: Common,
        /// The read model's database, as its owner
        #[arg(long, env = "PAGEFOLD_POSTGRES_URL", hide_env_values = true)]
        postgres_url: SecretString,
        /// The role that may read it
        #[arg(long, env = "PAGEFOLD_POSTGRES_READER", default_value = "pagefold_web")]
        postgres_reader: String,
    },
    /// Run an edge, which serves the sites
    Edge(Box<Edge>),
}

/// The API, the webhooks and the dashboard.
#[derive(Debug, Args)]
pub(crate) struct Web {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    bucket: Bucket,
    #[command(flatten)]
    door: Door,
    #[command(flatten)]
    repositories: Repositories,
    #[command(flatten)]
    sign_in: SignIn,
    /// Address to listen on
    #[arg(long, env = "PAGEFOLD_WEB_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The read model's database, as a role that may only read
    #[arg(long, env = "PAGEFOLD_POSTGRES_URL", hide_env_values = true)]
    postgres_url: SecretString,
    /// Bearer token of the API
    #[arg(long, env = "PAGEFOLD_TOKEN", hide_env_values = true)]
    token: SecretString,
    /// Who holds the token, as the log names them
    #[arg(long, env = "PAGEFOLD_TOKEN_NAME", default_value = "operator")]
    token_name: String,
    /// The installation's key: 32 random characters or more, the same for every replica and for ever
    #[arg(long, env = "PAGEFOLD_KEY", hide_env_values = true)]
    key: SecretString,
    /// What GitHub signs its webhooks with
    #[arg(long, env = "PAGEFOLD_GITHUB_WEBHOOK_SECRET", hide_env_values = true)]
    github_webhook_secret: SecretString,
    #[command(flatten)]
    public: Public,
    #[command(flatten)]
    edges: Edges,
    #[command(flatten)]
    receivers: Receivers,
    #[command(flatten)]
    backends: Backends,
    #[command(flatten)]
    mail: Mail,
    /// Folder for long request bodies while they arrive
    #[arg(long, env = "PAGEFOLD_WEB_DATA", default_value = "/var/lib/pagefold/web")]
    web_data: PathBuf,
    /// Folder of the repositories that are kept here; `repositories` below the folder before if absent
    #[arg(long, env = "PAGEFOLD_WEB_REPOSITORIES")]
    web_repositories: Option<PathBuf>,
    /// What launchers read them by; without it they cannot be built
    #[arg(long, env = "PAGEFOLD_REPOSITORIES_TOKEN", hide_env_values = true)]
    repositories_token: Option<SecretString>,
    /// Connections to the read model at the same time
    #[arg(long, env = "PAGEFOLD_WEB_POSTGRES_CONNECTIONS", default_value_t = WEB_CONNECTIONS)]
    web_postgres_connections: u32,
}

/// What serves the sites.
#[derive(Debug, Args)]
pub(crate) struct Edge {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    bucket: Bucket,
    #[command(flatten)]
    door: Door,
    /// Address to listen on
    #[arg(long, env = "PAGEFOLD_EDGE_LISTEN", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    #[command(flatten)]
    tls: EdgeTls,
    /// What opens closed sites, as `pagefold permissions edge-key` prints it; without it they stay closed
    #[arg(long, env = "PAGEFOLD_EDGE_KEY", hide_env_values = true)]
    edge_key: Option<SecretString>,
    /// Public address of the dashboard, where members sign in; without it sites that are for members stay closed
    #[arg(long, env = "PAGEFOLD_WEB_URL")]
    web_url: Option<String>,
    /// Domain below which every site has its host
    #[arg(long, env = "PAGEFOLD_SITES_DOMAIN", default_value = edge::BASE_DOMAIN)]
    sites_domain: String,
    /// Folder of the last good table, of file lists and of contents
    #[arg(long, env = "PAGEFOLD_EDGE_DATA", default_value = "/var/lib/pagefold/edge")]
    edge_data: PathBuf,
    /// Memory for file lists and contents, in bytes
    #[arg(long, env = "PAGEFOLD_EDGE_CACHE_BYTES", default_value_t = edge::CACHE_BYTES)]
    edge_cache_bytes: u64,
    /// Disk for contents, in bytes: what was served is served after a restart too, whether or not the store is there; 0 for none
    #[arg(long, env = "PAGEFOLD_EDGE_DISK_BYTES", default_value_t = edge::DISK_BYTES)]
    edge_disk_bytes: u64,
    #[command(flatten)]
    backends: Backends,
    /// Servers of the platform that no route leads to, each as HOST:PORT or a URL: the database, web, whatever an edge cannot know
    #[arg(long, env = "PAGEFOLD_FORBIDDEN_ADDRESSES", value_name = "HOST:PORT", value_delimiter = ',')]
    forbidden_addresses: Vec<String>,
}

/// What tells receivers.
#[derive(Debug, Args)]
pub(crate) struct Notifier {
    #[command(flatten)]
    common: Common,
    /// The installation's key, as web has it: addresses of receivers are sealed with what is made of it
    #[arg(long, env = "PAGEFOLD_KEY", hide_env_values = true)]
    key: SecretString,
    #[command(flatten)]
    public: Public,
    #[command(flatten)]
    receivers: Receivers,
    #[command(flatten)]
    mail: Mail,
    #[command(flatten)]
    github_app: GithubApp,
    /// Servers of the platform that no receiver may be, each as HOST:PORT or a URL
    #[arg(long, env = "PAGEFOLD_FORBIDDEN_ADDRESSES", value_name = "HOST:PORT", value_delimiter = ',')]
    forbidden_addresses: Vec<String>,
}

impl Service {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Web(_) => "web",
            Self::Scheduler { .. } => "scheduler",
            Self::Launcher { .. } => "launcher",
            Self::Syncer { .. } => "syncer",
            Self::Notifier(_) => "notifier",
            Self::Registrar(_) => "registrar",
            Self::Projector { .. } => "projector",
            Self::Edge(_) => "edge",
        }
    }

    const fn common(&self) -> &Common {
        match self {
            Self::Web(web) => &web.common,
            Self::Scheduler { common, .. }
            | Self::Launcher { common, .. }
            | Self::Syncer { common, .. }
            | Self::Notifier(Notifier { common, .. })
            | Self::Registrar(Registrar { common, .. })
            | Self::Projector { common, .. } => common,
            Self::Edge(edge) => &edge.common,
        }
    }
}

/// Runs a service until it is asked to end. What it needs and is not there, it waits for.
pub(crate) async fn run(service: Service) -> Result<()> {
    modes::close();
    let (stop, health) = (runtime::shutdown::on_signal()?, Health::default());
    if let Some(address) = service.common().admin {
        tokio::spawn(admin::serve(admin::bind(address).await?, health.clone(), stop.clone()));
    }
    // The services differ much in size; their future lives on the heap.
    Box::pin(serve(service, health, stop)).await
}

async fn serve(service: Service, health: Health, stop: CancellationToken) -> Result<()> {
    let (name, own) = (service.name(), health.part(service.name(), Need::Must));
    match service {
        Service::Web(options) => web(*options, health, stop).await?,
        Service::Scheduler { common, scheduling } => {
            let log = common.log(name).await?;
            health.watch_log(Need::Must, log.connection(), &stop);
            own.ok();
            Box::pin(scheduler::run(log, scheduling.limits(), stop)).await?;
        }
        Service::Launcher { common, bucket, builds, build_key, launcher_data, sources } => {
            let key = launcher::BuildKey::read(&build_key)?;
            modes::launcher(&launcher_data)?;
            let mut servers = [&common.access(name).url, bucket.endpoint()].map(|url| launch::hosts_of(url)).concat();
            servers.extend(builds.docker_hosts().into_iter().chain(common.admin.map(|address| address.to_string())));
            let allowed = sources.repositories.allowed(false);
            sources.tell_what_is_unknown(&allowed);
            let rules = sources.rules(allowed, servers, launcher_data.clone());
            let config = launch::config(&builds, launcher_data, rules, key);
            let prepared = launcher::prepare(config, launcher::Parts::of(&health, Need::Must)).await?;
            let (log, storage) = (common.log(name).await?, bucket.storage());
            health.watch_log(Need::Must, log.connection(), &stop);
            watch_storage(&health, &storage, Need::Must, &stop);
            own.ok();
            launcher::run(prepared, log, &storage, stop).await?;
        }
        Service::Syncer { common, bucket, syncer_data, syncer_slots } => {
            let (log, storage) = (common.log(name).await?, bucket.storage());
            health.watch_log(Need::Must, log.connection(), &stop);
            watch_storage(&health, &storage, Need::Must, &stop);
            let probing = Box::pin(storage.probe_when_there());
            let Some(probed) = stop.run_until_cancelled(probing).await else { return Ok(()) };
            probed?;
            own.ok();
            let config = syncer::Config { slots: syncer_slots, data_dir: syncer_data };
            syncer::run(log, storage, config, stop).await?;
        }
        Service::Notifier(options) => notifier(options, health, stop).await?,
        Service::Registrar(options) => {
            let log = options.common.log(name).await?;
            health.watch_log(Need::Must, log.connection(), &stop);
            own.ok();
            Box::pin(::registrar::run(log, options.config()?, stop)).await?;
        }
        Service::Projector { common, postgres_url, postgres_reader } => {
            let (log, store) = (common.log(name).await?, Store::establish(&postgres_url, PROJECTOR_CONNECTIONS)?);
            health.watch_log(Need::Must, log.connection(), &stop);
            watch_read_model(&health, &store, &stop);
            own.ok();
            projector::run(log, store, &postgres_reader, stop).await;
        }
        Service::Edge(options) => Box::pin(edge(*options, health, stop)).await?,
    }
    Ok(())
}

async fn web(options: Web, health: Health, stop: CancellationToken) -> Result<()> {
    let servers = [&*options.common.access("web").url, options.bucket.endpoint(), options.postgres_url.expose_secret()];
    let closed = servers.into_iter().flat_map(launch::hosts_of);
    let closed = closed.chain(options.common.admin.map(|address| address.to_string())).map(Own::At).collect();
    let config = web::Config {
        listen: options.listen,
        tokens: vec![web::Token { name: options.token_name, secret: options.token }],
        key: options.key,
        github_webhook_secret: options.github_webhook_secret,
        repositories: options.repositories.allowed(false),
        closed,
        receivers: options.receivers.allowed(),
        backends: options.backends.allowed(false),
        edge_addresses: options.edges.edge_addresses,
        sites_url: options.public.sites_url(),
        web_url: options.public.web_url,
        sign_in: options.sign_in.config()?,
        mailer: options.mail.mailer()?,
        own_repositories: options.web_repositories.unwrap_or_else(|| options.web_data.join("repositories")),
        repositories_token: options.repositories_token,
        spool: options.web_data,
    };
    let log = options.common.log("web").await?;
    let read_model = Store::establish(&options.postgres_url, options.web_postgres_connections)?;
    let storage = options.bucket.storage();
    // Only archived logs and the files of deploys come from it.
    watch_storage(&health, &storage, Need::May, &stop);
    let web = web::Web::bind(config, log, read_model, storage).await?;
    health.part("web", Need::Must).ok();
    Ok(web.within(options.door.limits(Share::Web)).with_health(health).run(stop).await?)
}

async fn notifier(options: Notifier, health: Health, stop: CancellationToken) -> Result<()> {
    let log = options.common.log("notifier").await?;
    health.watch_log(Need::Must, log.connection(), &stop);
    let own = launch::hosts_of(&options.common.access("notifier").url).into_iter();
    let own = own.chain(options.common.admin.map(|address| address.to_string()));
    let own = own.chain(options.forbidden_addresses.iter().flat_map(|address| launch::hosts_of(address)));
    let config = notifier::Config {
        key: web::vault_key(&options.key),
        dialer: options.receivers.dialer(own.map(Own::At).collect()),
        github: options.github_app.app()?,
        mailer: options.mail.mailer()?,
        sites_url: options.public.sites_url(),
        web_url: options.public.web_url,
        timing: notifier::Timing::default(),
    };
    health.part("notifier", Need::Must).ok();
    Ok(Box::pin(notifier::run(log, config, stop)).await?)
}

async fn edge(options: Edge, health: Health, stop: CancellationToken) -> Result<()> {
    let access = options.common.access("edge");
    let servers = [&access.url, options.bucket.endpoint()].into_iter().chain(&options.forbidden_addresses);
    let own = servers.flat_map(|address| launch::hosts_of(address));
    let own = own.chain(options.common.admin.map(|address| address.to_string()));
    let config = edge::Config {
        tls: options.tls.config(),
        base_domain: options.sites_domain,
        cache_bytes: options.edge_cache_bytes,
        disk_bytes: options.edge_disk_bytes,
        backends: options.backends.dialer(false, own.map(Own::At).collect()),
        key: options.edge_key.as_ref().map(doors::Key::read).transpose()?,
        sign_in: match options.web_url.filter(|url| !url.is_empty()) {
            Some(url) => edge::SignIn::At(url),
            None => edge::SignIn::Nowhere,
        },
        ..edge::Config::new(options.listen, options.edge_data)
    };
    let storage = options.bucket.storage();
    let edge = edge::Edge::bind(config, access.clone(), storage.clone()).await?;
    // It serves what it knew last without either.
    health.watch_log(Need::May, options.common.log("edge").await?.connection(), &stop);
    watch_storage(&health, &storage, Need::May, &stop);
    health.part("edge", Need::Must).ok();
    Ok(Box::pin(edge.within(options.door.limits(Share::Edge)).run(stop)).await?)
}
