//! `pagefold events list|tail|show`: the log, filtered and rendered.

mod filter;
mod list;

use crate::names::{self, Names};
use crate::print::Print;
use crate::render::{self, Format};
use anyhow::{Context, Result};
use clap::Subcommand;
use events::{Recorded, SiteId};
pub use filter::Filter;
use futures::StreamExt;
pub use list::Range;
use runtime::{Entry, Log};
use std::io::Write;
use uuid::Uuid;

/// What to do with the log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print facts that are in the log, newest first, and say which were left out
    List {
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        range: Range,
        /// How to print them
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print facts as they happen, until interrupted
    Tail {
        #[command(flatten)]
        filter: Filter,
        /// Start after this sequence instead of at the end
        #[arg(long)]
        after: Option<u64>,
        /// How to print them
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print one fact, whole
    Show {
        /// Its sequence or its id
        fact: String,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Json)]
        format: Format,
    },
}

/// Prints the facts that a filter takes, each with what its site is called.
struct Printer<'a> {
    filter: Filter,
    site: Option<SiteId>,
    format: Format,
    names: Names<'a>,
    out: &'a mut (dyn Write + Send),
}

/// Runs a command and prints to `out`.
///
/// # Errors
/// If the log cannot be read, the fact or the site does not exist, or `out` is closed.
pub async fn run(log: &Log, command: Command, print: Print, out: &mut (dyn Write + Send)) -> Result<()> {
    let wanted = |format| if print == Print::Programs { Format::Json } else { format };
    match command {
        Command::List { filter, range, format } => {
            let printer = Printer::new(log, filter, wanted(format), out).await?;
            list::newest_first(log, &range, printer).await
        }
        Command::Tail { filter, after, format } => {
            let end = log.last_sequence().await?;
            let mut printer = Printer::new(log, filter, wanted(format), out).await?;
            let mut entries = log.follow(after.unwrap_or(end));
            while let Some(entry) = entries.next().await {
                if printer.takes(&entry) {
                    printer.print(&entry).await?;
                    printer.out.flush()?;
                }
            }
            Ok(())
        }
        Command::Show { fact, format } => {
            let recorded = find(log, &fact).await?.with_context(|| format!("there is no fact `{fact}` in the log"))?;
            let name = Names::new(log).of(&recorded).await?;
            writeln!(out, "{}", render::fact(&recorded, name.as_deref(), wanted(format)))?;
            Ok(())
        }
    }
}

impl<'a> Printer<'a> {
    async fn new(log: &'a Log, filter: Filter, format: Format, out: &'a mut (dyn Write + Send)) -> Result<Self> {
        let site = match &filter.site {
            Some(site) => Some(names::find(log, site).await?.with_context(|| format!("there is no site `{site}`"))?),
            None => None,
        };
        Ok(Self { filter, site, format, names: Names::new(log), out })
    }

    /// Whether an entry is asked for. What cannot be read may be what is asked for.
    fn takes(&self, entry: &Entry) -> bool {
        match &entry.fact {
            Ok(recorded) => (self.site.is_none() || self.site == recorded.site()) && self.filter.takes(recorded),
            Err(_) => true,
        }
    }

    async fn print(&mut self, entry: &Entry) -> Result<()> {
        match &entry.fact {
            Ok(recorded) => {
                let name = self.names.of(recorded).await?;
                writeln!(self.out, "{}", render::fact(recorded, name.as_deref(), self.format))?;
            }
            Err(error) => writeln!(self.out, "{}", render::unreadable(entry.sequence, error, self.format))?,
        }
        Ok(())
    }
}

async fn find(log: &Log, wanted: &str) -> Result<Option<Recorded>> {
    if let Ok(sequence) = wanted.parse() {
        return Ok(log.fact(sequence).await?);
    }
    let id: Uuid = wanted.parse().with_context(|| format!("`{wanted}` is neither a sequence nor an id"))?;
    let end = log.last_sequence().await?;
    let (mut entries, mut position) = (log.follow(0), 0);
    while position < end {
        let Some(entry) = entries.next().await else { break };
        position = entry.sequence;
        if let Ok(recorded) = entry.fact
            && recorded.envelope.id == id
        {
            return Ok(Some(recorded));
        }
    }
    Ok(None)
}
