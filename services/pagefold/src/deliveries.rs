//! `pagefold deliveries`: webhooks that came for nobody or were refused.

use crate::access::Access;
use anyhow::Result;
use clap::Subcommand;
use ctl::Print;
use ctl::print::say;
use serde_json::{Value, json};

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Those that may be seen, newest first, each with its reason
    List,
    /// Deliver one again to the sites that are built from its repository by now
    Redeliver {
        /// What the list calls it
        id: u64,
    },
}

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let (api, print) = (access.api()?, access.print());
    match command {
        Command::List => list(&api.all("/deliveries").await?, print),
        Command::Redeliver { id } => {
            let answer = api.post(&format!("/deliveries/{id}/redeliver"), json!({})).await?;
            if print == Print::Programs {
                return print.one(&answer, "");
            }
            for build in answer["builds"].as_array().into_iter().flatten() {
                say(&format!("build {} is asked for", text(build, "")))?;
            }
            Ok(())
        }
    }
}

fn list(strays: &[Value], print: Print) -> Result<()> {
    if print == Print::Programs {
        return print.list(strays, &[]);
    }
    for stray in strays {
        let (at, event, reason) = (&stray["received_at"], &stray["event"], &stray["reason"]);
        let about = format!("{} {}", text(&stray["repository"], "–"), text(&stray["branch"], ""));
        let (at, event, reason) = (text(at, ""), text(event, "?"), text(reason, ""));
        say(format!("{:>6}  {at}  {event:<6} {reason:<18} {about}", stray["id"]).trim_end())?;
    }
    Ok(())
}

fn text<'a>(value: &'a Value, otherwise: &'a str) -> &'a str {
    value.as_str().filter(|text| !text.is_empty()).unwrap_or(otherwise)
}
