//! `pagefold organization`: as it was, from the log, and what admins of the platform decide about it, by the API.

use crate::access::Access;
use anyhow::{Result, bail};
use clap::Subcommand;
use ctl::print::cell;
use serde_json::{Value, json};

/// What to do with an organization.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Past(ctl::organization::Command),
    /// Let its people change nothing and build no push of it; its sites are shown as they are
    Suspend {
        /// Its name or its id
        organization: String,
        /// Why, for its people
        reason: String,
    },
    /// Suspend it no more
    Reinstate {
        /// Its name or its id
        organization: String,
    },
    /// Limit what it may have; whatever is not named has no limit of its own
    Limit {
        /// Its name or its id
        organization: String,
        /// Sites
        #[arg(long)]
        sites: Option<u32>,
        /// Members
        #[arg(long)]
        members: Option<u32>,
        /// Builds at once
        #[arg(long)]
        builds: Option<u32>,
    },
    /// Delete all its sites every so many days; its pages say so a week before
    Sandbox {
        /// Its name or its id
        organization: String,
        /// Days from one time to the next
        #[arg(long, default_value_t = events::organization::SANDBOX_DAYS)]
        days: u16,
    },
    /// Keep the sites of what was a sandbox
    Keep {
        /// Its name or its id
        organization: String,
    },
}

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let of = |organization: &str, part: &str| format!("/organizations/{organization}/{part}");
    match command {
        Command::Past(ctl::organization::Command::Show { organization, at }) if access.is_users() => {
            if at.is_some() {
                bail!("what an organization was takes the operator's access to the log (--data or --nats-url)");
            }
            let shown = access.api()?.get(&format!("/organizations/{organization}")).await?;
            access.print().one(&shown, &told(&shown))
        }
        Command::Past(command) => {
            ctl::organization::run(&access.log().await?, command, access.print(), &mut std::io::stdout()).await
        }
        Command::Suspend { organization, reason } => {
            let told = access.api()?.put(&of(&organization, "suspension"), json!({ "reason": reason })).await?;
            access.print().one(&told, &format!("{organization} is suspended"))
        }
        Command::Reinstate { organization } => {
            access.api()?.delete(&of(&organization, "suspension")).await?;
            done(access, &organization, &json!({ "suspended": Value::Null }), "is not suspended")
        }
        Command::Limit { organization, sites, members, builds } => {
            let limits = json!({ "sites": sites, "members": members, "builds": builds });
            let told = access.api()?.put(&of(&organization, "limits"), limits).await?;
            let shown = |name: &str| told[name].as_u64().map_or_else(|| "any".to_owned(), |max| max.to_string());
            let [sites, members, builds] = ["sites", "members", "builds"].map(shown);
            let text = format!("{organization} may have: sites {sites}, members {members}, builds at once {builds}");
            access.print().one(&told, &text)
        }
        Command::Sandbox { organization, days } => {
            let told = access.api()?.put(&of(&organization, "sandbox"), json!({ "days": days })).await?;
            let next = told["clean_up_at"].as_str().unwrap_or_default();
            access.print().one(&told, &format!("{organization} is a sandbox: its sites are deleted on {next}"))
        }
        Command::Keep { organization } => {
            access.api()?.delete(&of(&organization, "sandbox")).await?;
            done(access, &organization, &json!({ "sandbox": Value::Null }), "keeps its sites")
        }
    }
}

fn done(access: &Access, organization: &str, told: &Value, text: &str) -> Result<()> {
    access.print().one(told, &format!("{organization} {text}"))
}

/// What an organization is, a line for each thing.
fn told(organization: &Value) -> String {
    let things = organization.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    things.map(|(name, value)| format!("{name:<13} {}", cell(value))).collect::<Vec<_>>().join("\n")
}
