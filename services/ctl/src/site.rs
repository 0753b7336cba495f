//! `pagefold site show NAME|ID --at TIME|SEQUENCE`: a site as it was, folded from the log to that point. A name means the
//! site that held it then.

use anyhow::{Result, bail};
use clap::Subcommand;
use events::{Aggregate, Alias, AliasEvent, AliasName, BuildEvent, Event, Host, Outcome, Recorded, Site, SiteId};
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
        /// Its name or its id
        site: String,
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

/// All sites at a point in the log, and the hosts that name them.
#[derive(Debug, Default)]
struct Sites {
    hosts: BTreeMap<String, Host>,
    views: BTreeMap<SiteId, View>,
}

impl Sites {
    fn apply(&mut self, recorded: Recorded) {
        let subject = &recorded.envelope.subject;
        if let Event::Host(fact) = &recorded.event {
            let host = self.hosts.entry(subject.clone()).or_default();
            *host = host.evolve(fact);
        }
        if let Some(site) = recorded.site() {
            self.views.entry(site).or_default().apply(recorded);
        }
    }

    fn find(&self, site: &str) -> Option<&View> {
        let id = site.parse().ok().or_else(|| self.hosts.get(site)?.site())?;
        self.views.get(&id)
    }
}

impl View {
    fn apply(&mut self, recorded: Recorded) {
        match &recorded.event {
            Event::Site(fact) => self.site = std::mem::take(&mut self.site).evolve(fact),
            Event::Alias(fact @ (AliasEvent::Promoted { alias, .. } | AliasEvent::Removed { alias, .. })) => {
                let state = self.aliases.entry(alias.clone()).or_default();
                *state = std::mem::take(state).evolve(fact);
            }
            Event::Build(BuildEvent::Queued { .. }) => self.builds += 1,
            Event::Build(BuildEvent::Finished { outcome: Outcome::Success, .. }) => self.succeeded += 1,
            Event::Build(_)
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::Host(_)
            | Event::Deploy(_)
            | Event::Repository(_) => {}
        }
        self.last = Some(recorded);
    }
}

/// Runs a command and prints to `out`.
///
/// # Errors
/// If the log cannot be read or there was no such site then.
pub async fn run(log: &Log, Command::Show { site, at }: Command, out: &mut (dyn Write + Send)) -> Result<()> {
    let end = log.last_sequence().await?;
    let (mut entries, mut position, mut sites) = (log.follow(0), 0, Sites::default());
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
            sites.apply(recorded);
        }
    }
    match sites.find(&site) {
        Some(view) => print(&site, view, out),
        None => bail!("there was no site `{site}` then"),
    }
}

fn print(asked: &str, view: &View, out: &mut (dyn Write + Send)) -> Result<()> {
    let active = match &view.site {
        Site::Unknown => bail!("there was no site `{asked}` then"),
        Site::Deleted => {
            writeln!(out, "{asked} is deleted")?;
            return Ok(());
        }
        Site::Active(active) => active,
    };
    writeln!(out, "{}, of organization {}", active.name, active.organization)?;
    writeln!(out, "  source   {} `{}`", active.settings.repository, active.settings.branch)?;
    writeln!(out, "  builds   {}, {} succeeded", view.builds, view.succeeded)?;
    for (alias, state) in &view.aliases {
        let shows = state.deploy.as_ref().map_or("nothing", |deploy| deploy.as_str());
        writeln!(out, "  {:<8} {shows}", alias.to_string())?;
    }
    if let Some(last) = &view.last {
        let time = last.envelope.time.format(&Rfc3339)?;
        writeln!(out, "  last     fact {} at {time}: {}", last.sequence, last.sentence())?;
    }
    Ok(())
}
