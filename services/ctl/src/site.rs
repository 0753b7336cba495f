//! `pagefold site show NAME|ID --at TIME|SEQUENCE`: a site as it was, folded from the log to that point. A name means the
//! site that held it then.

use anyhow::{Result, anyhow, bail};
use clap::Subcommand;
use events::{Aggregate, Alias, AliasEvent, AliasName, BuildEvent, Event, Host, Outcome, Recorded, Site, SiteId};
use futures::StreamExt;
use runtime::{Log, codec};
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

/// Facts that this version cannot read: any of them may be about the site that is asked for.
#[derive(Debug, Default)]
struct Unread(BTreeMap<String, Vec<u64>>);

/// Facts of one kind that are named one by one.
const NAMED_MAX: usize = 10;

impl Unread {
    fn note(&mut self, sequence: u64, error: &codec::Error) {
        let why = match error.unknown_type() {
            Some(type_name) => format!("`{type_name}`, of a newer version"),
            None => error.to_string(),
        };
        self.0.entry(why).or_default().push(sequence);
    }

    /// A line for each kind.
    fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(why, sequences)| {
            let named: Vec<String> = sequences.iter().take(NAMED_MAX).map(ToString::to_string).collect();
            let more = match sequences.len().saturating_sub(NAMED_MAX) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("  {why}: fact {}{more}", named.join(", "))
        })
    }
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
    let (mut unread, mut within) = (Unread::default(), true);
    while position < end {
        let Some(entry) = entries.next().await else { break };
        position = entry.sequence;
        // What cannot be read has no time: it stands where the one before it stands.
        within = match (at, &entry.fact) {
            (None, _) => true,
            (Some(At::Sequence(last)), _) => entry.sequence <= last,
            (Some(At::Time(last)), Ok(recorded)) => recorded.envelope.time <= last,
            (Some(At::Time(_)), Err(_)) => within,
        };
        match entry.fact {
            Ok(recorded) if within => sites.apply(recorded),
            Err(error) if within => unread.note(entry.sequence, &error),
            Ok(_) | Err(_) => {}
        }
    }
    let found = match sites.find(&site) {
        Some(view) => print(&site, view, out),
        None => Err(anyhow!("there was no site `{site}` then")),
    };
    let lines: Vec<String> = unread.lines().collect();
    if lines.is_empty() {
        return found;
    }
    let told = format!("facts that may be about it and that this version cannot read:\n{}", lines.join("\n"));
    found.map_err(|error| anyhow!("{error:#}; {told}"))?;
    writeln!(out, "{told}")?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use ::events::DecodeError;

    #[test]
    fn facts_that_cannot_be_read_are_said_by_kind() {
        let mut unread = Unread::default();
        for sequence in 3..16 {
            unread.note(sequence, &codec::Error::Payload(DecodeError::UnknownType("site.moved.v1".to_owned())));
        }
        unread.note(20, &codec::Error::Absent);
        let lines: Vec<String> = unread.lines().collect();
        assert_eq!(lines[0], "  `site.moved.v1`, of a newer version: fact 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 3 more");
        assert_eq!(lines[1], "  the log has nothing here: fact 20");
    }
}
