//! Builds: asked for, watched, canceled.

use super::effort;
use super::extract::{Asked, Body, Named};
use super::page::{Items, Page};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use crate::urls::API;
use crate::view::View;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::event::Author;
use events::{Actor, AliasName, Branch, BuildId, CommitId, DeployId, PullRequest, RepositoryUrl, SiteId};
use http::{StatusCode, header};
use projections::builds::{self, State as BuildState, TriggerKind};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// What to build.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBuild {
    /// The branch; the site's live branch if absent.
    #[schema(value_type = Option<String>)]
    branch: Option<Branch>,
    /// The exact commit; the tip of the branch if absent.
    #[schema(value_type = Option<String>)]
    commit: Option<CommitId>,
}

/// How to build once more.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retry {
    /// Whether what builds of the site have kept for later ones is thrown away before.
    #[serde(default)]
    clear_cache: bool,
}

/// A build.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Build)]
pub(crate) struct Shown {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: BuildId,
    /// What the site it builds is called.
    site: String,
    /// That site's identity.
    #[schema(value_type = String, format = Uuid)]
    site_id: SiteId,
    /// Its number in the site, from 1; null until it is queued.
    number: Option<u64>,
    /// The branch it builds.
    #[schema(value_type = String)]
    branch: Branch,
    /// The alias its deploy moves; null until it is queued.
    #[schema(value_type = Option<String>)]
    alias: Option<AliasName>,
    /// The commit; absent while it is the tip of the branch.
    #[schema(value_type = Option<String>)]
    commit: Option<CommitId>,
    /// What it is about, for people.
    summary: String,
    /// Who wrote the commit: the name that the commit has, or `user:<id>` for who edited it here; null until it is checked out.
    #[schema(required)]
    author: Option<String>,
    /// `queued`, `dispatched`, `started`, then `success`, `failure`, `error`, `timeout`, `canceled` or `skipped`.
    #[schema(value_type = String)]
    state: BuildState,
    /// The newest attempt; 0 before the first.
    attempt: u32,
    /// Why it ended as it did, or waits for another attempt; null on success and while all goes well.
    reason: Option<String>,
    /// What usually helps; null where nothing is known.
    #[schema(required)]
    hint: Option<String>,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When its newest attempt started.
    #[serde(with = "time::serde::rfc3339::option")]
    started_at: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339::option")]
    ended_at: Option<OffsetDateTime>,
    /// From the newest attempt's start to its end, in milliseconds.
    duration_ms: Option<u64>,
    /// The newer build that took its place.
    #[schema(value_type = Option<String>, format = Uuid)]
    superseded_by: Option<BuildId>,
    /// The deploy it made.
    #[schema(value_type = Option<String>)]
    deploy: Option<DeployId>,
    /// Who began its story.
    requested_by: Option<String>,
    /// What began its story; null until the timeline has it.
    #[schema(required)]
    trigger: Option<Trigger>,
    /// Its story: ask for the events with this correlation.
    correlation: String,
    /// What the attempt that ended it did, in order; empty until then, and where there was none.
    steps: Vec<effort::Step>,
    /// What that attempt took; null until then, and where there was none.
    #[schema(required)]
    resources: Option<effort::Resources>,
    /// The pull request that it is for; null for none. One from a fork is given nothing of the site.
    #[schema(required)]
    pull_request: Option<Pulled>,
    /// Whether it was asked for with what builds of the site had kept thrown away.
    clear_cache: bool,
}

/// The pull request that a build is for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BuildPullRequest)]
struct Pulled {
    /// Its number in the site's repository.
    number: u64,
    /// The fork that it comes from; null if its branch is the repository's own.
    #[schema(value_type = Option<String>, required)]
    fork: Option<RepositoryUrl>,
}

impl From<PullRequest> for Pulled {
    fn from(PullRequest { number, fork }: PullRequest) -> Self {
        Self { number, fork }
    }
}

/// What began the story of a build.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BuildTrigger)]
pub(crate) struct Trigger {
    /// `push`, `pull_request`, `schedule`, or `request` by a person: for a build, or for a site or its settings that lead to one.
    #[schema(value_type = String)]
    kind: TriggerKind,
    /// Who.
    actor: String,
}

impl Trigger {
    /// Neither is known without the other.
    pub(crate) fn of(kind: Option<TriggerKind>, actor: Option<&str>) -> Option<Self> {
        let actor = actor?.to_owned();
        kind.map(|kind| Self { kind, actor })
    }
}

impl From<builds::BuildRow> for Shown {
    fn from(build: builds::BuildRow) -> Self {
        Self {
            id: build.id,
            site: build.site_name.map_or_else(|| build.site.to_string(), |name| name.to_string()),
            site_id: build.site,
            number: build.number,
            branch: build.branch,
            alias: build.alias,
            commit: build.commit,
            author: build.author.as_ref().map(written_by),
            summary: build.summary,
            state: build.state,
            attempt: build.attempt,
            reason: Some(build.reason).filter(|reason| !reason.is_empty()),
            hint: build.hint,
            created_at: build.created_at,
            started_at: build.started_at,
            ended_at: build.ended_at,
            duration_ms: build.duration_ms,
            superseded_by: build.superseded_by,
            deploy: build.deploy,
            trigger: Trigger::of(build.trigger, build.requested_by.as_deref()),
            requested_by: build.requested_by,
            correlation: build.correlation.to_string(),
            steps: build.steps.into_iter().map(effort::Step::from).collect(),
            resources: build.resources.map(effort::Resources::from),
            pull_request: build.pull_request.map(Pulled::from),
            clear_cache: build.clear_cache,
        }
    }
}

/// The author of a commit as text: who is known here is named as in facts.
pub(crate) fn written_by(author: &Author) -> String {
    match author {
        Author::Name(name) => name.clone(),
        Author::Person(id) => Actor::user(*id).to_string(),
    }
}

/// List the builds of a site
#[utoipa::path(get, path = "/sites/{site}/builds", tag = "builds", params(("site" = String, Path), Page), responses(
    (status = 200, description = "Its builds, newest source first", body = Items<Shown>),
))]
pub(crate) async fn list(
    view: View,
    Named(site): Named<Place>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Shown>>, Problem> {
    let (reads, after) = (page.reads()?, page.after_as()?);
    let site = view.site(&site).await?;
    let builds = view.model.builds(site.id, reads, after).await?;
    page.cut(builds, |build| build.source_sequence.to_string(), Shown::from).map(Json)
}

/// Ask for a build
#[utoipa::path(post, path = "/sites/{site}/builds", tag = "builds",
    params(("site" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Asks for the same once, however often it is sent")),
    request_body = NewBuild, responses(
    (status = 201, description = "It will be queued; null if the read model lags", body = Option<Shown>,
        headers(("Location" = String))),
))]
pub(crate) async fn request(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(site): Named<Place>,
    Body(body): Body<NewBuild>,
) -> Result<Response, Problem> {
    let source = commands::Source { branch: body.branch, commit: body.commit };
    let id = commands::request_build(&app, &site, source, caller).await?;
    Ok(created(&app, id).await)
}

/// A build that was asked for.
async fn created(app: &Shared, id: BuildId) -> Response {
    let location = [(header::LOCATION, format!("{API}/builds/{id}"))];
    let shown = commands::soon(app.model.build(id)).await.flatten().map(Shown::from);
    (StatusCode::CREATED, location, Json(shown)).into_response()
}

/// Build the same once more
#[utoipa::path(post, path = "/builds/{id}/retry", tag = "builds",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Asks for the same once, however often it is sent")),
    request_body = Option<Retry>, responses(
    (status = 201, description = "A new build of the same commit will be queued, by the site's settings of today; null if the read model lags",
        body = Option<Shown>, headers(("Location" = String))),
))]
pub(crate) async fn retry(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<BuildId>,
    body: Option<Body<Retry>>,
) -> Result<Response, Problem> {
    let Retry { clear_cache } = body.map(|Body(body)| body).unwrap_or_default();
    let cache = if clear_cache { commands::Cache::Clear } else { commands::Cache::Use };
    let id = commands::retry_build(&app, id, cache, caller).await?;
    Ok(created(&app, id).await)
}

/// Read a build
#[utoipa::path(get, path = "/builds/{id}", tag = "builds", params(("id" = String, Path)), responses(
    (status = 200, description = "The build", body = Shown),
))]
pub(crate) async fn show(view: View, Named(id): Named<BuildId>) -> Result<Json<Shown>, Problem> {
    let build = view.build(id).await?;
    Ok(Json(build.into()))
}

/// Cancel a build
#[utoipa::path(post, path = "/builds/{id}/cancel", tag = "builds", params(("id" = String, Path)), responses(
    (status = 202, description = "It is canceled; a container that runs for it is stopped"),
))]
pub(crate) async fn cancel(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<BuildId>,
) -> Result<StatusCode, Problem> {
    commands::cancel_build(&app, id, caller).await?;
    Ok(StatusCode::ACCEPTED)
}
