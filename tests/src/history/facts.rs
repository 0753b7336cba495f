//! The facts of a story, each as its service states it.

use super::cast::Member;
use super::chance::Chance;
use super::plot::Plot;
use events::event::{Artifact, Synced};
use events::{
    AliasEvent, Branch, BuildEvent, BuildId, CommitId, DeployEvent, DeployId, Digest, DomainEvent, Event, HandleEvent,
    HostEvent, Lane, NoticeEvent, OrganizationEvent, Outcome, PromotionReason, RepositoryEvent, RepositoryUrl,
    SiteEngine, SiteEvent, SiteSettings, subject,
};

/// Files of a site.
const FILES: u64 = 120;

/// The service that states a fact, and who is behind it.
pub(super) const fn stated_by(event: &Event) -> (&'static str, &'static str) {
    match event {
        Event::Organization(_)
        | Event::Handle(_)
        | Event::User(_)
        | Event::Invitation(_)
        | Event::Identity(_)
        | Event::Token(_)
        | Event::Receiver(_)
        | Event::Notice(NoticeEvent::Requested { .. })
        | Event::Site(_)
        | Event::Host(_)
        | Event::Route(_)
        | Event::Domain(
            DomainEvent::Added { .. }
            | DomainEvent::Changed { .. }
            | DomainEvent::CheckRequested { .. }
            | DomainEvent::Removed { .. },
        ) => ("web", "token:ada"),
        Event::Domain(
            DomainEvent::CheckFailed { .. }
            | DomainEvent::Verified { .. }
            | DomainEvent::CertificateOrdered { .. }
            | DomainEvent::CertificateIssued(_)
            | DomainEvent::CertificateFailed { .. }
            | DomainEvent::Failed { .. },
        ) => ("registrar", "service:registrar"),
        Event::Repository(_) => ("web", "webhook:github"),
        Event::Build(BuildEvent::Requested { .. })
        | Event::Alias(AliasEvent::Locked { .. } | AliasEvent::Unlocked { .. }) => ("web", "token:ada"),
        Event::Build(
            BuildEvent::Scheduled { .. }
            | BuildEvent::Queued { .. }
            | BuildEvent::Dispatched { .. }
            | BuildEvent::Canceled { .. },
        )
        | Event::Alias(AliasEvent::Removed { .. }) => ("scheduler", "service:scheduler"),
        Event::Build(
            BuildEvent::Started { .. }
            | BuildEvent::CheckedOut { .. }
            | BuildEvent::Interrupted { .. }
            | BuildEvent::Finished { .. }
            | BuildEvent::LogArchived { .. },
        ) => ("launcher", "service:launcher"),
        Event::Notice(NoticeEvent::Delivered(_) | NoticeEvent::Failed(_)) => ("notifier", "service:notifier"),
        Event::Deploy(_) | Event::Alias(AliasEvent::Promoted { .. }) => ("syncer", "service:syncer"),
    }
}

pub(super) fn commit(chance: &mut Chance) -> CommitId {
    chance.digits(40).parse().unwrap()
}

/// The fact that is told is the one that the build follows from.
fn causes(plot: &mut Plot, site: &Member) {
    (plot.source, plot.build) = (plot.now, BuildId::of(plot.id, site.id));
}

pub(super) fn organization(_: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    let name = site.organization_name.clone();
    (site.organization.to_string(), OrganizationEvent::Created { name }.into())
}

pub(super) fn handle(_: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    let organization = site.organization;
    (site.organization_name.to_string(), HandleEvent::Claimed { organization }.into())
}

pub(super) fn site(plot: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    causes(plot, site);
    let settings = SiteSettings {
        repository: site.repository.clone(),
        branch: plot.branch.clone(),
        demo_branch: None,
        engine: SiteEngine::Static,
        building: events::Building::default(),
        serving: events::event::Serving::default(),
    };
    let (name, organization) = (site.name.clone(), site.organization);
    (site.id.to_string(), SiteEvent::Created { name, organization, settings }.into())
}

pub(super) fn host(_: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    let (label, organization) = (site.name.to_string(), site.organization);
    (label, HostEvent::Claimed { site: site.id, organization }.into())
}

pub(super) fn push(plot: &mut Plot, site: &mut Member, chance: &mut Chance) -> (String, Event) {
    causes(plot, site);
    let fact = arrived(&site.repository, &plot.branch, &plot.commit, chance);
    (site.repository.canonical(), fact.into())
}

/// Commits that came to a branch.
pub(super) fn arrived(
    repository: &RepositoryUrl,
    branch: &Branch,
    commit: &CommitId,
    chance: &mut Chance,
) -> RepositoryEvent {
    RepositoryEvent::PushReceived {
        repository: repository.clone(),
        branch: branch.clone(),
        before: Some(self::commit(chance)),
        commit: commit.clone(),
        summary: format!("Say more about chapter {}", chance.below(100)),
        delivery: chance.uuid().to_string(),
        skip: false,
        paths: None,
        site: None,
        pull_request: None,
    }
}

pub(super) fn branch_deleted(plot: &mut Plot, site: &mut Member, chance: &mut Chance) -> (String, Event) {
    let (repository, branch, delivery) = (site.repository.clone(), plot.branch.clone(), chance.uuid().to_string());
    let before = Some(commit(chance));
    (
        repository.canonical(),
        RepositoryEvent::BranchDeleted { repository, branch, before, delivery, site: None, pull_request: None }.into(),
    )
}

pub(super) fn queued(plot: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    let fact = BuildEvent::Queued {
        site: site.id,
        number: plot.number,
        source_sequence: plot.source,
        repository: site.repository.clone(),
        branch: plot.branch.clone(),
        alias: plot.alias.clone(),
        commit: Some(plot.commit.clone()),
        engine: SiteEngine::Static,
        lane: Lane::High,
        summary: format!("Say more about chapter {}", plot.number),
        recipe: events::Recipe::default(),
        pull_request: None,
        cache_from: None,
    };
    (plot.build.to_string(), fact.into())
}

pub(super) fn dispatched(plot: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    (plot.build.to_string(), BuildEvent::Dispatched { site: site.id }.into())
}

pub(super) fn started(plot: &mut Plot, site: &mut Member, chance: &mut Chance) -> (String, Event) {
    let worker = format!("launcher-{:012x}", chance.below(8));
    (plot.build.to_string(), BuildEvent::Started { site: site.id, attempt: 1, worker }.into())
}

pub(super) fn built(plot: &mut Plot, site: &mut Member, chance: &mut Chance) -> (String, Event) {
    let artifact = Artifact { key: format!("artifacts/{}", plot.build), files: FILES, bytes: size(chance) };
    finished(plot, site, Outcome::Success, Some(artifact))
}

pub(super) fn failed(plot: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    finished(plot, site, Outcome::Failure, None)
}

fn finished(plot: &Plot, site: &Member, outcome: Outcome, artifact: Option<Artifact>) -> (String, Event) {
    let reason = if artifact.is_some() { String::new() } else { "the build script ended with status 1".to_owned() };
    let fact = BuildEvent::Finished {
        site: site.id,
        number: plot.number,
        source_sequence: plot.source,
        branch: plot.branch.clone(),
        alias: plot.alias.clone(),
        commit: Some(plot.commit.clone()),
        attempt: 1,
        outcome,
        reason,
        hint: None,
        artifact,
        duration_ms: 1200,
        steps: Vec::new(),
        resources: None,
    };
    (plot.build.to_string(), fact.into())
}

pub(super) fn canceled(plot: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    let reason = "Canceled by a person.".to_owned();
    (plot.build.to_string(), BuildEvent::Canceled { site: site.id, reason, superseded_by: None }.into())
}

pub(super) fn archived(plot: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    let key = format!("logs/{}", plot.build);
    (plot.build.to_string(), BuildEvent::LogArchived { site: site.id, key, bytes: 4096 }.into())
}

pub(super) fn synced(plot: &mut Plot, site: &mut Member, chance: &mut Chance) -> (String, Event) {
    let fact = DeployEvent::Synced(Synced {
        site: site.id,
        build: plot.build,
        number: plot.number,
        source_sequence: plot.source,
        branch: plot.branch.clone(),
        alias: plot.alias.clone(),
        commit: plot.commit.clone(),
        content: Digest::of(&plot.number.to_be_bytes()),
        files: FILES,
        bytes: size(chance),
        uploaded_files: 3,
        uploaded_bytes: 4096,
        requests: 3,
    });
    (DeployId::of(plot.build).to_string(), fact.into())
}

pub(super) fn promoted(plot: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    let deploy = DeployId::of(plot.build);
    let is_live = plot.alias == events::AliasName::Live;
    let previous = if is_live { site.live.replace(deploy.clone()) } else { None };
    let fact = AliasEvent::Promoted {
        site: site.id,
        alias: plot.alias.clone(),
        deploy,
        number: plot.number,
        source_sequence: plot.source,
        previous,
        reason: PromotionReason::Built,
    };
    (subject::alias_id(site.id, &plot.alias), fact.into())
}

pub(super) fn mirrored(plot: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    let fact = DeployEvent::Mirrored { site: site.id, alias: plot.alias.clone(), written: 3, removed: 0 };
    (DeployId::of(plot.build).to_string(), fact.into())
}

pub(super) fn removed(plot: &mut Plot, site: &mut Member, _: &mut Chance) -> (String, Event) {
    let (alias, previous) = (plot.alias.clone(), DeployId::of(plot.build));
    (subject::alias_id(site.id, &alias), AliasEvent::Removed { site: site.id, alias, previous }.into())
}

fn size(chance: &mut Chance) -> u64 {
    100_000 + chance.next() % 900_000
}
