//! What webhooks have told of a site's repository.

use super::extract::{Asked, Named};
use super::page::{Items, Page};
use crate::place::Place;
use crate::problem::Problem;
use crate::view::View;
use axum::Json;
use events::{Branch, CommitId, Event, RepositoryEvent};
use projections::timeline::{FactRow, Older};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A delivery that was genuine and said something that matters to sites.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct Shown {
    /// What its sender calls it.
    id: String,
    /// What happened there.
    kind: Kind,
    /// The branch it happened to.
    #[schema(value_type = String)]
    branch: Branch,
    /// The tip since then; null if the branch is gone.
    #[schema(value_type = Option<String>, required)]
    commit: Option<CommitId>,
    /// When it was recorded.
    #[serde(with = "time::serde::rfc3339")]
    received_at: OffsetDateTime,
    /// Its sequence in the log.
    sequence: u64,
    /// The story that it began: `GET /events?correlation=` tells what came of it.
    #[schema(value_type = String, format = Uuid)]
    correlation: events::EventId,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryKind)]
enum Kind {
    Push,
    BranchDeleted,
    PullRequest,
    PullRequestClosed,
}

impl Shown {
    /// What a fact about a repository tells; none if this version does not know it.
    fn of(fact: &FactRow) -> Option<Self> {
        let Some(Event::Repository(told)) = fact.event() else { return None };
        let (id, kind, branch, commit) = match told {
            RepositoryEvent::PushReceived { delivery, branch, commit, pull_request, .. } => {
                let kind = if pull_request.is_some() { Kind::PullRequest } else { Kind::Push };
                (delivery, kind, branch, Some(commit))
            }
            RepositoryEvent::BranchDeleted { delivery, branch, pull_request, .. } => {
                let kind = if pull_request.is_some() { Kind::PullRequestClosed } else { Kind::BranchDeleted };
                (delivery, kind, branch, None)
            }
        };
        let FactRow { sequence, time: received_at, correlation, .. } = *fact;
        Some(Self { id, kind, branch, commit, received_at, sequence, correlation })
    }
}

/// List the webhook deliveries of a site's repository
#[utoipa::path(get, path = "/sites/{site}/deliveries", tag = "deliveries", params(("site" = String, Path), Page), responses(
    (status = 200, description = "What was recorded of its present repository, newest first", body = Items<Shown>),
))]
pub(crate) async fn list(
    view: View,
    Named(site): Named<Place>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Shown>>, Problem> {
    let (reads, before) = (page.reads()?, page.after_as()?);
    let site = view.site(&site).await?;
    let facts = view.model.deliveries(site.id, &site.settings.repository, Older { limit: reads, before }).await?;
    let page = page.cut(facts, |fact| fact.sequence.to_string(), |fact| fact)?;
    page.try_map(async |facts| Ok(facts.iter().filter_map(Shown::of).collect())).await.map(Json)
}
