//! `pagefold github`: one's account at GitHub, and what it is used for.

use crate::access::Access;
use crate::api;
use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

/// What to do with it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Which account is used for you, or where you connect one
    Show,
    /// The public repositories that you may push to
    Repositories {
        /// A text in their names
        search: Option<String>,
        /// Which hundred of all, if there are more
        #[arg(long, default_value_t = 1)]
        page: u32,
    },
    /// Have the repository of a site tell of pushes
    Webhook {
        /// The name or the id of the site
        site: String,
    },
    /// Have your account used no longer
    Disconnect,
}

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let (api, print) = (access.api()?, access.print());
    match command {
        Command::Show => {
            let shown = api.get("/github").await?;
            let told = match shown["account"].as_str() {
                Some(account) => format!("{account} is used for you"),
                None => format!("connect an account at {}", text(&shown, "url")),
            };
            print.one(&shown, &told)
        }
        Command::Repositories { search, page } => {
            let asked = [("search", search.as_deref().unwrap_or_default()), ("page", &page.to_string())];
            let found = api.get(&api::query("/github/repositories", &asked)).await?;
            let rows = found["items"].as_array().map_or(&[][..], Vec::as_slice);
            print.list(rows, &["name", "repository", "branch"])
        }
        Command::Webhook { site } => {
            let made = api.post(&format!("/sites/{site}/webhook"), json!({})).await?;
            print.one(&made, &format!("the repository tells {} of pushes", text(&made, "url")))
        }
        Command::Disconnect => {
            api.delete("/github").await?;
            print.one(&json!({ "disconnected": true }), "your account at GitHub is used no longer")
        }
    }
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}
