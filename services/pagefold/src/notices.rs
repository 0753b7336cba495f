//! `pagefold notices`: who is told what happens to a site, and whether they were.

use crate::api::Api;
use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::{Value, json};
use std::io::Write;
use uuid::Uuid;

/// What to do about those who are told.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Who is told what happens to a site
    List {
        /// The name or the id of the site
        site: String,
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Tell another; where to is read from the standard input, since some addresses are secrets
    Add {
        /// The name or the id of the site
        site: String,
        /// How: `webhook`
        #[arg(long)]
        kind: String,
        /// What to call it
        #[arg(long)]
        name: String,
        /// What to tell of, such as `build_failed`; what is usual for the kind if absent
        #[arg(long, value_delimiter = ',')]
        wants: Vec<String>,
    },
    /// Tell one nothing any more
    Remove {
        /// The name or the id of the site
        site: String,
        /// The receiver, by its id
        receiver: Uuid,
    },
    /// Send one a notice, to see it arrive
    Test {
        /// The name or the id of the site
        site: String,
        /// The receiver, by its id
        receiver: Uuid,
    },
    /// What became of the newest notices of one
    Sent {
        /// The name or the id of the site
        site: String,
        /// The receiver, by its id
        receiver: Uuid,
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Send a notice once more
    Redeliver {
        /// The name or the id of the site
        site: String,
        /// The receiver, by its id
        receiver: Uuid,
        /// The notice, by its id
        notice: Uuid,
    },
}

pub(crate) async fn run(api: &Api, command: Command) -> Result<()> {
    match command {
        Command::List { site, json } => {
            let receivers = api.all(&format!("/sites/{site}/receivers")).await?;
            list(&receivers, json, |receiver| {
                let wants: Vec<&str> =
                    receiver["wants"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                format!(
                    "{}  {:<8} {}  {}  {}",
                    text(receiver, "id"),
                    text(receiver, "kind"),
                    text(receiver, "name"),
                    text(receiver, "address"),
                    wants.join(",")
                )
            })
        }
        Command::Add { site, kind, name, wants } => add(api, &site, &kind, &name, wants).await,
        Command::Remove { site, receiver } => {
            api.delete(&format!("/sites/{site}/receivers/{receiver}")).await?;
            say("it is told nothing any more")
        }
        Command::Test { site, receiver } => {
            let made = api.post(&format!("/sites/{site}/receivers/{receiver}/test"), json!({})).await?;
            say(&format!("notice {} will be sent", text(&made, "id")))
        }
        Command::Sent { site, receiver, json } => {
            let page = api.get(&format!("/sites/{site}/receivers/{receiver}/deliveries")).await?;
            let notices = page["items"].as_array().cloned().unwrap_or_default();
            list(&notices, json, |notice| {
                format!(
                    "{}  {}  {:<9} {:<16} {}",
                    text(notice, "at"),
                    text(notice, "id"),
                    text(notice, "state"),
                    text(notice, "occasion"),
                    text(notice, "reason")
                )
            })
        }
        Command::Redeliver { site, receiver, notice } => {
            let path = format!("/sites/{site}/receivers/{receiver}/deliveries/{notice}/redeliver");
            api.post(&path, json!({})).await?;
            say(&format!("notice {notice} will be sent once more"))
        }
    }
}

async fn add(api: &Api, site: &str, kind: &str, name: &str, wants: Vec<String>) -> Result<()> {
    let mut address = String::new();
    std::io::stdin().read_line(&mut address).context("cannot read the address")?;
    let mut body = json!({ "kind": kind, "name": name, "address": address.trim() });
    if !wants.is_empty() {
        body["wants"] = json!(wants);
    }
    let made = api.post(&format!("/sites/{site}/receivers"), body).await?;
    say(&format!("receiver {} is told from now on", text(&made, "id")))?;
    match made["secret"].as_str() {
        Some(secret) => say(&format!("what it receives is signed with {secret}, which is shown this once")),
        None => Ok(()),
    }
}

fn list(rows: &[Value], json: bool, line: impl Fn(&Value) -> String) -> Result<()> {
    if json {
        return say(&serde_json::to_string_pretty(rows)?);
    }
    rows.iter().try_for_each(|row| say(line(row).trim_end()))
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
