//! `pagefold platform`: how the whole installation is, for admins and support.

use crate::user::With;
use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What waits and runs, by lane and organization
    Queue {
        #[command(flatten)]
        with: With,
    },
    /// The launchers that work on something
    Launchers {
        #[command(flatten)]
        with: With,
    },
    /// How long builds waited and took, hour by hour
    Pace {
        /// How many hours back
        #[arg(long, default_value_t = 24)]
        hours: u16,
        #[command(flatten)]
        with: With,
    },
    /// How far everybody is who works through facts
    Consumers {
        #[command(flatten)]
        with: With,
    },
    /// What organizations use
    Usage {
        #[command(flatten)]
        with: With,
    },
}

pub(crate) async fn run(command: Command) -> Result<()> {
    match command {
        Command::Queue { with } => {
            let queue = with.api()?.get("/platform/queue").await?;
            let columns = ["organization", "lane", "waiting", "running", "waiting_since"];
            with.print(rows(&queue["lines"]), &columns)
        }
        Command::Launchers { with } => {
            let queue = with.api()?.get("/platform/queue").await?;
            with.print(rows(&queue["launchers"]), &["name", "busy", "busy_since"])
        }
        Command::Pace { hours, with } => {
            let pace = with.api()?.get(&format!("/platform/pace?hours={hours}")).await?;
            let columns = ["from", "builds", "failed", "wait_ms", "wait_ms_95", "took_ms", "took_ms_95"];
            with.print(rows(&pace["items"]), &columns)
        }
        Command::Consumers { with } => {
            let consumers = with.api()?.get("/platform/consumers").await?;
            with.print(rows(&consumers["items"]), &["name", "lag_s", "pending", "in_hand", "sequence"])
        }
        Command::Usage { with } => {
            let usage = with.api()?.all("/platform/usage").await?;
            with.print(&usage, &["name", "sites", "members", "builds", "build_minutes", "stored_bytes"])
        }
    }
}

fn rows(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}
