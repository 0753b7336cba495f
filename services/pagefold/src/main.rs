//! `pagefold`: the whole platform in one executable, or one service of it, or an operator's command.

mod access;
mod acme;
mod admin;
mod api;
mod backends;
mod building;
mod cli;
mod course;
mod credentials;
mod deliveries;
mod deploy;
mod domains;
mod door;
mod edge_tls;
mod edges;
mod env;
mod exit;
mod explain;
mod github_app;
mod health;
mod history;
mod hub;
mod launch;
mod limits;
mod mail;
mod modes;
mod notices;
mod organization;
mod people;
mod permissions;
mod platform;
mod private;
mod provision;
mod public;
mod receivers;
mod redirects;
mod resolver;
mod routes;
mod rules;
mod secret;
mod service;
mod share;
mod sign_in;
mod site;
mod source;
mod up;
mod user;

use anyhow::Result;
use clap::Parser;
use cli::{Cli, Command};
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Gives what a burst of requests took back to the system; that of the C library keeps most of it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let guard = match cli.command.service().map(|name| cli.telemetry.install(name)).transpose() {
        Ok(guard) => guard,
        Err(error) => return complain(&error),
    };
    // Every connection is a file. Where the limit cannot be raised, there are fewer places.
    if let Err(error) = listener::files::raise() {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let ended = Box::pin(run(cli.command)).await;
    let Some(guard) = guard else {
        return match ended {
            Err(error) if !is_closed_pipe(&error) => complain(&error),
            Ok(()) | Err(_) => ExitCode::SUCCESS,
        };
    };
    if let Err(error) = &ended {
        tracing::error!(error = format!("{error:#}"), "pagefold ends");
    }
    guard.shutdown().await;
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Up(options) => Box::pin(up::run(*options)).await,
        Command::Service(service) => service::run(*service).await,
        Command::Provision(options) => provision::run(*options).await,
        Command::Permissions { command } => permissions::run(command),
        Command::Events { access, command } if access.is_users() => history::run(&access, command).await,
        Command::Events { access, command } => {
            ctl::events::run(&access.log().await?, command, access.print(), &mut std::io::stdout()).await
        }
        Command::Parked { access, command } => {
            ctl::parked::run(access.log().await?.connection(), command, access.print(), &mut std::io::stdout()).await
        }
        Command::Site { access, command } => site::run(&access, command).await,
        Command::Organization { access, command } => organization::run(&access, command).await,
        Command::Deliveries { access, command } => deliveries::run(&access, command).await,
        Command::Github { access, command } => hub::run(&access, command).await,
        Command::Source { access, command } => source::run(&access, command).await,
        Command::People { access, command } => people::run(&access, command).await,
        Command::SignInLink { access, user } => people::sign_in_link(&access, user).await,
        Command::Notices { access, command } => notices::run(&access, command).await,
        Command::Platform { access, command } => platform::run(&access, command).await,
        Command::Routes { access, command } => routes::run(&access, command).await,
        Command::Domains { access, command } => domains::run(&access, command).await,
        Command::Share { access, command } => share::run(&access, command).await,
        Command::Access(rules) => share::rules(rules).await,
        Command::User(command) => user::run(command).await,
        Command::Redirects { command } => redirects::run(command),
        Command::Deploy(options) => deploy::run(options).await,
        Command::Env { access, command } => env::run(&access, command).await,
        Command::Completions { shell } => cli::complete(shell),
        Command::Projections { access, command } => access::rebuild(&access, command).await,
    }
}

/// A reader such as `head` that has seen enough is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    };
    error.chain().any(pipe)
}

#[expect(clippy::print_stderr, reason = "a command line tells its user why it failed")]
fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("pagefold: {error:#}");
    exit::code(error)
}
