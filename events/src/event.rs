//! Every fact Pagefold can state, in the order of its story: a site is created and claims its host, a push is received, a
//! build runs, a deploy is synced, an alias is promoted.
//!
//! A variant's serde name is `<fact>.v<major>`; with the aggregate's token it makes the CloudEvents type
//! `dev.pagefold.<aggregate>.<fact>.v<major>`. Facts are never changed or deleted: a new shape is a new version with
//! a golden sample in `schemas/history`.

mod build;
mod deploy;
mod domain;
mod notice;
mod organization;
mod people;
mod route;
mod serving;
mod site;
mod step;

use crate::{decode, decode::DecodeError};
use serde::Serialize;

pub use build::{Artifact, Author, BuildEvent, Lane, Outcome, RepositoryEvent, Source, Upload};
pub use deploy::{AliasEvent, DeployEvent, PromotionReason, Synced};
pub use domain::{Certified, DomainEvent};
pub use notice::{NoticeEvent, Noticed, ReceiverEvent, Reception};
pub use organization::{HandleEvent, OrganizationEvent, OrganizationLimits, Sandbox};
pub use people::{IdentityEvent, InvitationEvent, Invited, TokenEvent, TokenGrant, UserEvent};
pub use route::{RouteEvent, Routed};
pub use serving::{HtmlHandling, NotFoundHandling, RulesDialect, Serving};
pub use site::{HostEvent, Purge, SiteEngine, SiteEvent, SiteSettings};
pub use step::{Resources, Step, StepName};

/// A fact: something that happened and stays true.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// About an organization. Aggregate id: the organization's id.
    Organization(OrganizationEvent),
    /// About the name of an organization. Aggregate id: the name.
    Handle(HandleEvent),
    /// About a person. Aggregate id: the person's id.
    User(UserEvent),
    /// About an invitation. Aggregate id: the invitation's id.
    Invitation(InvitationEvent),
    /// About an identity that a provider vouches for. Aggregate id: the identity's id.
    Identity(IdentityEvent),
    /// About an API token. Aggregate id: the token's id.
    Token(TokenEvent),
    /// About a site. Aggregate id: the site's id.
    Site(SiteEvent),
    /// About the receivers of a site. Aggregate id: the site's id.
    Receiver(ReceiverEvent),
    /// About a notice. Aggregate id: the notice's id.
    Notice(NoticeEvent),
    /// About a host below the sites' domain. Aggregate id: its label.
    Host(HostEvent),
    /// About a path of a host. Aggregate id: host and path.
    Route(RouteEvent),
    /// About a name that is somebody's outside. Aggregate id: the name.
    Domain(DomainEvent),
    /// About a source repository. Aggregate id: the repository's canonical name.
    Repository(RepositoryEvent),
    /// About one build. Aggregate id: the build id.
    Build(BuildEvent),
    /// About one immutable deploy. Aggregate id: the deploy id.
    Deploy(DeployEvent),
    /// About a movable name of a site. Aggregate id: site and alias.
    Alias(AliasEvent),
}

/// The prefix of every CloudEvents type of ours.
pub const TYPE_PREFIX: &str = "dev.pagefold";

impl Event {
    /// The CloudEvents type, for example `dev.pagefold.build.finished.v1`.
    #[must_use]
    pub fn type_name(&self) -> String {
        format!("{TYPE_PREFIX}.{}", self.name())
    }

    /// The type without the prefix, for example `build.finished.v1`: names schemas, metrics and feed lines.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.aggregate(), self.fact())
    }

    /// The aggregate's token, for example `build`.
    #[must_use]
    pub const fn aggregate(&self) -> &'static str {
        match self {
            Self::Organization(_) => "organization",
            Self::Handle(_) => "handle",
            Self::User(_) => "user",
            Self::Invitation(_) => "invitation",
            Self::Identity(_) => "identity",
            Self::Token(_) => "token",
            Self::Site(_) => "site",
            Self::Receiver(_) => "receiver",
            Self::Notice(_) => "notice",
            Self::Host(_) => "host",
            Self::Route(_) => "route",
            Self::Domain(_) => "domain",
            Self::Repository(_) => "repository",
            Self::Build(_) => "build",
            Self::Deploy(_) => "deploy",
            Self::Alias(_) => "alias",
        }
    }

    /// The fact and its version, for example `finished.v1`.
    #[must_use]
    pub fn fact(&self) -> &'static str {
        let named = match self {
            Self::Organization(fact) => serde_variant::to_variant_name(fact),
            Self::Handle(fact) => serde_variant::to_variant_name(fact),
            Self::User(fact) => serde_variant::to_variant_name(fact),
            Self::Invitation(fact) => serde_variant::to_variant_name(fact),
            Self::Identity(fact) => serde_variant::to_variant_name(fact),
            Self::Token(fact) => serde_variant::to_variant_name(fact),
            Self::Site(fact) => serde_variant::to_variant_name(fact),
            Self::Receiver(fact) => serde_variant::to_variant_name(fact),
            Self::Notice(fact) => serde_variant::to_variant_name(fact),
            Self::Host(fact) => serde_variant::to_variant_name(fact),
            Self::Route(fact) => serde_variant::to_variant_name(fact),
            Self::Domain(fact) => serde_variant::to_variant_name(fact),
            Self::Repository(fact) => serde_variant::to_variant_name(fact),
            Self::Build(fact) => serde_variant::to_variant_name(fact),
            Self::Deploy(fact) => serde_variant::to_variant_name(fact),
            Self::Alias(fact) => serde_variant::to_variant_name(fact),
        };
        named.unwrap_or("unnamed")
    }

    /// The payload alone, as a JSON object.
    #[must_use]
    pub fn data(&self) -> serde_json::Value {
        // An externally tagged enum serializes as one `{"<fact>": {payload}}` pair.
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(tagged)) => {
                tagged.into_iter().next().map_or_else(Default::default, |(_, v)| v)
            }
            Ok(other) => other,
            Err(_) => serde_json::Value::Null,
        }
    }

    /// The payload alone, as the text of a JSON object: what [`Event::data`] says, without the detour.
    #[must_use]
    pub fn payload(&self) -> String {
        // As above: what stands between the first colon, which follows on a name without one, and the last brace.
        let tagged = serde_json::to_string(self).unwrap_or_default();
        tagged.split_once(':').and_then(|(_, rest)| rest.strip_suffix('}')).unwrap_or("null").to_owned()
    }

    /// Reads a fact from its CloudEvents type and payload. Unknown fields are tolerated.
    ///
    /// # Errors
    /// [`DecodeError::UnknownType`] for a type this version does not know, [`DecodeError::Malformed`] for a payload
    /// that is not of its type.
    pub fn decode(type_name: &str, data: &[u8]) -> Result<Self, DecodeError> {
        let unknown = || DecodeError::UnknownType(type_name.to_owned());
        let name = type_name.strip_prefix(TYPE_PREFIX).and_then(|rest| rest.strip_prefix('.')).ok_or_else(unknown)?;
        let (aggregate, fact) = name.split_once('.').ok_or_else(unknown)?;
        let decoded = match aggregate {
            "organization" => decode::variant(fact, data).map(Self::Organization),
            "handle" => decode::variant(fact, data).map(Self::Handle),
            "user" => decode::variant(fact, data).map(Self::User),
            "invitation" => decode::variant(fact, data).map(Self::Invitation),
            "identity" => decode::variant(fact, data).map(Self::Identity),
            "token" => decode::variant(fact, data).map(Self::Token),
            "site" => decode::variant(fact, data).map(Self::Site),
            "receiver" => decode::variant(fact, data).map(Self::Receiver),
            "notice" => decode::variant(fact, data).map(Self::Notice),
            "host" => decode::variant(fact, data).map(Self::Host),
            "route" => decode::variant(fact, data).map(Self::Route),
            "domain" => decode::variant(fact, data).map(Self::Domain),
            "repository" => decode::variant(fact, data).map(Self::Repository),
            "build" => decode::variant(fact, data).map(Self::Build),
            "deploy" => decode::variant(fact, data).map(Self::Deploy),
            "alias" => decode::variant(fact, data).map(Self::Alias),
            _ => return Err(unknown()),
        };
        decoded.map_err(|error| error.of_type(type_name))
    }
}

macro_rules! into_event {
    ($($fact:ty => $variant:ident),*) => {$(
        impl From<$fact> for Event {
            fn from(fact: $fact) -> Self {
                Self::$variant(fact)
            }
        }
    )*};
}

into_event!(
    OrganizationEvent => Organization, HandleEvent => Handle, UserEvent => User, InvitationEvent => Invitation, IdentityEvent => Identity, TokenEvent => Token, SiteEvent => Site, ReceiverEvent => Receiver, NoticeEvent => Notice, HostEvent => Host,
    RouteEvent => Route, DomainEvent => Domain, RepositoryEvent => Repository, BuildEvent => Build, DeployEvent => Deploy, AliasEvent => Alias
);
