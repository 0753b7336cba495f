//! `pagefold`: the whole platform in one executable, or one service of it, or an operator's command.

mod access;
mod admin;
mod cli;
mod launch;
mod service;
mod up;

use anyhow::Result;
use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let operator = cli.command.is_operators();
    match Box::pin(run(cli)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            if !operator {
                tracing::error!(error = format!("{error:#}"), "pagefold ends");
            }
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let name = cli.command.service();
    let guard = match name {
        Some(name) => Some(runtime::telemetry::init(name, &cli.telemetry.config()?)?),
        None => None,
    };
    let ended = match cli.command {
        Command::Up(options) => up::run(options).await,
        Command::Service(service) => service::run(service).await,
        Command::Provision(options) => service::provision(options).await,
        Command::Events { access, command } => {
            ctl::events::run(&access.log().await?, command, &mut std::io::stdout()).await
        }
        Command::Parked { access, command } => {
            ctl::parked::run(access.log().await?.connection(), command, &mut std::io::stdout()).await
        }
        Command::Site { access, command } => {
            ctl::site::run(&access.log().await?, command, &mut std::io::stdout()).await
        }
        Command::Projections { access, command } => access::rebuild(&access, command).await,
    };
    if let Some(guard) = guard {
        guard.shutdown().await;
    }
    ended
}

/// A reader such as `head` that has seen enough is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    };
    error.chain().any(pipe)
}

#[expect(clippy::print_stderr, reason = "a command line tells its user why it failed")]
fn complain(error: &anyhow::Error) {
    eprintln!("pagefold: {error:#}");
}
