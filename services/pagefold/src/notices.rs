//! `pagefold notices`: who is told what happens to a site, and whether they were.

use crate::access::Access;
use crate::api::Api;
use anyhow::{Context, Result};
use clap::Subcommand;
use ctl::Print;
use serde_json::{Value, json};
use uuid::Uuid;

/// What to do about those who are told.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Who is told what happens to a site
    List {
        /// The name or the id of the site
        site: String,
    },
    /// Tell another; where to is read from the standard input, since some addresses are secrets, and for `github` and `cdevents` the
    /// token from a second line, if one is needed
    Add {
        /// The name or the id of the site
        site: String,
        /// How: `webhook`, `slack`, `email`, `github` or `cdevents`
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

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let (api, print) = (&access.api()?, access.print());
    match command {
        Command::List { site } => {
            let receivers = api.all(&format!("/sites/{site}/receivers")).await?;
            print.list(&receivers, &["id", "kind", "name", "address", "wants"])
        }
        Command::Add { site, kind, name, wants } => {
            let mut body = json!({ "kind": kind, "name": name });
            if !wants.is_empty() {
                body["wants"] = json!(wants);
            }
            add(api, &site, body, print).await
        }
        Command::Remove { site, receiver } => {
            api.delete(&format!("/sites/{site}/receivers/{receiver}")).await?;
            print.one(&json!({ "id": receiver, "removed": true }), "it is told nothing any more")
        }
        Command::Test { site, receiver } => {
            let made = api.post(&format!("/sites/{site}/receivers/{receiver}/test"), json!({})).await?;
            print.one(&made, &format!("notice {} will be sent", text(&made, "id")))
        }
        Command::Sent { site, receiver } => {
            let page = api.get(&format!("/sites/{site}/receivers/{receiver}/deliveries")).await?;
            let notices = page["items"].as_array().map_or(&[][..], Vec::as_slice);
            print.list(notices, &["at", "id", "state", "occasion", "reason"])
        }
        Command::Redeliver { site, receiver, notice } => {
            let path = format!("/sites/{site}/receivers/{receiver}/deliveries/{notice}/redeliver");
            let again = api.post(&path, json!({})).await?;
            print.one(&again, &format!("notice {notice} will be sent once more"))
        }
    }
}

async fn add(api: &Api, site: &str, mut body: Value, print: Print) -> Result<()> {
    let mut address = String::new();
    std::io::stdin().read_line(&mut address).context("cannot read the address")?;
    body["address"] = json!(address.trim());
    if body["kind"] == "github" || body["kind"] == "cdevents" {
        let mut token = String::new();
        std::io::stdin().read_line(&mut token).context("cannot read the token")?;
        body["token"] = json!(token.trim());
    }
    let made = api.post(&format!("/sites/{site}/receivers"), body).await?;
    let mut told = format!("receiver {} is told from now on", text(&made, "id"));
    if let Some(secret) = made["secret"].as_str() {
        told = format!("{told}\nwhat it receives is signed with {secret}, which is shown this once");
    }
    print.one(&made, &told)
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}
