//! `pagefold people` and `pagefold sign-in-link`: who may come in, and who is forgotten.

use crate::api::Api;
use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::io::Write;
use uuid::Uuid;

/// What to do with people.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everybody who is known
    List {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Give a person a role for the whole installation, or take it
    Role {
        /// Their id
        user: Uuid,
        /// What they shall be
        role: Role,
    },
    /// What you sign in with
    Identities {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Sign in with an identity no longer
    Disconnect {
        /// The identity's id
        identity: Uuid,
    },
    /// Forget who a person is, for good: no copy of the log tells it afterwards
    Erase {
        /// Their id
        user: Uuid,
    },
}

/// A role for the whole installation.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Role {
    /// Does all.
    Admin,
    /// Reads all, changes nothing.
    Support,
    /// No role.
    None,
}

pub(crate) async fn run(api: &Api, command: Command) -> Result<()> {
    match command {
        Command::List { json } => list(&api.all("/users").await?, json),
        Command::Role { user, role } => {
            let role = match role {
                Role::Admin => json!("admin"),
                Role::Support => json!("support"),
                Role::None => json!(null),
            };
            api.put(&format!("/users/{user}/role"), json!({ "role": role })).await?;
            say(&format!("it is so: {user}"))
        }
        Command::Identities { json } => {
            let identities = api.all("/identities").await?;
            if json {
                return say(&serde_json::to_string_pretty(&identities)?);
            }
            for identity in &identities {
                let text = |name: &str| identity[name].as_str().unwrap_or("erased").to_owned();
                say(&format!("{}  {:<32} {}", text("id"), text("account"), text("issuer")))?;
            }
            Ok(())
        }
        Command::Disconnect { identity } => {
            api.delete(&format!("/identities/{identity}")).await?;
            say(&format!("{identity} signs nobody in any more"))
        }
        Command::Erase { user } => {
            api.delete(&format!("/users/{user}")).await?;
            say(&format!("{user} is forgotten"))
        }
    }
}

fn list(people: &[Value], json: bool) -> Result<()> {
    if json {
        return say(&serde_json::to_string_pretty(people)?);
    }
    for person in people {
        let text = |name: &str, otherwise: &str| person[name].as_str().unwrap_or(otherwise).to_owned();
        say(&format!(
            "{}  {:<24} {:<32} {}",
            text("id", ""),
            text("name", "erased"),
            text("email", "–"),
            text("role", "–")
        ))?;
    }
    Ok(())
}

/// Prints a link that signs in a person, or whoever has the token, once.
pub(crate) async fn sign_in_link(api: &Api, user: Option<Uuid>) -> Result<()> {
    say(&link(api, user).await?)
}

pub(crate) async fn link(api: &Api, user: Option<Uuid>) -> Result<String> {
    let body = user.map_or_else(|| json!({}), |user| json!({ "user": user }));
    let made = api.post("/sign-in-links", body).await?;
    Ok(made["url"].as_str().unwrap_or_default().to_owned())
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
