//! `pagefold parked list|retry|drop`: what a consumer could not handle.

use crate::print::Print;
use anyhow::Result;
use clap::Subcommand;
use runtime::{Connection, parked};
use std::io::Write;
use time::format_description::well_known::Rfc3339;

/// What to do with the shelf.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print what is on the shelf, oldest first
    List,
    /// Give a parked fact to its consumer again
    Retry {
        /// Its id in the list
        id: u64,
    },
    /// Take a parked fact off the shelf for good; it stays in the log
    Drop {
        /// Its id in the list
        id: u64,
    },
}

/// Runs a command and prints to `out`.
///
/// # Errors
/// If the shelf cannot be reached or there is nothing under the id.
pub async fn run(connection: &Connection, command: Command, print: Print, out: &mut (dyn Write + Send)) -> Result<()> {
    let json = print == Print::Programs;
    match command {
        Command::List => {
            let shelf = parked::list(connection).await?;
            if shelf.is_empty() && !json {
                writeln!(out, "nothing is parked")?;
            }
            for parked in shelf {
                if json {
                    writeln!(out, "{}", serde_json::to_string(&parked)?)?;
                } else {
                    let parked::Parked { id, consumer, sequence, event_type, reason, deliveries, parked_at, .. } =
                        parked;
                    let time = parked_at.format(&Rfc3339)?;
                    writeln!(
                        out,
                        "{id:>4}  {time}  {consumer}: fact {sequence} ({event_type}), tried {deliveries} times"
                    )?;
                    writeln!(out, "      {reason}")?;
                }
            }
        }
        Command::Retry { id } => {
            let parked = parked::retry(connection, id).await?;
            if json {
                writeln!(out, "{}", serde_json::to_string(&parked)?)?;
            } else {
                writeln!(out, "{} gets fact {} again", parked.consumer, parked.sequence)?;
            }
        }
        Command::Drop { id } => {
            let parked = parked::discard(connection, id).await?;
            if json {
                writeln!(out, "{}", serde_json::to_string(&parked)?)?;
            } else {
                writeln!(out, "fact {} is off the shelf of {}; it stays in the log", parked.sequence, parked.consumer)?;
            }
        }
    }
    Ok(())
}
