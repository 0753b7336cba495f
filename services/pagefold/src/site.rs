//! `pagefold site`: a site as it was, from the log, and deleted ones and what repositories are read by, by the API.

use crate::access::Access;
use crate::api::query;
use crate::building::Set;
use crate::private;
use anyhow::Result;
use clap::Subcommand;
use ctl::print::cell;
use serde_json::{Value, json};

/// What to do with a site.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Past(ctl::site::Command),
    /// Look at a repository before a site is made of it
    Check {
        /// Its address
        repository: String,
        /// The branch that would be live
        #[arg(long, default_value = "main")]
        branch: String,
    },
    /// Change how a site is built
    Set(Set),
    /// List the deleted sites that can be restored
    Deleted,
    /// Bring back a deleted site with all that it had, within 30 days
    Restore {
        /// Its name, or its id if the name is another's by now
        site: String,
        /// What it shall be called; as before if absent
        #[arg(long)]
        name: Option<String>,
    },
    /// The key that a private repository is read by over SSH
    DeployKey {
        #[command(subcommand)]
        command: private::KeyCommand,
    },
    /// The token that a private repository is read by over HTTPS
    SourceToken {
        #[command(subcommand)]
        command: private::TokenCommand,
    },
}

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    match command {
        Command::Past(ctl::site::Command::Show { site, at }) if access.is_users() => {
            let at = at.map(|at| at.to_string()).unwrap_or_default();
            let shown = access.api()?.get(&query(&format!("/sites/{site}"), &[("at", &at)])).await?;
            access.print().one(&shown, &told(&shown))
        }
        Command::Past(command) => {
            ctl::site::run(&access.log().await?, command, access.print(), &mut std::io::stdout()).await
        }
        Command::DeployKey { command } => private::deploy_key(access, command).await,
        Command::SourceToken { command } => private::source_token(access, command).await,
        Command::Check { repository, branch } => {
            let path = query("/source-check", &[("repository", &repository), ("branch", &branch)]);
            let found = access.api()?.get(&path).await?;
            access.print().one(&found, found["message"].as_str().unwrap_or_default())
        }
        Command::Set(set) => set.run(access).await,
        Command::Deleted => {
            let sites = access.api()?.all("/deleted-sites").await?;
            access.print().list(&sites, &["id", "name", "restorable_until"])
        }
        Command::Restore { site, name } => {
            let body = name.map_or_else(|| json!({}), |name| json!({ "name": name }));
            let restored = access.api()?.post(&format!("/sites/{site}/restore"), body).await?;
            let text = |field: &str| restored[field].as_str().unwrap_or_default().to_owned();
            access.print().one(&restored, &format!("{} is there again: {}", text("name"), text("url")))
        }
    }
}

/// What a site is, a line for each thing.
fn told(site: &Value) -> String {
    let names = ["name", "id", "organization", "repository", "branch", "demo_branch", "engine", "url", "live"];
    let lines =
        names.iter().filter(|name| !site[**name].is_null()).map(|name| format!("{name:<13} {}", cell(&site[*name])));
    lines.collect::<Vec<_>>().join("\n")
}
