//! `pagefold people` and `pagefold sign-in-link`: who may come in, and who is forgotten.

use crate::access::Access;
use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use ctl::Print;
use ctl::print::say;
use serde_json::{Value, json};
use uuid::Uuid;

/// What to do with people.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everybody who is known
    List,
    /// Give a person a role for the whole installation, or take it
    Role {
        /// Their id
        user: Uuid,
        /// What they shall be
        role: Role,
    },
    /// Let no session and no token of a person be good
    Suspend {
        /// Their id
        user: Uuid,
        /// Why, for them
        reason: String,
    },
    /// Suspend a person no more
    Reinstate {
        /// Their id
        user: Uuid,
    },
    /// What you sign in with
    Identities,
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

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let (api, print) = (access.api()?, access.print());
    match command {
        Command::List => list(&api.all("/users").await?, print),
        Command::Role { user, role } => {
            let role = match role {
                Role::Admin => json!("admin"),
                Role::Support => json!("support"),
                Role::None => json!(null),
            };
            api.put(&format!("/users/{user}/role"), json!({ "role": &role })).await?;
            print.one(&json!({ "id": user, "role": role }), &format!("it is so: {user}"))
        }
        Command::Suspend { user, reason } => {
            let told = api.put(&format!("/users/{user}/suspension"), json!({ "reason": reason })).await?;
            print.one(&told, &format!("{user} is suspended"))
        }
        Command::Reinstate { user } => {
            api.delete(&format!("/users/{user}/suspension")).await?;
            print.one(&json!({ "id": user, "suspended": Value::Null }), &format!("{user} is not suspended"))
        }
        Command::Identities => print.list(&api.all("/identities").await?, &["id", "account", "issuer"]),
        Command::Disconnect { identity } => {
            api.delete(&format!("/identities/{identity}")).await?;
            let told = json!({ "id": identity, "disconnected": true });
            print.one(&told, &format!("{identity} signs nobody in any more"))
        }
        Command::Erase { user } => {
            api.delete(&format!("/users/{user}")).await?;
            print.one(&json!({ "id": user, "erased": true }), &format!("{user} is forgotten"))
        }
    }
}

fn list(people: &[Value], print: Print) -> Result<()> {
    if print == Print::Programs {
        return print.list(people, &[]);
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
pub(crate) async fn sign_in_link(access: &Access, user: Option<Uuid>) -> Result<()> {
    let url = access.api()?.sign_in_link(user).await?;
    access.print().one(&json!({ "url": url }), &url)
}
