//! `pagefold share` and `pagefold access`: whom a site lets in, over the API.

use crate::access::Access;
use crate::env;
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use events::Branch;
use events::access::Mode;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

/// What to do with links that let in whoever has one.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make one, and print its address this once
    Create {
        /// The name or the id of the site
        site: String,
        /// The branch that it leads to; all that the site shows if absent
        #[arg(long)]
        branch: Option<Branch>,
        /// How long it is good, such as 12h or 7d; a year at most
        #[arg(long, default_value = "7d")]
        expires_in: String,
    },
    /// List those that are good, without their addresses
    List {
        /// The name or the id of the site
        site: String,
    },
    /// Have one let nobody in any more
    Revoke {
        /// The name or the id of the site
        site: String,
        /// Its id
        id: String,
    },
}

/// Whom a site lets in.
#[derive(Debug, Args)]
pub(crate) struct Rules {
    #[command(flatten)]
    pub(crate) access: Access,
    /// The name or the id of the site
    site: String,
    /// Who may see the live site: `public`, `members`, `password` (which is asked for) or `link`
    #[arg(long)]
    live: Option<Mode>,
    /// Who may see previews and the demo, in the same words
    #[arg(long)]
    preview: Option<Mode>,
}

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let (api, print) = (access.api()?, access.print());
    match command {
        Command::Create { site, branch, expires_in } => {
            let mut body = json!({ "expires_in": seconds(&expires_in)? });
            if let Some(branch) = branch {
                body["branch"] = json!(branch);
            }
            let made = api.post(&format!("/sites/{site}/share-links"), body).await?;
            print.one(&made, made["url"].as_str().unwrap_or_default())
        }
        Command::List { site } => {
            let links = api.all(&format!("/sites/{site}/share-links")).await?;
            print.list(&links, &["id", "alias", "expires_at", "created_at", "created_by"])
        }
        Command::Revoke { site, id } => {
            api.delete(&format!("/sites/{site}/share-links/{id}")).await?;
            print.one(&json!({ "id": id }), &format!("share link {id} lets nobody in"))
        }
    }
}

pub(crate) async fn rules(rules: Rules) -> Result<()> {
    let Rules { access, site, live, preview } = rules;
    if live == Some(Mode::Password) && preview == Some(Mode::Password) {
        bail!("a password is read from the standard input: set one of both at a time");
    }
    let (api, mut gates) = (access.api()?, Map::new());
    for (hosts, mode) in [("live", live), ("preview", preview)] {
        let Some(mode) = mode else { continue };
        let mut gate = json!({ "mode": mode });
        if mode == Mode::Password {
            gate["password"] = json!(env::value(&format!("the password of {hosts}"))?.expose_secret());
        }
        gates.insert(hosts.to_owned(), gate);
    }
    let shown = if gates.is_empty() {
        api.get(&format!("/sites/{site}")).await?
    } else {
        api.patch(&format!("/sites/{site}"), json!({ "access": Value::Object(gates) })).await?
    };
    let mode = |hosts: &str| shown["access"][hosts]["mode"].as_str().unwrap_or_default().to_owned();
    access.print().one(&shown["access"], &format!("live: {}, preview: {}", mode("live"), mode("preview")))
}

/// A time as people write it, in seconds.
fn seconds(text: &str) -> Result<u32> {
    let (number, unit) = text.split_at(text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len()));
    let each = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => bail!("`{text}` is no time: a number and s, m, h or d"),
    };
    let number: u32 = number.parse().with_context(|| format!("`{text}` is no time"))?;
    number.checked_mul(each).with_context(|| format!("`{text}` is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, expected) in [("90", 90), ("90s", 90), ("2m", 120), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(seconds(text).unwrap(), expected, "{text}");
        }
        for wrong in ["", "d", "7w", "-1d", "99999999999d", "100000d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
