//! What surrounds every fact: CloudEvents 1.0 context attributes with the correlation and distributed tracing extensions.

use crate::event::{Noticed, Routed, Synced};
use crate::ids::{EventId, derived};
use crate::{
    AliasEvent, BuildEvent, DeployEvent, Event, HostEvent, NoticeEvent, RouteEvent, SiteId, TokenId, TokenName, UserId,
    subject,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use time::OffsetDateTime;

/// The CloudEvents version every envelope states.
pub const SPEC_VERSION: &str = "1.0";
/// Where the schemas of payloads are published; every `dataschema` starts with it.
pub const SCHEMAS_URL: &str = "https://pagefold.dev/schemas/events";
/// The media type of every payload.
pub const CONTENT_TYPE: &str = "application/json";

/// Who is behind a fact: `token:<name>` of the configuration, `token:<name>/<id>` of one that was made, `user:<id>`,
/// `webhook:<host>`, `service:<name>`. Never a secret, never an address, never what a person is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(pub String);

/// What kind of actor somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who<'a> {
    /// Whoever has the token of this name, which is part of the configuration.
    Operator(&'a str),
    /// Whoever has this token.
    Token(TokenId),
    /// A person, at the dashboard.
    User(UserId),
    /// A host of repositories.
    Webhook(&'a str),
    /// A service of ours.
    Service(&'a str),
    /// Nobody that this version knows.
    Unknown,
}

impl Actor {
    /// Whoever has the token of this name, which is part of the configuration.
    #[must_use]
    pub fn operator(name: &str) -> Self {
        Self(format!("token:{name}"))
    }

    /// Whoever has a token that was made.
    #[must_use]
    pub fn token(id: TokenId, name: &TokenName) -> Self {
        Self(format!("token:{name}/{id}"))
    }

    /// A person.
    #[must_use]
    pub fn user(id: UserId) -> Self {
        Self(format!("user:{id}"))
    }

    /// A host of repositories that sends webhooks.
    #[must_use]
    pub fn webhook(host: &str) -> Self {
        Self(format!("webhook:{host}"))
    }

    /// What it is.
    #[must_use]
    pub fn who(&self) -> Who<'_> {
        let Some((kind, name)) = self.0.split_once(':') else { return Who::Unknown };
        match (kind, name.rsplit_once('/')) {
            ("token", Some((_, id))) => id.parse().map_or(Who::Unknown, Who::Token),
            ("token", None) => Who::Operator(name),
            ("user", None) => name.parse().map_or(Who::Unknown, Who::User),
            ("webhook", None) => Who::Webhook(name),
            ("service", None) => Who::Service(name),
            _ => Who::Unknown,
        }
    }

    /// One of Pagefold's own services.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self(format!("service:{name}"))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The context of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Identity of the fact; also the message id by which the log knows a repeated append.
    pub id: EventId,
    /// The service that stated it, as a URI reference: `/pagefold/<service>`.
    pub source: String,
    /// Identity of the aggregate it is about (CloudEvents `subject`).
    pub subject: String,
    /// When it was stated, in UTC.
    pub time: OffsetDateTime,
    /// The fact everything in this story goes back to (`correlationid`).
    pub correlation: EventId,
    /// The fact that led to this one (`causationid`); none for the first of a story.
    pub causation: Option<EventId>,
    /// Who is behind it.
    pub actor: Actor,
    /// W3C trace context of the story's start (`traceparent`).
    pub traceparent: Option<String>,
    /// W3C trace state of the story's start (`tracestate`).
    pub tracestate: Option<String>,
}

/// A fact at its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its sequence in the log, from 1, without gaps.
    pub sequence: u64,
    /// Its context.
    pub envelope: Envelope,
    /// The fact.
    pub event: Event,
}

/// Why a command is given: what the facts it leads to will name as their cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The fact that led to the command; none if a person or a webhook started it.
    pub causation: Option<EventId>,
    /// The fact the whole story goes back to; none starts a new story.
    pub correlation: Option<EventId>,
    /// Who is behind it.
    pub actor: Actor,
    /// Trace context of the story's start.
    pub traceparent: Option<String>,
    /// Trace state of the story's start.
    pub tracestate: Option<String>,
    /// The id the first fact must have, when the outside world names it (a webhook delivery).
    pub id: Option<EventId>,
}

impl Cause {
    /// A new story, told by `actor`.
    #[must_use]
    pub const fn new(actor: Actor) -> Self {
        Self { causation: None, correlation: None, actor, traceparent: None, tracestate: None, id: None }
    }

    /// What `service` does because of `recorded`; the story goes on.
    #[must_use]
    pub fn from_fact(recorded: &Recorded, service: &str) -> Self {
        let Envelope { id, correlation, traceparent, tracestate, .. } = recorded.envelope.clone();
        Self {
            causation: Some(id),
            correlation: Some(correlation),
            actor: Actor::service(service),
            traceparent,
            tracestate,
            id: None,
        }
    }

    /// The id of the `index`-th fact this cause leads to, or `fresh` if nothing determines it.
    #[must_use]
    pub fn event_id(&self, about: &str, event: &Event, index: usize, fresh: EventId) -> EventId {
        match (self.id, self.causation) {
            (Some(id), _) if index == 0 => id,
            (Some(id), _) | (None, Some(id)) => derived(id, about, &event.name(), index),
            (None, None) => fresh,
        }
    }
}

impl Envelope {
    /// The URL of the payload's JSON Schema (CloudEvents `dataschema`).
    #[must_use]
    pub fn schema_of(event: &Event) -> String {
        format!("{}/{}.json", SCHEMAS_URL, event.name())
    }
}

impl Recorded {
    /// The site it belongs to; none for a fact about a repository or an organization.
    #[must_use]
    pub fn site(&self) -> Option<SiteId> {
        match &self.event {
            Event::Site(_) | Event::Receiver(_) => self.envelope.subject.parse().ok(),
            Event::Route(RouteEvent::Added(Routed { owner, .. }) | RouteEvent::Removed { owner, .. }) => *owner,
            Event::Domain(fact) => Some(fact.site()),
            Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Repository(_) => None,
            Event::Notice(
                NoticeEvent::Delivered(Noticed { site, .. })
                | NoticeEvent::Failed(Noticed { site, .. })
                | NoticeEvent::Requested { site, .. },
            )
            | Event::Host(HostEvent::Claimed { site, .. } | HostEvent::Released { site, .. })
            | Event::Build(
                BuildEvent::Requested { site, .. }
                | BuildEvent::Scheduled { site, .. }
                | BuildEvent::Queued { site, .. }
                | BuildEvent::Dispatched { site }
                | BuildEvent::Started { site, .. }
                | BuildEvent::CheckedOut { site, .. }
                | BuildEvent::Interrupted { site, .. }
                | BuildEvent::Finished { site, .. }
                | BuildEvent::Canceled { site, .. }
                | BuildEvent::LogArchived { site, .. },
            )
            | Event::Deploy(
                DeployEvent::Synced(Synced { site, .. })
                | DeployEvent::Mirrored { site, .. }
                | DeployEvent::Collected { site, .. },
            )
            | Event::Alias(
                AliasEvent::Promoted { site, .. }
                | AliasEvent::Removed { site, .. }
                | AliasEvent::Locked { site, .. }
                | AliasEvent::Unlocked { site, .. },
            ) => Some(*site),
        }
    }

    /// The subject of the log this fact was appended to.
    #[must_use]
    pub fn log_subject(&self) -> String {
        subject::events(self.event.aggregate(), &self.envelope.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_actor_is_told_by_its_kind() {
        let (token, user) = (TokenId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let name: TokenName = "ci".parse().unwrap();
        for (actor, text, who) in [
            (Actor::operator("operator"), "token:operator".to_owned(), Who::Operator("operator")),
            (Actor::token(token, &name), format!("token:ci/{token}"), Who::Token(token)),
            (Actor::user(user), format!("user:{user}"), Who::User(user)),
            (Actor::webhook("github"), "webhook:github".to_owned(), Who::Webhook("github")),
            (Actor::service("web"), "service:web".to_owned(), Who::Service("web")),
            (Actor("from/elsewhere".to_owned()), "from/elsewhere".to_owned(), Who::Unknown),
            (Actor("user:ada".to_owned()), "user:ada".to_owned(), Who::Unknown),
        ] {
            assert_eq!((actor.to_string(), actor.who()), (text, who));
        }
    }
}
