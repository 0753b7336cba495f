//! Facts in words: one sentence each, for timelines and feeds. Identities the reader sees beside it are left out.

use crate::access::{Hosts, ShareLink};
use crate::event::{Certified, Noticed, Purge, Reception, Routed, Synced};
use crate::event::{OrganizationLimits, Sandbox};
use crate::routing::{HostName, Reach, RoutePath};
use crate::{
    AliasEvent, BuildEvent, DeployEvent, DomainEvent, Event, HandleEvent, HostEvent, IdentityEvent, InvitationEvent,
    NoticeEvent, OrganizationEvent, Outcome, PromotionReason, PullRequest, ReceiverEvent, Recorded, RepositoryEvent,
    RouteEvent, SiteEvent, SiteSettings, TokenEvent, UserEvent,
};

impl Recorded {
    /// What happened, in one short sentence without a full stop. A claim is of its subject, which it names.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.event.sentence(&self.envelope.subject)
    }
}

impl Event {
    /// What happened to `name`, in one short sentence without a full stop.
    #[must_use]
    pub fn sentence(&self, name: &str) -> String {
        match self {
            Self::Organization(fact) => organization(fact),
            Self::Handle(HandleEvent::Claimed { .. }) => format!("name `{name}` claimed by an organization"),
            Self::Handle(HandleEvent::Released { .. }) => format!("name `{name}` given up by its organization"),
            Self::User(fact) => user(fact),
            Self::Invitation(InvitationEvent::Created(invited)) => format!("somebody invited as {}", invited.role),
            Self::Invitation(InvitationEvent::Accepted { .. }) => "invitation accepted".to_owned(),
            Self::Invitation(InvitationEvent::Withdrawn {}) => "invitation withdrawn".to_owned(),
            Self::Identity(IdentityEvent::Bound { issuer, .. }) => format!("a person signs in with `{issuer}`"),
            Self::Identity(IdentityEvent::Unbound { .. }) => "a person signs in with an identity no longer".to_owned(),
            Self::Token(TokenEvent::Created(grant)) => format!("token `{}` made", grant.name),
            Self::Token(TokenEvent::Revoked {}) => "token revoked".to_owned(),
            Self::Site(fact) => site(fact),
            Self::Receiver(fact) => receiver(fact),
            Self::Notice(fact) => notice(fact),
            Self::Host(HostEvent::Claimed { .. }) => format!("host `{name}` claimed by a site"),
            Self::Host(HostEvent::Released { .. }) => format!("host `{name}` given up by its site"),
            Self::Route(fact) => route(fact),
            Self::Domain(fact) => domain(name, fact),
            Self::Repository(fact) => repository(fact),
            Self::Build(fact) => build(fact),
            Self::Deploy(fact) => deploy(fact),
            Self::Alias(fact) => alias(fact),
        }
    }
}

impl Event {
    /// Whether somebody who watches a server wants to be told: the steps between, and claims that go with another fact, are not
    /// worth a line.
    #[must_use]
    pub const fn is_milestone(&self) -> bool {
        match self {
            Self::Organization(_)
            | Self::User(_)
            | Self::Invitation(_)
            | Self::Identity(_)
            | Self::Token(_)
            | Self::Site(_)
            | Self::Receiver(_)
            | Self::Notice(NoticeEvent::Failed(_) | NoticeEvent::Requested { .. })
            | Self::Route(_)
            | Self::Domain(
                DomainEvent::Added { .. }
                | DomainEvent::Changed { .. }
                | DomainEvent::Verified { .. }
                | DomainEvent::CertificateIssued(_)
                | DomainEvent::Failed { .. }
                | DomainEvent::Removed { .. },
            )
            | Self::Repository(_)
            | Self::Alias(_)
            | Self::Build(BuildEvent::Interrupted { .. } | BuildEvent::Finished { .. } | BuildEvent::Canceled { .. }) => {
                true
            }
            Self::Handle(_)
            | Self::Notice(NoticeEvent::Delivered(_))
            | Self::Host(_)
            | Self::Domain(
                DomainEvent::CheckRequested { .. }
                | DomainEvent::CheckFailed { .. }
                | DomainEvent::CertificateOrdered { .. }
                | DomainEvent::CertificateFailed { .. },
            )
            | Self::Deploy(_)
            | Self::Build(
                BuildEvent::Requested { .. }
                | BuildEvent::Scheduled { .. }
                | BuildEvent::Queued { .. }
                | BuildEvent::Dispatched { .. }
                | BuildEvent::Started { .. }
                | BuildEvent::CheckedOut { .. }
                | BuildEvent::LogArchived { .. },
            ) => false,
        }
    }
}

fn organization(fact: &OrganizationEvent) -> String {
    match fact {
        OrganizationEvent::Created { name } => format!("organization `{name}` created"),
        OrganizationEvent::Renamed { name, previous } => {
            format!("organization renamed from `{previous}` to `{name}`")
        }
        OrganizationEvent::MemberAdded { role, .. } => format!("a {role} joined the organization"),
        OrganizationEvent::MemberRoleChanged { role, previous, .. } => {
            format!("a {previous} of the organization is a {role} now")
        }
        OrganizationEvent::MemberRemoved { role, .. } => format!("a {role} left the organization"),
        OrganizationEvent::Suspended { reason } => format!("organization suspended: {reason}"),
        OrganizationEvent::Reinstated {} => "organization reinstated".to_owned(),
        OrganizationEvent::LimitsChanged { limits } => format!("organization may have {}", allowed(limits)),
        OrganizationEvent::SandboxBegun(sandbox) => {
            let Sandbox { days, clean_up_at } = sandbox;
            format!(
                "organization is a sandbox: its sites are deleted every {days} days, next on {}",
                clean_up_at.date()
            )
        }
        OrganizationEvent::SandboxEnded {} => "organization is no sandbox any more, its sites are kept".to_owned(),
        OrganizationEvent::CleanUpAnnounced { clean_up_at } => {
            format!("people told that the sites of the sandbox are deleted on {}", clean_up_at.date())
        }
        OrganizationEvent::CleanedUp { clean_up_at } => {
            format!("sites of the sandbox deleted, the next time is {}", clean_up_at.date())
        }
    }
}

fn allowed(limits: &OrganizationLimits) -> String {
    let OrganizationLimits { sites, members, builds } = limits;
    let kinds = [(sites, "sites"), (members, "members"), (builds, "builds at once")];
    let told: Vec<String> = kinds.iter().filter_map(|(max, of)| max.map(|max| format!("{max} {of}"))).collect();
    if told.is_empty() { "what the installation allows".to_owned() } else { format!("at most {}", told.join(", ")) }
}

fn user(fact: &UserEvent) -> String {
    match fact {
        UserEvent::Created { .. } => "a person became known".to_owned(),
        UserEvent::SignedIn {} => "signed in".to_owned(),
        UserEvent::PlatformRoleChanged { role: Some(role) } => format!("a person has the platform role {role} now"),
        UserEvent::PlatformRoleChanged { role: None } => "a person has no platform role any more".to_owned(),
        UserEvent::Suspended { reason } => format!("a person was suspended: {reason}"),
        UserEvent::Reinstated {} => "a person was reinstated".to_owned(),
        UserEvent::GithubConnected { .. } => "a person connected an account at GitHub".to_owned(),
        UserEvent::GithubDisconnected {} => "the account of a person at GitHub is used no longer".to_owned(),
        UserEvent::Erased {} => "a person was forgotten".to_owned(),
    }
}

fn site(fact: &SiteEvent) -> String {
    match fact {
        SiteEvent::Created { name, settings, .. } => {
            format!("site `{name}` created from {}", set(settings))
        }
        SiteEvent::SettingsChanged { settings } => {
            format!("settings changed: source {}", set(settings))
        }
        SiteEvent::Renamed { name, previous } => format!("site renamed from `{previous}` to `{name}`"),
        SiteEvent::WebhookSecretRotated { .. } => "webhook secret made anew".to_owned(),
        SiteEvent::WebhookPinged {} => "webhook tried by the repository's host, and it works".to_owned(),
        SiteEvent::VariableSet { name, contexts, .. } => {
            let contexts: Vec<String> = contexts.iter().map(ToString::to_string).collect();
            format!("variable `{name}` set for {}", contexts.join(", "))
        }
        SiteEvent::VariableRemoved { name } => format!("variable `{name}` removed"),
        SiteEvent::DeployKeyMade { .. } => "deploy key made for its repository".to_owned(),
        SiteEvent::DeployKeyRemoved {} => "deploy key removed".to_owned(),
        SiteEvent::SourceTokenSet { .. } => "access token set for its repository".to_owned(),
        SiteEvent::SourceTokenRemoved {} => "access token removed".to_owned(),
        SiteEvent::PasswordSet { hosts: Hosts::Live, .. } => "password of the live site set".to_owned(),
        SiteEvent::PasswordSet { hosts: Hosts::Preview, .. } => "password of previews set".to_owned(),
        SiteEvent::ShareLinkMade(ShareLink { alias, expires_at, .. }) => {
            let what = alias.as_ref().map_or("all that the site shows".to_owned(), |alias| format!("`{alias}`"));
            let (day, hour, minute) = (expires_at.date(), expires_at.hour(), expires_at.minute());
            format!("share link made to {what}, until {day} at {hour:02}:{minute:02} UTC")
        }
        SiteEvent::ShareLinkRevoked { .. } => "share link revoked".to_owned(),
        SiteEvent::Purged(Purge { host, path }) => {
            let host = host.as_ref().map_or("all hosts", HostName::as_str);
            let path = path.as_ref().map(RoutePath::as_str).unwrap_or_default();
            format!("purged: what is kept of `{host}{path}` is asked for again")
        }
        SiteEvent::Deleted {} => "site deleted".to_owned(),
        SiteEvent::Restored { name, .. } => format!("site restored as `{name}`"),
        SiteEvent::Erased {} => "what was kept of the deleted site is gone".to_owned(),
    }
}

/// Where source comes from and goes, and what else is not as with most sites.
fn set(settings: &SiteSettings) -> String {
    let told = format!("{}, `{}` is live", settings.repository, settings.branch);
    let others = settings.building.told().into_iter().chain(settings.serving.told());
    std::iter::once(told).chain(others).collect::<Vec<_>>().join("; ")
}

fn receiver(fact: &ReceiverEvent) -> String {
    match fact {
        ReceiverEvent::Created(Reception { name, kind, .. }) => {
            format!("receiver `{name}` of notices added ({})", kind.as_str())
        }
        ReceiverEvent::Changed(Reception { name, .. }) => format!("receiver `{name}` of notices changed"),
        ReceiverEvent::Tested { .. } => "receiver of notices put to the test".to_owned(),
        ReceiverEvent::Removed { .. } => "receiver of notices removed".to_owned(),
    }
}

fn notice(fact: &NoticeEvent) -> String {
    match fact {
        NoticeEvent::Delivered(Noticed { occasion, .. }) => format!("receiver told: {}", occasion.words()),
        NoticeEvent::Failed(Noticed { occasion, reason, .. }) => {
            format!("receiver could not be told: {} ({reason})", occasion.words())
        }
        NoticeEvent::Requested { .. } => "notice to be sent once more".to_owned(),
    }
}

fn route(fact: &RouteEvent) -> String {
    match fact {
        RouteEvent::Added(Routed { host, path, kind: Reach::Exact, leads, .. }) => {
            format!("route added: `{host}{path}` {leads}")
        }
        RouteEvent::Added(Routed { host, path, kind: Reach::Prefix, leads, .. }) => {
            format!("route added: `{host}{path}` and all below {leads}")
        }
        RouteEvent::Removed { host, path, .. } => format!("route of `{host}{path}` removed"),
    }
}

fn domain(name: &str, fact: &DomainEvent) -> String {
    match fact {
        DomainEvent::Added { redirect_to: None, .. } => format!("domain `{name}` added"),
        DomainEvent::Added { redirect_to: Some(to), .. } => format!("domain `{name}` added, which leads to `{to}`"),
        DomainEvent::Changed { redirect_to: None, .. } => format!("domain `{name}` shows the site itself"),
        DomainEvent::Changed { redirect_to: Some(to), .. } => format!("domain `{name}` leads to `{to}`"),
        DomainEvent::CheckRequested { .. } => format!("domain `{name}` to be checked again"),
        DomainEvent::CheckFailed { attempt, error, .. } => {
            format!("domain `{name}` is not proven by check {attempt}: {error}")
        }
        DomainEvent::Verified { .. } => format!("domain `{name}` verified"),
        DomainEvent::CertificateOrdered { attempt: 1, .. } => format!("certificate of `{name}` asked for"),
        DomainEvent::CertificateOrdered { attempt, .. } => {
            format!("certificate of `{name}` asked for again, attempt {attempt}")
        }
        DomainEvent::CertificateIssued(Certified { expires_at, .. }) => {
            format!("certificate of `{name}` issued, good until {}", expires_at.date())
        }
        DomainEvent::CertificateFailed { attempt, error, .. } => {
            format!("no certificate of `{name}` by attempt {attempt}: {error}")
        }
        DomainEvent::Failed { error, .. } => format!("domain `{name}` given up: {error}"),
        DomainEvent::Removed { .. } => format!("domain `{name}` removed"),
    }
}

fn repository(fact: &RepositoryEvent) -> String {
    match fact {
        RepositoryEvent::PushReceived { commit, summary, pull_request: Some(pull), .. } => {
            format!("pull request {} at {}: {summary}", told_of(pull), commit.short())
        }
        RepositoryEvent::PushReceived { branch, commit, summary, pull_request: None, .. } => {
            format!("push to `{branch}`: {} {summary}", commit.short())
        }
        RepositoryEvent::BranchDeleted { pull_request: Some(pull), .. } => {
            format!("pull request {} closed", told_of(pull))
        }
        RepositoryEvent::BranchDeleted { branch, before: Some(tip), .. } => {
            format!("branch `{branch}` deleted at {}", tip.short())
        }
        RepositoryEvent::BranchDeleted { branch, before: None, .. } => format!("branch `{branch}` deleted"),
    }
}

fn told_of(pull: &PullRequest) -> String {
    match &pull.fork {
        Some(fork) => format!("#{} from {fork}", pull.number),
        None => format!("#{}", pull.number),
    }
}

fn build(fact: &BuildEvent) -> String {
    match fact {
        BuildEvent::Requested { branch, upload: Some(upload), .. } => {
            format!("folder uploaded for `{branch}`: {}, {} bytes", counted(upload.files, "file"), upload.bytes)
        }
        BuildEvent::Requested { branch, commit, clear_cache, .. } => {
            let at = commit.as_ref().map(|commit| format!(" at {}", commit.short())).unwrap_or_default();
            let how = if *clear_cache { ", and the cache of the site cleared" } else { "" };
            format!("build of `{branch}`{at} requested{how}")
        }
        BuildEvent::Scheduled { branch, due, .. } => {
            format!("build of `{branch}` is due: {} at {:02}:{:02} UTC", due.date(), due.hour(), due.minute())
        }
        BuildEvent::Queued { number, branch, .. } => format!("build {number} queued for `{branch}`"),
        BuildEvent::Dispatched { .. } => "build has a slot".to_owned(),
        BuildEvent::Started { attempt: 1, worker, .. } => format!("build started on {worker}"),
        BuildEvent::Started { attempt, worker, .. } => format!("build started again on {worker}, attempt {attempt}"),
        BuildEvent::CheckedOut { source, .. } => {
            format!("build has its source: {} {}", source.commit.short(), source.title)
        }
        BuildEvent::Interrupted { attempt, reason, .. } => {
            format!("attempt {attempt} of the build interrupted: {reason}")
        }
        BuildEvent::Finished { number, outcome, duration_ms, reason, .. } => {
            let (seconds, tenths) = (duration_ms / 1000, duration_ms % 1000 / 100);
            match outcome {
                Outcome::Success => format!("build {number} succeeded in {seconds}.{tenths} s"),
                Outcome::Failure => format!("build {number} failed: {reason}"),
                Outcome::Error => format!("build {number} ended in an error of the platform: {reason}"),
                Outcome::Timeout => format!("build {number} ran out of time: {reason}"),
                Outcome::Skipped => format!("build {number} skipped: {reason}"),
            }
        }
        BuildEvent::Canceled { reason, .. } => format!("build canceled: {reason}"),
        BuildEvent::LogArchived { bytes, .. } => format!("log of the build archived, {bytes} bytes"),
    }
}

/// `1 file`, `2 files`.
fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn deploy(fact: &DeployEvent) -> String {
    match fact {
        DeployEvent::Synced(Synced { number, files, uploaded_files, uploaded_bytes, .. }) => format!(
            "deploy of build {number} stored: {}, {uploaded_files} uploaded ({uploaded_bytes} bytes)",
            counted(*files, "file")
        ),
        DeployEvent::Mirrored { alias, written, removed, .. } => {
            format!("plain tree of `{alias}` written: {}, {removed} removed", counted(*written, "object"))
        }
        DeployEvent::Collected { keeping, .. } => format!("deploy kept no longer: {}", keeping.told()),
    }
}

fn alias(fact: &AliasEvent) -> String {
    match fact {
        AliasEvent::Promoted { alias, number, reason: PromotionReason::Built, .. } => {
            format!("`{alias}` now shows build {number}")
        }
        AliasEvent::Promoted { alias, number, reason: PromotionReason::Chosen, .. } => {
            format!("`{alias}` was set to build {number} by hand")
        }
        AliasEvent::Removed { alias, .. } => format!("`{alias}` taken down"),
        AliasEvent::Locked { alias, reason, .. } => format!("`{alias}` locked: {reason}"),
        AliasEvent::Unlocked { alias, .. } => format!("`{alias}` unlocked"),
    }
}
