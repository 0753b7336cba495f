//! One service by itself, as in production: addresses and secrets come from the environment.

use crate::admin;
use crate::door::Door;
use crate::launch::{self, Builds};
use anyhow::Result;
use clap::{Args, Subcommand};
use listener::Share;
use projections::Store;
use runtime::{Connection, Log, connection, streams};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::PathBuf;
use storage::Storage;
use tokio_util::sync::CancellationToken;

/// The services.
#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    /// Run the API, the webhooks and the dashboard
    Web(Web),
    /// Run the scheduler
    Scheduler {
        #[command(flatten)]
        common: Common,
    },
    /// Run a launcher of builds
    Launcher {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        bucket: Bucket,
        #[command(flatten)]
        builds: Builds,
        /// Folder of mirrors and workspaces
        #[arg(long, env = "PAGEFOLD_LAUNCHER_DATA", default_value = "/var/lib/pagefold/launcher")]
        launcher_data: PathBuf,
        /// Build from repositories of this machine too, given as a path or a `file://` URL
        #[arg(long, env = "PAGEFOLD_LOCAL_REPOSITORIES")]
        local_repositories: bool,
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
        #[arg(long, env = "PAGEFOLD_SYNCER_SLOTS", default_value_t = 4)]
        syncer_slots: usize,
    },
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
    Edge {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        bucket: Bucket,
        #[command(flatten)]
        door: Door,
        /// Address to listen on
        #[arg(long, env = "PAGEFOLD_EDGE_LISTEN", default_value = "127.0.0.1:8081")]
        listen: SocketAddr,
        /// Domain below which every site has its host
        #[arg(long, env = "PAGEFOLD_SITES_DOMAIN", default_value = edge::BASE_DOMAIN)]
        sites_domain: String,
        /// Folder of the last good table
        #[arg(long, env = "PAGEFOLD_EDGE_DATA", default_value = "/var/lib/pagefold/edge")]
        edge_data: PathBuf,
    },
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
    /// What GitHub signs its webhooks with
    #[arg(long, env = "PAGEFOLD_GITHUB_WEBHOOK_SECRET", hide_env_values = true)]
    github_webhook_secret: SecretString,
    /// Scheme of the sites' public addresses
    #[arg(long, env = "PAGEFOLD_SITES_SCHEME", default_value = "https")]
    sites_scheme: String,
    /// Domain below which every site has its host
    #[arg(long, env = "PAGEFOLD_SITES_DOMAIN", default_value = edge::BASE_DOMAIN)]
    sites_domain: String,
    /// Port of the sites' public addresses, if it is not the scheme's own
    #[arg(long, env = "PAGEFOLD_SITES_PORT")]
    sites_port: Option<u16>,
}

/// What every service needs.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The log's server, or several separated by commas
    #[arg(long, env = "PAGEFOLD_NATS_URL", default_value = "nats://127.0.0.1:4222")]
    nats_url: String,
    /// The password of the log's user that is named like the service
    #[arg(long, env = "PAGEFOLD_NATS_PASSWORD", hide_env_values = true)]
    nats_password: SecretString,
    /// Address that answers /healthz and /metrics; none if absent
    #[arg(long, env = "PAGEFOLD_ADMIN_LISTEN")]
    admin: Option<SocketAddr>,
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

/// Where an operator makes the streams.
#[derive(Debug, Args)]
pub(crate) struct Provision {
    /// The log's server
    #[arg(long, env = "PAGEFOLD_NATS_URL", default_value = "nats://127.0.0.1:4222")]
    nats_url: String,
    /// The password of the log's user `ctl`
    #[arg(long, env = "PAGEFOLD_NATS_PASSWORD", hide_env_values = true)]
    nats_password: SecretString,
    /// Copies of every fact, on as many servers
    #[arg(long, env = "PAGEFOLD_NATS_REPLICAS", default_value_t = 1)]
    replicas: usize,
}

impl Service {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Web(_) => "web",
            Self::Scheduler { .. } => "scheduler",
            Self::Launcher { .. } => "launcher",
            Self::Syncer { .. } => "syncer",
            Self::Projector { .. } => "projector",
            Self::Edge { .. } => "edge",
        }
    }

    const fn common(&self) -> &Common {
        match self {
            Self::Web(Web { common, .. })
            | Self::Scheduler { common }
            | Self::Launcher { common, .. }
            | Self::Syncer { common, .. }
            | Self::Projector { common, .. }
            | Self::Edge { common, .. } => common,
        }
    }
}

impl Common {
    fn access(&self, user: &str) -> connection::Config {
        connection::Config { url: self.nats_url.clone(), user: user.to_owned(), password: self.nats_password.clone() }
    }

    async fn log(&self, user: &str) -> Result<Log> {
        Ok(Log::new(Connection::open(&self.access(user)).await?))
    }
}

impl Bucket {
    fn storage(&self) -> Storage {
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

/// Makes the streams.
pub(crate) async fn provision(options: Provision) -> Result<()> {
    let Provision { nats_url, nats_password, replicas } = options;
    let config = connection::Config { url: nats_url, user: "ctl".to_owned(), password: nats_password };
    Ok(streams::provision(&Connection::open(&config).await?, replicas).await?)
}

/// Runs a service until it is asked to end.
pub(crate) async fn run(service: Service) -> Result<()> {
    let stop = runtime::shutdown::on_signal()?;
    if let Some(address) = service.common().admin {
        tokio::spawn(admin::serve(admin::bind(address).await?, stop.clone()));
    }
    // The services differ much in size; their future lives on the heap.
    Box::pin(serve(service, stop)).await
}

async fn serve(service: Service, stop: CancellationToken) -> Result<()> {
    let name = service.name();
    match service {
        Service::Web(options) => web(options, stop).await?,
        Service::Scheduler { common } => {
            scheduler::run(common.log(name).await?, scheduler::Limits::default(), stop).await?;
        }
        Service::Launcher { common, bucket, builds, launcher_data, local_repositories } => {
            let config = launch::config(&builds, launcher_data, local_repositories);
            let prepared = launcher::prepare(config).await?;
            launcher::run(prepared, common.log(name).await?, &bucket.storage(), stop).await?;
        }
        Service::Syncer { common, bucket, syncer_data, syncer_slots } => {
            let storage = bucket.storage();
            storage.probe().await?;
            let config = syncer::Config { slots: syncer_slots, data_dir: syncer_data };
            syncer::run(common.log(name).await?, storage, config, stop).await?;
        }
        Service::Projector { common, postgres_url, postgres_reader } => {
            let store = Store::connect(&postgres_url, 4).await?;
            projector::run(common.log(name).await?, store, &postgres_reader, stop).await;
        }
        Service::Edge { common, bucket, door, listen, sites_domain, edge_data } => {
            let config = edge::Config { base_domain: sites_domain, ..edge::Config::new(listen, edge_data) };
            let edge = edge::Edge::bind(config, common.access(name), bucket.storage()).await?;
            edge.within(door.limits(Share::Edge)).run(stop).await?;
        }
    }
    Ok(())
}

async fn web(options: Web, stop: CancellationToken) -> Result<()> {
    let config = web::Config {
        listen: options.listen,
        tokens: vec![web::Token { name: options.token_name, secret: options.token }],
        github_webhook_secret: options.github_webhook_secret,
        sites_url: web::SitesUrl {
            scheme: options.sites_scheme,
            base_domain: options.sites_domain,
            port: options.sites_port,
        },
    };
    let log = options.common.log("web").await?;
    let read_model = Store::connect(&options.postgres_url, 8).await?;
    let web = web::Web::bind(config, log, read_model, options.bucket.storage().platform()).await?;
    Ok(web.within(options.door.limits(Share::Web)).run(stop).await?)
}
