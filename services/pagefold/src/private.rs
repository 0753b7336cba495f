//! `pagefold site deploy-key` and `pagefold site source-token`: what a private repository is read by. A token is read from the
//! standard input, never from an argument.

use crate::access::Access;
use crate::env;
use anyhow::Result;
use clap::Subcommand;
use ctl::print::cell;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// What to do with the key that a site's repository is read by over SSH.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key pair in the place of the one before, and print the half that the repository is given
    Make {
        /// The name or the id of the site
        site: String,
    },
    /// Print the half that the repository is given
    Show {
        /// The name or the id of the site
        site: String,
    },
    /// Read the repository by the key no more
    Remove {
        /// The name or the id of the site
        site: String,
    },
}

/// What to do with the token that a site's repository is read by over HTTPS.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Set it; it is asked for, or read from the standard input
    Set {
        /// The name or the id of the site
        site: String,
        /// Whose it is, where the repository's host wants to know
        #[arg(long)]
        user: Option<String>,
    },
    /// Tell whether there is one, and since when
    Show {
        /// The name or the id of the site
        site: String,
    },
    /// Read the repository by the token no more
    Remove {
        /// The name or the id of the site
        site: String,
    },
}

pub(crate) async fn deploy_key(access: &Access, command: KeyCommand) -> Result<()> {
    let (api, print) = (access.api()?, access.print());
    match command {
        KeyCommand::Make { site } => {
            let made = api.post(&format!("/sites/{site}/deploy-key"), json!({})).await?;
            print.one(&made, &told(&made))
        }
        KeyCommand::Show { site } => {
            let key = api.get(&format!("/sites/{site}/deploy-key")).await?;
            print.one(&key, &told(&key))
        }
        KeyCommand::Remove { site } => {
            api.delete(&format!("/sites/{site}/deploy-key")).await?;
            print.one(&json!({ "site": site, "removed": true }), &format!("{site} has no deploy key any more"))
        }
    }
}

/// The key alone on the first line, so that it can be cut out.
fn told(key: &Value) -> String {
    format!("{}\n{}", cell(&key["public_key"]), cell(&key["fingerprint"]))
}

pub(crate) async fn source_token(access: &Access, command: TokenCommand) -> Result<()> {
    let (api, print) = (access.api()?, access.print());
    match command {
        TokenCommand::Set { site, user } => {
            let body = json!({ "token": env::value("token")?.expose_secret(), "username": user });
            api.put(&format!("/sites/{site}/source-token"), body).await?;
            print.one(&json!({ "site": site, "set": true }), &format!("the repository of {site} is read by the token"))
        }
        TokenCommand::Show { site } => {
            let token = api.get(&format!("/sites/{site}/source-token")).await?;
            let [user, at, by] = ["username", "updated_at", "updated_by"].map(|name| cell(&token[name]));
            print.one(&token, &format!("{user}  {at}  {by}"))
        }
        TokenCommand::Remove { site } => {
            api.delete(&format!("/sites/{site}/source-token")).await?;
            print.one(&json!({ "site": site, "removed": true }), &format!("{site} has no token any more"))
        }
    }
}
