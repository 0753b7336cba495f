//! `pagefold events list|tail|show`: the log, filtered and rendered.

use crate::names::{self, Names};
use crate::render::{self, Format};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use events::{Recorded, SiteId};
use futures::StreamExt;
use runtime::{Entry, Log};
use std::io::Write;
use uuid::Uuid;

/// What to do with the log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print facts that are in the log, oldest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// Print facts after this sequence
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// Print at most so many
        #[arg(long, default_value_t = 1000)]
        limit: usize,
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

/// Which facts.
#[derive(Debug, Clone, Default, Args)]
pub struct Filter {
    /// Only facts about one aggregate: `host/docs`, `build/<id>`, `alias/<site id>/live`, or a kind alone: `build`
    #[arg(long)]
    subject: Option<String>,
    /// Only facts of one site, by its name or its id
    #[arg(long)]
    site: Option<String>,
    /// Only facts of one story
    #[arg(long)]
    correlation: Option<Uuid>,
}

/// Prints the facts that a filter takes, each with what its site is called.
struct Printer<'a> {
    filter: Filter,
    site: Option<SiteId>,
    format: Format,
    names: Names<'a>,
    out: &'a mut (dyn Write + Send),
}

impl Filter {
    fn takes(&self, recorded: &Recorded) -> bool {
        let about = self.subject.as_deref().is_none_or(|wanted| {
            let (kind, id) = wanted.split_once('/').map_or((wanted, None), |(kind, id)| (kind, Some(id)));
            kind == recorded.event.aggregate() && id.is_none_or(|id| id == recorded.envelope.subject)
        });
        about && self.correlation.is_none_or(|story| story == recorded.envelope.correlation)
    }
}

/// Runs a command and prints to `out`.
///
/// # Errors
/// If the log cannot be read, the fact or the site does not exist, or `out` is closed.
pub async fn run(log: &Log, command: Command, out: &mut (dyn Write + Send)) -> Result<()> {
    match command {
        Command::List { filter, after, limit, format } => {
            let end = log.last_sequence().await?;
            let mut printer = Printer::new(log, filter, format, out).await?;
            let (mut entries, mut printed, mut position) = (log.follow(after), 0, after);
            while position < end && printed < limit {
                let Some(entry) = entries.next().await else { break };
                position = entry.sequence;
                printed += usize::from(printer.print(&entry).await?);
            }
            Ok(())
        }
        Command::Tail { filter, after, format } => {
            let end = log.last_sequence().await?;
            let mut printer = Printer::new(log, filter, format, out).await?;
            let mut entries = log.follow(after.unwrap_or(end));
            while let Some(entry) = entries.next().await {
                printer.print(&entry).await?;
                printer.out.flush()?;
            }
            Ok(())
        }
        Command::Show { fact, format } => {
            let recorded = find(log, &fact).await?.with_context(|| format!("there is no fact `{fact}` in the log"))?;
            let name = Names::new(log).of(&recorded).await?;
            writeln!(out, "{}", render::fact(&recorded, name.as_deref(), format))?;
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

    async fn print(&mut self, entry: &Entry) -> Result<bool> {
        match &entry.fact {
            Ok(recorded) if self.takes(recorded) => {
                let name = self.names.of(recorded).await?;
                writeln!(self.out, "{}", render::fact(recorded, name.as_deref(), self.format))?;
            }
            Ok(_) => return Ok(false),
            Err(error) => writeln!(self.out, "{}", render::unreadable(entry.sequence, error, self.format))?,
        }
        Ok(true)
    }

    fn takes(&self, recorded: &Recorded) -> bool {
        (self.site.is_none() || self.site == recorded.site()) && self.filter.takes(recorded)
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
