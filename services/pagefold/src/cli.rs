//! The command line. Every setting of a service can come from the environment; secrets should.

use crate::access::{Access, ProjectionsCommand};
use crate::deliveries;
use crate::deploy::Deploy;
use crate::domains;
use crate::env;
use crate::hub;
use crate::notices;
use crate::organization;
use crate::people;
use crate::permissions;
use crate::platform;
use crate::provision::Provision;
use crate::redirects;
use crate::routes;
use crate::service::Service;
use crate::share;
use crate::site;
use crate::source;
use crate::up::Up;
use crate::user;
use anyhow::Result;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use runtime::telemetry;
use std::io::Write;
use uuid::Uuid;

/// A git push becomes a published website, and every step is an event you can replay.
#[derive(Debug, Parser)]
#[command(name = "pagefold", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) telemetry: Telemetry,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole platform on this machine, with servers of its own
    Up(Box<Up>),
    /// Run one service
    #[command(flatten)]
    Service(Box<Service>),
    /// Make what the services expect of NATS, S3 and Postgres, or bring it up to date (once per installation and version)
    Provision(Box<Provision>),
    /// Write what each service may do, for the NATS and S3 servers of an operator
    Permissions {
        #[command(subcommand)]
        command: permissions::Command,
    },
    /// Look into the log
    Events {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: ctl::events::Command,
    },
    /// Look after what a service could not handle
    Parked {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: ctl::parked::Command,
    },
    /// See a site as it is or was, and bring back one that was deleted
    Site {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: site::Command,
    },
    /// See an organization as it is or was, suspend it, limit it, make it a sandbox
    Organization {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: organization::Command,
    },
    /// See which webhooks led to nothing, and why
    Deliveries {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: deliveries::Command,
    },
    /// Look after the files of a site that has its own repository here
    Source {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: source::Command,
    },
    /// See and use your account at GitHub
    Github {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: hub::Command,
    },
    /// See who is known, and forget them
    People {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: people::Command,
    },
    /// See and choose who is told what happens to a site
    Notices {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: notices::Command,
    },
    /// See and choose where paths of hosts lead
    Routes {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: routes::Command,
    },
    /// See and choose which names of other people show a site
    Domains {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: domains::Command,
    },
    /// See and make links that let in whoever has one, however closed a site is
    Share {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: share::Command,
    },
    /// See and change whom a site lets in
    Access(share::Rules),
    /// See how the whole installation is
    Platform {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: platform::Command,
    },
    /// Look after sites as their people do
    #[command(flatten)]
    User(user::Command),
    /// Show a folder of this machine as it is, without git; only what is missing is uploaded
    Deploy(Deploy),
    /// Look at what redirects of a site do, on this machine alone
    Redirects {
        #[command(subcommand)]
        command: redirects::Command,
    },
    /// See and change what the builds of a site are given in their environment
    Env {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: env::Command,
    },
    /// Print what makes a shell complete these commands
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print a link that signs somebody in once
    SignInLink {
        #[command(flatten)]
        access: Access,
        /// For this person, by their id; for the holder of the token if absent
        #[arg(long)]
        user: Option<Uuid>,
    },
    /// Look after the read model
    Projections {
        #[command(flatten)]
        access: Access,
        #[command(subcommand)]
        command: ProjectionsCommand,
    },
}

impl Command {
    /// The name under which it logs; an operator's command does not.
    pub(crate) const fn service(&self) -> Option<&'static str> {
        match self {
            Self::Up(_) => Some("pagefold"),
            Self::Service(service) => Some(service.name()),
            Self::Provision(_) | Self::Events { .. } | Self::Parked { .. } | Self::Site { .. } => None,
            Self::Organization { .. } | Self::Permissions { .. } | Self::Projections { .. } => None,
            Self::Deliveries { .. }
            | Self::Source { .. }
            | Self::Github { .. }
            | Self::People { .. }
            | Self::SignInLink { .. }
            | Self::Notices { .. }
            | Self::Platform { .. }
            | Self::Routes { .. }
            | Self::Domains { .. }
            | Self::Share { .. }
            | Self::Access(_)
            | Self::User(_)
            | Self::Deploy(_)
            | Self::Env { .. }
            | Self::Redirects { .. }
            | Self::Completions { .. } => None,
        }
    }
}

/// Prints the completions of a shell.
pub(crate) fn complete(shell: Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pagefold", &mut script);
    Ok(std::io::stdout().write_all(&script)?)
}

/// What is logged unless told otherwise: libraries only when something is wrong. The S3 front reports every refused
/// request as an error, which is its client's matter.
const LOG_FILTER: &str = "info,async_nats=warn,s3s=off";

/// Logs, traces and metrics.
#[derive(Debug, Args)]
pub(crate) struct Telemetry {
    /// Log lines as `text` or `json`
    #[arg(long, env = "PAGEFOLD_LOG_FORMAT", default_value = "text", global = true)]
    log_format: telemetry::LogFormat,
    /// What is logged, such as `info` or `info,launcher=debug`
    #[arg(long, env = "PAGEFOLD_LOG", default_value = LOG_FILTER, global = true)]
    log: String,
    /// Collector for traces and metrics (OTLP over HTTP); none if absent
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", global = true)]
    otlp_endpoint: Option<String>,
}

impl Telemetry {
    /// Logs, traces and metrics of the service `name`, from now on.
    pub(crate) fn install(&self, name: &str) -> Result<telemetry::Guard> {
        let config = telemetry::Config {
            log_format: self.log_format,
            log_filter: self.log.clone(),
            otlp_endpoint: self.otlp_endpoint.clone(),
        };
        Ok(telemetry::init(name, &config)?)
    }
}
