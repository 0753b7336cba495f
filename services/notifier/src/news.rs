//! What a notice says, whoever is told and however: read from the log once, put into words by each kind of receiver.

use crate::config::Config;
use crate::story::{BuildStory, DeployStory};
use events::receiver::Occasion;
use events::{
    AliasEvent, AliasName, BuildEvent, BuildId, CommitId, Event, NoticeId, Organization, OrganizationId,
    OrganizationName, Recorded, Site, SiteId, SiteName,
};
use runtime::{Error, Log};
use time::OffsetDateTime;

/// What has happened.
#[derive(Debug, Clone)]
pub(crate) struct News {
    pub(crate) notice: NoticeId,
    pub(crate) occasion: Occasion,
    /// What happened, in one sentence without a full stop.
    pub(crate) sentence: String,
    pub(crate) time: OffsetDateTime,
    /// The place in the log of the fact.
    pub(crate) sequence: u64,
    pub(crate) site: About,
    pub(crate) build: Option<Build>,
    /// How it differs from what was shown before, where something is shown.
    pub(crate) change: Change,
    /// What is, was or will be shown.
    pub(crate) alias: Option<AliasName>,
    /// Where that is read.
    pub(crate) address: Option<String>,
    /// Where a person reads more.
    pub(crate) url: Option<String>,
    /// Where people choose who is told.
    pub(crate) receivers_url: Option<String>,
}

/// How what is shown differs from what was shown before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing was.
    First,
    /// It is newer, or nobody could say.
    Forward,
    /// It is older.
    Back,
}

/// The site it happened to.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) id: SiteId,
    /// What it is called; its id once it is deleted.
    pub(crate) name: String,
    pub(crate) organization: Option<OrganizationName>,
    pub(crate) organization_id: Option<OrganizationId>,
}

/// The build it is about.
#[derive(Debug, Clone)]
pub(crate) struct Build {
    pub(crate) id: BuildId,
    pub(crate) number: u64,
    pub(crate) branch: String,
    pub(crate) commit: Option<CommitId>,
    pub(crate) summary: String,
    /// Why it ended as it did; empty on success.
    pub(crate) reason: String,
    /// What usually helps then, where that is known.
    pub(crate) hint: Option<String>,
    /// How long it took, in milliseconds, once it has ended by itself.
    pub(crate) duration_ms: Option<u64>,
}

impl News {
    /// What `recorded` says to a receiver that is told by `notice`.
    pub(crate) async fn of(
        recorded: &Recorded,
        notice: NoticeId,
        occasion: Occasion,
        log: &Log,
        config: &Config,
    ) -> Result<Option<Self>, Error> {
        let Some(id) = recorded.site() else { return Ok(None) };
        let (name, organization_id) = called(id, log).await?;
        let organization = organization(organization_id, log).await?;
        let build = build(recorded, log).await?;
        let alias = alias(recorded, build.as_ref());
        let change = change(recorded, log).await?;
        let address = name.as_ref().zip(alias.as_ref()).map(|(name, alias)| config.sites_url.alias(name, alias));
        let web = Some(config.web_url.trim_end_matches('/')).filter(|web| !web.is_empty());
        let url = web.map(|web| match (&build, &name) {
            (Some((build, _)), _) => format!("{web}/builds/{}", build.id),
            (None, Some(name)) => format!("{web}/sites/{name}"),
            (None, None) => web.to_owned(),
        });
        let receivers_url = web.zip(name.as_ref()).map(|(web, name)| format!("{web}/sites/{name}/notices"));
        let name = name.map_or_else(|| id.to_string(), |name| name.to_string());
        Ok(Some(Self {
            notice,
            occasion,
            sentence: recorded.sentence(),
            time: recorded.envelope.time,
            sequence: recorded.sequence,
            site: About { id, name, organization, organization_id },
            build: build.map(|(build, _)| build),
            change,
            alias,
            address,
            url,
            receivers_url,
        }))
    }

    /// Where readers see what this is about; none if it changes nothing for them.
    pub(crate) fn shown(&self) -> Option<&str> {
        self.address.as_deref().filter(|_| self.occasion == Occasion::Promoted)
    }
}

async fn called(id: SiteId, log: &Log) -> Result<(Option<SiteName>, Option<OrganizationId>), Error> {
    let site = log.load::<Site>(&id.to_string()).await?.state;
    let organization = site.organization();
    let name = if let Site::Active(active) = site { Some(active.name) } else { None };
    Ok((name, organization))
}

async fn organization(id: Option<OrganizationId>, log: &Log) -> Result<Option<OrganizationName>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(match log.load::<Organization>(&id.to_string()).await?.state {
        Organization::Active(active) => Some(active.name),
        Organization::Unknown => None,
    })
}

/// The build that a fact is about, and the alias it was made for.
async fn build(recorded: &Recorded, log: &Log) -> Result<Option<(Build, AliasName)>, Error> {
    let (id, reason) = if let Event::Build(fact) = &recorded.event {
        (recorded.envelope.subject.parse().ok(), reason(fact))
    } else if let Event::Alias(AliasEvent::Promoted { deploy, .. } | AliasEvent::Removed { previous: deploy, .. }) =
        &recorded.event
    {
        (log.load::<DeployStory>(deploy.as_str()).await?.state.0, String::new())
    } else {
        (None, String::new())
    };
    let Some(id) = id else { return Ok(None) };
    let BuildStory { queued, commit, hint, duration_ms } =
        log.load::<BuildStory>(&BuildId::to_string(&id)).await?.state;
    Ok(queued.map(|queued| {
        let build = Build {
            id,
            number: queued.number,
            branch: queued.branch.to_string(),
            commit: queued.commit.or(commit),
            summary: queued.summary,
            hint: hint.filter(|_| !reason.is_empty()),
            reason,
            duration_ms,
        };
        (build, queued.alias)
    }))
}

async fn change(recorded: &Recorded, log: &Log) -> Result<Change, Error> {
    let Event::Alias(AliasEvent::Promoted { number, previous, .. }) = &recorded.event else {
        return Ok(Change::Forward);
    };
    let Some(previous) = previous else { return Ok(Change::First) };
    let Some(before) = log.load::<DeployStory>(previous.as_str()).await?.state.0 else { return Ok(Change::Forward) };
    let queued = log.load::<BuildStory>(&before.to_string()).await?.state.queued;
    Ok(if queued.is_some_and(|queued| queued.number > *number) { Change::Back } else { Change::Forward })
}

fn reason(fact: &BuildEvent) -> String {
    match fact {
        BuildEvent::Finished { reason, .. } | BuildEvent::Canceled { reason, .. } => reason.clone(),
        BuildEvent::Requested { .. }
        | BuildEvent::Scheduled { .. }
        | BuildEvent::Queued { .. }
        | BuildEvent::Dispatched { .. }
        | BuildEvent::Started { .. }
        | BuildEvent::CheckedOut { .. }
        | BuildEvent::Interrupted { .. }
        | BuildEvent::LogArchived { .. } => String::new(),
    }
}

fn alias(recorded: &Recorded, build: Option<&(Build, AliasName)>) -> Option<AliasName> {
    if let Event::Alias(
        AliasEvent::Promoted { alias, .. }
        | AliasEvent::Removed { alias, .. }
        | AliasEvent::Locked { alias, .. }
        | AliasEvent::Unlocked { alias, .. },
    ) = &recorded.event
    {
        return Some(alias.clone());
    }
    build.map(|(_, alias)| alias.clone())
}
