//! The language of Pagefold: what can happen, what may be asked, and what the answer is.
//!
//! Everything here is pure: no async, no clock, no randomness, no client. Time and identity arrive in the
//! [`Envelope`]. A business rule is a pair of total functions on an [`Aggregate`]: `decide` answers a command with
//! facts or a [`Refusal`], `evolve` folds a fact into the state. The same `evolve` serves command handling, the
//! scheduler's memory, the read model and the tests.
//!
//! Read [`event`] first: it tells the product's story in order.

pub mod access;
pub mod address;
pub mod aggregate;
pub mod alias;
pub mod authority;
pub mod build;
pub mod building;
pub mod credential;
mod decode;
pub mod deploy;
pub mod domain;
pub mod engine;
pub mod envelope;
pub mod event;
pub mod handle;
pub mod host;
pub mod identity;
pub mod ids;
pub mod invitation;
pub mod name;
pub mod notice;
pub mod organization;
pub mod position;
mod pull_request;
pub mod receiver;
pub mod refusal;
pub mod repository;
pub mod route;
pub mod routing;
pub mod schema;
mod sealed;
mod sentence;
pub mod site;
mod sites_url;
pub mod subject;
mod telling;
pub mod token;
pub mod user;
pub mod variable;

pub use access::{Access, PasswordHash, ShareLink};
pub use aggregate::Aggregate;
pub use alias::Alias;
pub use build::Build;
pub use building::{
    Building, CancelRunning, CommandLine, Cron, Folder, Glob, Keeping, Network, Recipe, Schedule, Size, Zone,
};
pub use decode::DecodeError;
pub use deploy::Deploy;
pub use domain::Domain;
pub use envelope::{Actor, Cause, Envelope, Recorded};
pub use event::{
    AliasEvent, BuildEvent, DeployEvent, DomainEvent, Event, HandleEvent, HostEvent, IdentityEvent, InvitationEvent,
    Lane, NoticeEvent, OrganizationEvent, Outcome, PromotionReason, ReceiverEvent, RepositoryEvent, RouteEvent,
    SiteEngine, SiteEvent, SiteSettings, TokenEvent, UserEvent,
};
pub use handle::Handle;
pub use host::Host;
pub use identity::Identity;
pub use ids::{
    BuildId, CommitId, DeployId, Digest, EventId, IdentityId, InvitationId, LinkId, NoticeId, OrganizationId,
    ReceiverId, RouteId, SiteId, TokenId, UserId,
};
pub use invitation::Invitation;
pub use name::{AliasName, Branch, HostLabel, OrganizationName, RepositoryUrl, SiteName};
pub use notice::Notice;
pub use organization::Organization;
pub use position::Position;
pub use pull_request::{PullRequest, PullRequests};
pub use receiver::Receivers;
pub use refusal::Refusal;
pub use repository::Repository;
pub use route::Route;
pub use sealed::Sealed;
pub use site::Site;
pub use sites_url::SitesUrl;
pub use token::{Token, TokenName};
pub use user::User;
pub use variable::{Context, VariableName};
