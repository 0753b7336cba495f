//! `pagefold platform`: how the whole installation is, for admins and support.

use crate::access::Access;
use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What waits and runs, by lane and organization
    Queue,
    /// The launchers that are there, and their slots
    Launchers,
    /// How long builds waited and took, hour by hour
    Pace {
        /// How many hours back
        #[arg(long, default_value_t = 24)]
        hours: u16,
    },
    /// How far everybody is who works through facts
    Consumers,
    /// What organizations use
    Usage,
    /// Remove the deploys that sites keep no longer
    Collect {
        /// Only tell what would go
        #[arg(long)]
        dry_run: bool,
        /// The name or the id of the one site that is meant
        #[arg(long)]
        site: Option<String>,
    },
}

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let (api, print) = (access.api()?, access.print());
    match command {
        Command::Queue => {
            let queue = api.get("/platform/queue").await?;
            let columns = ["organization", "lane", "waiting", "running", "waiting_since"];
            print.list(rows(&queue["lines"]), &columns)
        }
        Command::Launchers => {
            let queue = api.get("/platform/queue").await?;
            print.list(rows(&queue["launchers"]), &["name", "slots", "busy", "works", "busy_since"])
        }
        Command::Pace { hours } => {
            let pace = api.get(&format!("/platform/pace?hours={hours}")).await?;
            let columns = ["from", "builds", "failed", "wait_ms", "wait_ms_95", "took_ms", "took_ms_95"];
            print.list(rows(&pace["items"]), &columns)
        }
        Command::Consumers => {
            let consumers = api.get("/platform/consumers").await?;
            print.list(rows(&consumers["items"]), &["name", "lag_s", "pending", "in_hand", "sequence"])
        }
        Command::Usage => {
            let usage = api.all("/platform/usage").await?;
            print.list(&usage, &["name", "sites", "members", "builds", "build_minutes", "stored_bytes"])
        }
        Command::Collect { dry_run, site } => {
            let of_site = site.map(|site| format!("&site={site}")).unwrap_or_default();
            let found = api.post(&format!("/admin/collect?dry_run={dry_run}{of_site}"), json!({})).await?;
            print.list(rows(&found["deploys"]), &["id", "site", "number", "created_at", "keep_deploys", "keep_days"])
        }
    }
}

fn rows(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}
