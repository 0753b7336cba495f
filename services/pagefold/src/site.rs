//! `pagefold site`: a site as it was, from the log, and deleted ones, by the API.

use crate::access::Access;
use anyhow::Result;
use clap::Subcommand;
use serde_json::json;
use std::io::Write;

/// What to do with a site.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Past(ctl::site::Command),
    /// List the deleted sites that can be restored
    Deleted {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Bring back a deleted site with all that it had, within 30 days
    Restore {
        /// Its name, or its id if the name is another's by now
        site: String,
        /// What it shall be called; as before if absent
        #[arg(long)]
        name: Option<String>,
    },
}

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    match command {
        Command::Past(command) => ctl::site::run(&access.log().await?, command, &mut std::io::stdout()).await,
        Command::Deleted { json } => deleted(access, json).await,
        Command::Restore { site, name } => {
            let body = name.map_or_else(|| json!({}), |name| json!({ "name": name }));
            let restored = access.api()?.post(&format!("/sites/{site}/restore"), body).await?;
            let text = |field: &str| restored[field].as_str().unwrap_or_default().to_owned();
            say(&format!("{} is there again: {}", text("name"), text("url")))
        }
    }
}

async fn deleted(access: &Access, json: bool) -> Result<()> {
    let sites = access.api()?.all("/deleted-sites").await?;
    if json {
        return say(&serde_json::to_string_pretty(&sites)?);
    }
    for site in &sites {
        let text = |field: &str| site[field].as_str().unwrap_or_default().to_owned();
        say(&format!("{}  {:<30} until {}", text("id"), text("name"), text("restorable_until")))?;
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
