//! Webhooks that came for nobody or were refused. What was told of each is kept for a while, so that whoever wonders why nothing
//! happened finds the reason; bodies are not kept, and nobody can fill the room of others.

use crate::app::Shared;
use crate::commands;
use crate::github::{self, Told};
use crate::problem::Problem;
use crate::view::View;
use events::repository::{Change, Delivery};
use events::{Branch, CommitId, OrganizationId, PullRequest, RepositoryUrl, SiteId};
use projections::Sight;
use projections::sites::SiteRow;
use runtime::strays::{self, Place};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;
use time::OffsetDateTime;

/// Organizations that one delivery is kept for at most.
const OWNERS_MAX: usize = 10;
/// Sites that are looked at to find them.
const SITES_MAX: u32 = 100;
/// How long an answer waits until one is kept.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a webhook led to nothing: the code of a problem, or one of these.
pub(crate) const NO_SITE: &str = "no_site";
pub(crate) const OTHER_REPOSITORY: &str = "other_repository";

/// What is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// What its sender calls it, and what kind it is; empty if it did not say.
    pub(crate) delivery: String,
    pub(crate) event: String,
    pub(crate) repository: Option<RepositoryUrl>,
    pub(crate) branch: Option<Branch>,
    pub(crate) commit: Option<CommitId>,
    /// The site whose address it came to, or whose secret signed it.
    pub(crate) site: Option<SiteId>,
    pub(crate) reason: String,
    pub(crate) detail: String,
}

/// A stray delivery as people see it.
#[derive(Debug, Clone)]
pub(crate) struct Stray {
    pub(crate) id: u64,
    pub(crate) owner: Option<OrganizationId>,
    pub(crate) is_signed: bool,
    pub(crate) received_at: OffsetDateTime,
    pub(crate) note: Note,
    /// The sites that it is for by now.
    pub(crate) sites: Vec<SiteRow>,
}

impl Note {
    /// What can be said of a delivery that nobody waits for.
    fn of(delivery: &Delivery, reason: &str, detail: String) -> Self {
        let commit = match &delivery.change {
            Change::Pushed { commit, .. } => Some(commit.clone()),
            Change::Deleted => None,
        };
        let pull = delivery.pull_request.as_ref();
        // The tip of a fork's branch is not to be had from the repository.
        let branch = Some(&delivery.branch).filter(|_| !pull.is_some_and(PullRequest::is_of_fork));
        Self {
            delivery: delivery.id.clone(),
            event: if pull.is_some() { github::PULL_REQUEST } else { github::PUSH }.to_owned(),
            repository: Some(delivery.repository.clone()),
            branch: branch.cloned(),
            commit,
            site: delivery.site,
            reason: reason.to_owned(),
            detail,
        }
    }
}

impl Stray {
    fn of(kept: &strays::Stray) -> Option<Self> {
        let note = serde_json::from_slice(&kept.text).ok()?;
        let Place { owner, is_signed } = kept.place;
        // The log keeps it to the nanosecond, facts are told to the millisecond.
        let received_at = kept.received_at.truncate_to_millisecond();
        Some(Self { id: kept.id, owner, is_signed, received_at, note, sites: Vec::new() })
    }

    /// The repository whose branch can be built because of it, once there is a site for it: what is not signed may be
    /// anybody's words.
    fn source(&self) -> Option<String> {
        let Note { repository, commit, .. } = &self.note;
        repository.as_ref().filter(|_| self.is_signed && commit.is_some()).map(RepositoryUrl::canonical)
    }
}

/// Keeps that a delivery was refused: so many of one address, and nothing that is our own fault.
pub(crate) async fn refused(app: &Shared, client: IpAddr, told: &Told, problem: &Problem) {
    let (code, status, _) = problem.kind();
    let is_theirs = status.is_client_error() && problem.retry_after().is_none();
    if !is_theirs || app.refused_deliveries.wait(client).is_some() {
        return;
    }
    app.refused_deliveries.wrong(client);
    let note = Note {
        delivery: told.delivery.clone(),
        event: told.event.clone(),
        repository: told.repository.clone(),
        branch: None,
        commit: None,
        site: told.site,
        reason: code.to_owned(),
        detail: problem.to_string(),
    };
    for owner in owners(app, told).await {
        keep(app, Place { owner, is_signed: false }, &note).await;
    }
}

/// The organizations that a delivery claims to be for; none in their place if that cannot be told.
async fn owners(app: &Shared, told: &Told) -> Vec<Option<OrganizationId>> {
    let mut owners = BTreeSet::new();
    if let Some(site) = told.site {
        owners.extend(app.owner_of(site).await.ok().flatten());
    } else if let Some(repository) = &told.repository {
        let sites = commands::soon(app.model.sites_from(repository, SITES_MAX)).await.unwrap_or_default();
        owners.extend(sites.into_iter().map(|site| site.organization));
    }
    if owners.is_empty() { vec![None] } else { owners.into_iter().take(OWNERS_MAX).map(Some).collect() }
}

/// Looks whether a delivery that was recorded at `sequence` is for somebody, and keeps it if it is not. Nobody waits for that, and
/// of a crowd some are not looked at: the read model is there for others too.
pub(crate) fn look(app: &Shared, delivery: Delivery, sequence: u64) {
    let Some(place) = app.looks.queue() else { return };
    let app = Shared::clone(app);
    tokio::spawn(async move {
        let _place = place;
        let Some(_turn) = app.looks.turn().await else { return };
        commands::shown(&app, sequence).await;
        let note = |reason, detail| Note::of(&delivery, reason, detail);
        let kept = match delivery.site {
            Some(id) => match commands::soon(app.model.site(id)).await.flatten() {
                Some(site) if site.settings.repository.canonical() != delivery.repository.canonical() => {
                    let detail = format!("`{}` is built from {}", site.name, site.settings.repository);
                    Some((Some(site.organization), note(OTHER_REPOSITORY, detail)))
                }
                Some(_) | None => None,
            },
            None => match commands::soon(app.model.sites_from(&delivery.repository, 1)).await {
                Some(sites) if sites.is_empty() => {
                    Some((None, note(NO_SITE, "no site is built from this repository".to_owned())))
                }
                Some(_) | None => None,
            },
        };
        if let Some((owner, note)) = kept {
            keep(&app, Place { owner, is_signed: true }, &note).await;
        }
    });
}

/// Keeps that the webhook of a repository was tried that no site is built from.
pub(crate) async fn pinged_for_nobody(app: &Shared, told: &Told) {
    let note = Note {
        delivery: told.delivery.clone(),
        event: github::PING.to_owned(),
        repository: told.repository.clone(),
        branch: None,
        commit: None,
        site: None,
        reason: NO_SITE.to_owned(),
        detail: "no site is built from this repository".to_owned(),
    };
    keep(app, Place { owner: None, is_signed: true }, &note).await;
}

/// That it cannot be kept is no reason to answer otherwise.
async fn keep(app: &Shared, place: Place, note: &Note) {
    tracing::info!(reason = note.reason, delivery = note.delivery, "a webhook led to nothing: {}", note.detail);
    let text = serde_json::to_vec(note).unwrap_or_default();
    let name = format!("{}/{}/{}", note.event, note.delivery, note.reason);
    let kept = tokio::time::timeout(PATIENCE, strays::keep(app.log.connection(), place, &name, text)).await;
    if !matches!(kept, Ok(Ok(()))) {
        tracing::warn!(reason = note.reason, "a webhook that led to nothing could not be kept");
    }
}

impl View {
    /// The stray deliveries that may be seen, newest first: those of organizations in sight, and those of nobody that are
    /// about the repository of a site in sight.
    pub(crate) async fn strays(&self) -> Result<Vec<Stray>, Problem> {
        let connection = self.log.connection();
        let mut kept = Vec::new();
        match &self.sight {
            Sight::All => kept = strays::all(connection).await?,
            Sight::Organizations { seen: own, .. } => {
                for place in own.iter().flat_map(|owner| places(Some(*owner))).chain(places(None)) {
                    kept.extend(strays::at(connection, place).await?);
                }
            }
            Sight::Site(site) => {
                let owner = self.owner_of(*site).await?;
                for place in owner.into_iter().flat_map(|owner| places(Some(owner))).chain(places(None)) {
                    kept.extend(strays::at(connection, place).await?);
                }
            }
        }
        let mut strays = self.with_sites(kept.iter().filter_map(Stray::of).collect()).await?;
        strays.retain(|stray| self.sees_stray(stray));
        strays.sort_by_key(|stray| std::cmp::Reverse(stray.id));
        Ok(strays)
    }

    /// The stray delivery with this id, if it may be seen.
    pub(crate) async fn stray(&self, id: u64) -> Result<Stray, Problem> {
        let found = strays::find(self.log.connection(), id).await?;
        let strays = self.with_sites(found.as_ref().and_then(Stray::of).into_iter().collect()).await?;
        strays.into_iter().find(|stray| self.sees_stray(stray)).ok_or(Problem::NotFound)
    }

    fn sees_stray(&self, stray: &Stray) -> bool {
        match (&self.sight, stray.owner) {
            (Sight::All, _) => true,
            (Sight::Organizations { seen: own, .. }, Some(owner)) => own.contains(&owner),
            (Sight::Site(site), Some(_)) => stray.note.site == Some(*site),
            (Sight::Organizations { .. } | Sight::Site(_), None) => !stray.sites.is_empty(),
        }
    }

    /// With the sites in sight that each is for by now.
    async fn with_sites(&self, mut strays: Vec<Stray>) -> Result<Vec<Stray>, Problem> {
        let sources: BTreeSet<String> = strays.iter().filter_map(Stray::source).collect();
        if sources.is_empty() {
            return Ok(strays);
        }
        let sources: Vec<String> = sources.into_iter().collect();
        let sites = self.model.sites_from_any(&self.sight, &sources, SITES_MAX).await?;
        for stray in &mut strays {
            let Some(source) = stray.source() else { continue };
            let is_meant = |site: &&SiteRow| stray.note.site.is_none_or(|meant| meant == site.id);
            let built = sites.iter().filter(|site| site.settings.repository.canonical() == source);
            stray.sites = built.filter(is_meant).cloned().collect();
        }
        Ok(strays)
    }
}

/// Where deliveries of an owner are kept. What nobody signed is nobody's, whatever it claims.
fn places(owner: Option<OrganizationId>) -> impl Iterator<Item = Place> {
    let refused = owner.map(|owner| Place { owner: Some(owner), is_signed: false });
    std::iter::once(Place { owner, is_signed: true }).chain(refused)
}
