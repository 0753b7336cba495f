//! `pagefold organization show NAME|ID --at TIME|SEQUENCE`: an organization as it was, folded from the log to that point. A
//! name means the organization that held it then.

use crate::past::{self, At};
use crate::print::Print;
use anyhow::{Result, anyhow};
use clap::Subcommand;
use events::{Aggregate, Event, Handle, Organization, OrganizationId, OrganizationName, Recorded, Site, SiteId};
use runtime::Log;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use time::format_description::well_known::Rfc3339;

/// What to do with an organization.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print an organization as it is, or as it was
    Show {
        /// Its name or its id
        organization: String,
        /// A sequence of the log, or a time such as 2026-03-04T05:06:07Z; the present if absent
        #[arg(long)]
        at: Option<At>,
    },
}

/// All organizations at a point in the log, and the handles that name them.
#[derive(Debug, Default)]
pub(crate) struct Organizations {
    handles: BTreeMap<String, Handle>,
    known: BTreeMap<OrganizationId, Known>,
}

#[derive(Debug, Default)]
struct Known {
    state: Organization,
    last: Option<Recorded>,
}

impl Organizations {
    pub(crate) fn apply(&mut self, recorded: &Recorded) {
        let subject = &recorded.envelope.subject;
        match &recorded.event {
            Event::Handle(fact) => {
                let handle = self.handles.entry(subject.clone()).or_default();
                *handle = handle.evolve(fact);
            }
            Event::Organization(fact) => {
                let Ok(id) = subject.parse() else { return };
                let known = self.known.entry(id).or_default();
                known.state = std::mem::take(&mut known.state).evolve(fact);
                known.last = Some(recorded.clone());
            }
            Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Site(_)
            | Event::Host(_)
            | Event::Route(_)
            | Event::Domain(_)
            | Event::Repository(_)
            | Event::Build(_)
            | Event::Deploy(_)
            | Event::Alias(_) => {}
        }
    }

    /// What it is called.
    pub(crate) fn name_of(&self, id: OrganizationId) -> Option<&OrganizationName> {
        match &self.known.get(&id)?.state {
            Organization::Active(active) => Some(&active.name),
            Organization::Unknown => None,
        }
    }

    fn find(&self, organization: &str) -> Option<OrganizationId> {
        organization.parse().ok().or_else(|| match self.handles.get(organization)? {
            Handle::Claimed(id) => Some(*id),
            Handle::Free => None,
        })
    }
}

/// Runs a command and prints to `out`.
///
/// # Errors
/// If the log cannot be read or there was no such organization then.
pub async fn run(log: &Log, command: Command, print: Print, out: &mut (dyn Write + Send)) -> Result<()> {
    let Command::Show { organization, at } = command;
    let (mut organizations, mut sites) = (Organizations::default(), BTreeMap::<SiteId, Site>::new());
    let unread = past::read(log, at, |recorded| {
        organizations.apply(&recorded);
        if let (Event::Site(fact), Some(id)) = (&recorded.event, recorded.site()) {
            let site = sites.entry(id).or_default();
            *site = std::mem::take(site).evolve(fact);
        }
    })
    .await?;
    let found = match organizations.find(&organization) {
        Some(id) => tell(id, &organizations, &sites, print, out),
        None => Err(none(&organization)),
    };
    unread.told_after(found, print, out)
}

fn tell(
    id: OrganizationId,
    organizations: &Organizations,
    sites: &BTreeMap<SiteId, Site>,
    print: Print,
    out: &mut (dyn Write + Send),
) -> Result<()> {
    let name = organizations.name_of(id).ok_or_else(|| none(&id.to_string()))?;
    let mut owned: Vec<&str> = sites
        .values()
        .filter_map(|site| match site {
            Site::Active(active) if active.organization == id => Some(active.name.as_str()),
            Site::Active(_) | Site::Unknown | Site::Deleted(_) | Site::Erased(_) => None,
        })
        .collect();
    owned.sort_unstable();
    let last = organizations.known.get(&id).and_then(|known| known.last.as_ref());
    if print == Print::Programs {
        let at = last.map(|last| last.sequence);
        return Ok(writeln!(out, "{}", json!({ "id": id, "name": name, "sites": owned, "at": at }))?);
    }
    writeln!(out, "{name}, {id}")?;
    let owned = if owned.is_empty() { "none".to_owned() } else { owned.join(", ") };
    writeln!(out, "  sites    {owned}")?;
    if let Some(last) = last {
        let time = last.envelope.time.format(&Rfc3339)?;
        writeln!(out, "  last     fact {} at {time}: {}", last.sequence, last.sentence())?;
    }
    Ok(())
}

fn none(asked: &str) -> anyhow::Error {
    anyhow!("there was no organization `{asked}` then")
}
