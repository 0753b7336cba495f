//! `pagefold site show NAME|ID --at TIME|SEQUENCE`: a site as it was, folded from the log to that point. A name means the
//! site that held it then.

use crate::organization::Organizations;
use crate::past::{self, At};
use crate::print::Print;
use anyhow::{Result, anyhow, bail};
use clap::Subcommand;
use events::{Aggregate, Alias, AliasEvent, AliasName, BuildEvent, Event, Host, Outcome, Recorded, Site, SiteId};
use runtime::Log;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
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
    organizations: Organizations,
    views: BTreeMap<SiteId, View>,
}

impl Sites {
    fn apply(&mut self, recorded: Recorded) {
        let subject = &recorded.envelope.subject;
        self.organizations.apply(&recorded);
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
            Event::Alias(
                fact @ (AliasEvent::Promoted { alias, .. }
                | AliasEvent::Removed { alias, .. }
                | AliasEvent::Locked { alias, .. }
                | AliasEvent::Unlocked { alias, .. }),
            ) => {
                let state = self.aliases.entry(alias.clone()).or_default();
                *state = std::mem::take(state).evolve(fact);
            }
            Event::Build(BuildEvent::Queued { .. }) => self.builds += 1,
            Event::Build(BuildEvent::Finished { outcome: Outcome::Success, .. }) => self.succeeded += 1,
            Event::Build(_)
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Host(_)
            | Event::Route(_)
            | Event::Domain(_)
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
pub async fn run(log: &Log, command: Command, print: Print, out: &mut (dyn Write + Send)) -> Result<()> {
    let Command::Show { site, at } = command;
    let mut sites = Sites::default();
    let unread = past::read(log, at, |recorded| sites.apply(recorded)).await?;
    let found = match sites.find(&site) {
        Some(view) if print == Print::Programs => json(&site, view, out),
        Some(view) => lines(&site, view, &sites.organizations, out),
        None => Err(anyhow!("there was no site `{site}` then")),
    };
    unread.told_after(found, print, out)
}

fn lines(asked: &str, view: &View, organizations: &Organizations, out: &mut (dyn Write + Send)) -> Result<()> {
    let active = match &view.site {
        Site::Unknown => bail!("there was no site `{asked}` then"),
        Site::Deleted(_) => {
            writeln!(out, "{asked} is deleted, and can be restored")?;
            return Ok(());
        }
        Site::Erased(_) => {
            writeln!(out, "{asked} is deleted for good")?;
            return Ok(());
        }
        Site::Active(active) => active,
    };
    let owner = active.organization;
    let called = organizations.name_of(owner).map_or_else(String::new, |name| format!("{name}, "));
    writeln!(out, "{}, of organization {called}{owner}", active.name)?;
    writeln!(out, "  source   {} `{}`", active.settings.repository, active.settings.branch)?;
    writeln!(out, "  builds   {}, {} succeeded", view.builds, view.succeeded)?;
    for told in active.settings.building.told().into_iter().chain(active.settings.serving.told()) {
        writeln!(out, "           {told}")?;
    }
    for (alias, state) in &view.aliases {
        let shows = state.deploy.as_ref().map_or("nothing", |deploy| deploy.as_str());
        let locked = state.locked.as_ref().map(|reason| format!(", locked: {reason}")).unwrap_or_default();
        writeln!(out, "  {:<8} {shows}{locked}", alias.to_string())?;
    }
    if let Some(last) = &view.last {
        let time = last.envelope.time.format(&Rfc3339)?;
        writeln!(out, "  last     fact {} at {time}: {}", last.sequence, last.sentence())?;
    }
    Ok(())
}

fn json(asked: &str, view: &View, out: &mut (dyn Write + Send)) -> Result<()> {
    let last = view.last.as_ref().map(|last| last.sequence);
    let told = match &view.site {
        Site::Unknown => bail!("there was no site `{asked}` then"),
        Site::Deleted(_) | Site::Erased(_) => {
            json!({ "organization_id": view.site.organization(), "deleted": true, "at": last })
        }
        Site::Active(active) => {
            let shown = |(alias, state): (&AliasName, &Alias)| json!({ "alias": alias, "deploy": state.deploy, "locked": state.locked });
            json!({
                "name": active.name,
                "organization_id": active.organization,
                "settings": active.settings,
                "builds": view.builds,
                "succeeded": view.succeeded,
                "aliases": view.aliases.iter().map(shown).collect::<Vec<_>>(),
                "deleted": false,
                "at": last,
            })
        }
    };
    Ok(writeln!(out, "{told}")?)
}
