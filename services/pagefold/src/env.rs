//! `pagefold env`: what the builds of a site are given in their environment. A value is read from the standard input, never
//! from an argument, which every user of a machine can see.

use crate::access::Access;
use anyhow::{Context as _, Result};
use clap::{Subcommand, ValueEnum};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::io::{IsTerminal, Read};

/// What to do with variables.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the variables of a site, without their values
    List {
        /// Its name or its id
        site: String,
    },
    /// Set a variable; its value is asked for, or read from the standard input
    Set {
        /// The name or the id of the site
        site: String,
        /// What the variable is called
        name: String,
        /// Only for builds of this kind; may be given several times
        #[arg(long)]
        context: Vec<Context>,
    },
    /// Remove a variable
    Unset {
        /// The name or the id of the site
        site: String,
        /// What the variable is called
        name: String,
    },
}

/// What a build is made for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Context {
    Live,
    Demo,
    Preview,
}

impl Context {
    const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Demo => "demo",
            Self::Preview => "preview",
        }
    }
}

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let (api, print) = (access.api()?, access.print());
    match command {
        Command::List { site } => {
            let variables = api.all(&format!("/sites/{site}/variables")).await?;
            print.list(&variables, &["name", "contexts", "updated_at", "updated_by"])
        }
        Command::Set { site, name, context } => {
            let mut body = json!({ "value": value(&name)?.expose_secret() });
            if !context.is_empty() {
                body["contexts"] = context.iter().map(|context| context.word()).collect();
            }
            api.put(&format!("/sites/{site}/variables/{name}"), body).await?;
            print.one(&json!({ "name": name }), &format!("builds of {site} have {name} from now on"))
        }
        Command::Unset { site, name } => {
            api.delete(&format!("/sites/{site}/variables/{name}")).await?;
            print.one(&json!({ "name": name }), &format!("builds of {site} have {name} no more"))
        }
    }
}

/// What is typed, unseen, or comes through a pipe; the line end after it is no part of it.
pub(crate) fn value(name: &str) -> Result<SecretString> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Ok(rpassword::prompt_password(format!("{name}: ")).context("cannot read the value")?.into());
    }
    let mut text = String::new();
    stdin.lock().read_to_string(&mut text).context("cannot read the value")?;
    let value = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(value.into())
}
