//! `pagefold site show NAME --at TIME|SEQUENCE`: a site as it was, folded from the log to that point.

use anyhow::{Result, bail};
use clap::Subcommand;
use events::{Aggregate, Alias, AliasEvent, AliasName, BuildEvent, Event, Outcome, Recorded, Site, SiteName};
use futures::StreamExt;
use runtime::Log;
use std::collections::BTreeMap;
use std::io::Write;
use std::str::FromStr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What to do with a site.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a site as it is, or as it was
    Show {
        /// Its name
        site: SiteName,
        /// A sequence of the log, or a time such as 2026-03-04T05:06:07Z; the present if absent
        #[arg(long)]
        at: Option<At>,
    },
}

/// A point in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Up to and with this sequence.
    Sequence(u64),
    /// Up to and with this moment.
    Time(OffsetDateTime),
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(sequence) = text.parse() {
            return Ok(Self::Sequence(sequence));
        }
        let time = OffsetDateTime::parse(text, &Rfc3339);
        time.map(Self::Time).map_err(|_| format!("`{text}` is neither a sequence nor an RFC 3339 time"))
    }
}

/// A site at a point in the log: a fold over the same aggregates that decide.
#[derive(Debug, Default)]
struct View {
    site: Site,
    aliases: BTreeMap<AliasName, Alias>,
    builds: u64,
    succeeded: u64,
    last: Option<Recorded>,
}

impl View {
    fn apply(&mut self, name: &SiteName, recorded: Recorded) {
        let about = match &recorded.event {
            Event::Site(_) => recorded.envelope.subject == name.as_str(),
            Event::Alias(AliasEvent::Promoted { site, .. } | AliasEvent::Removed { site, .. }) => site == name,
            Event::Build(fact) => build_site(fact) == name,
            Event::Deploy(_) | Event::Repository(_) => false,
        };
        if !about {
            return;
        }
        match &recorded.event {
            Event::Site(fact) => self.site = std::mem::take(&mut self.site).evolve(fact),
            Event::Alias(fact @ (AliasEvent::Promoted { alias, .. } | AliasEvent::Removed { alias, .. })) => {
                let state = self.aliases.entry(alias.clone()).or_default();
                *state = std::mem::take(state).evolve(fact);
            }
            Event::Build(BuildEvent::Queued { .. }) => self.builds += 1,
            Event::Build(BuildEvent::Finished { outcome: Outcome::Success, .. }) => self.succeeded += 1,
            Event::Build(_) | Event::Deploy(_) | Event::Repository(_) => {}
        }
        self.last = Some(recorded);
    }
}

const fn build_site(fact: &BuildEvent) -> &SiteName {
    match fact {
        BuildEvent::Queued { site, .. }
        | BuildEvent::Dispatched { site }
        | BuildEvent::Started { site, .. }
        | BuildEvent::Finished { site, .. }
        | BuildEvent::Canceled { site, .. }
        | BuildEvent::LogArchived { site, .. } => site,
    }
}

/// Runs a command and prints to `out`.
///
/// # Errors
/// If the log cannot be read or there was no such site then.
pub async fn run(log: &Log, Command::Show { site, at }: Command, out: &mut (dyn Write + Send)) -> Result<()> {
    let end = log.last_sequence().await?;
    let (mut entries, mut position, mut view) = (log.follow(0), 0, View::default());
    while position < end {
        let Some(entry) = entries.next().await else { break };
        position = entry.sequence;
        let Ok(recorded) = entry.fact else { continue };
        let within = match at {
            None => true,
            Some(At::Sequence(last)) => recorded.sequence <= last,
            Some(At::Time(last)) => recorded.envelope.time <= last,
        };
        if within {
            view.apply(&site, recorded);
        }
    }
    print(&site, &view, out)
}

fn print(name: &SiteName, view: &View, out: &mut (dyn Write + Send)) -> Result<()> {
    let settings = match &view.site {
        Site::Unknown => bail!("there was no site `{name}` then"),
        Site::Deleted => {
            writeln!(out, "{name} is deleted")?;
            return Ok(());
        }
        Site::Active(settings) => settings,
    };
    writeln!(out, "{name}, of {}", settings.organization)?;
    writeln!(out, "  source   {} `{}`", settings.repository, settings.branch)?;
    writeln!(out, "  builds   {}, {} succeeded", view.builds, view.succeeded)?;
    for (alias, state) in &view.aliases {
        let shows = state.deploy.as_ref().map_or("nothing", |deploy| deploy.as_str());
        writeln!(out, "  {:<8} {shows}", alias.to_string())?;
    }
    if let Some(last) = &view.last {
        let time = last.envelope.time.format(&Rfc3339)?;
        writeln!(out, "  last     fact {} at {time}: {}", last.sequence, last.event.sentence())?;
    }
    Ok(())
}
