//! Builds: asked for, watched, canceled.

use super::extract::{Asked, Body, Named};
use super::sites::known;
use crate::auth::Caller;
use crate::commands;
use crate::problem::Problem;
use crate::server::Shared;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::{Branch, BuildId, CommitId, Refusal, SiteName};
use http::{StatusCode, header};
use projections::builds::{self, State as BuildState};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

/// Rows of a list unless it is asked for more.
const LIMIT: u32 = 50;

/// Which part of a site's history, newest first.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// At most this many, 1 to 200; 50 if absent.
    limit: Option<u32>,
    /// Only those of builds with a smaller number.
    before: Option<u64>,
}

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

/// A build that will be queued.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Requested {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: BuildId,
    /// The site it builds.
    #[schema(value_type = String)]
    site: SiteName,
}

/// A build.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Build)]
pub(crate) struct Shown {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: BuildId,
    /// The site it builds.
    #[schema(value_type = String)]
    site: SiteName,
    /// Its number in the site, from 1.
    number: u64,
    /// The branch it builds.
    #[schema(value_type = String)]
    branch: Branch,
    /// The commit; absent while it is the tip of the branch.
    #[schema(value_type = Option<String>)]
    commit: Option<CommitId>,
    /// What it is about, for people.
    summary: String,
    /// `queued`, `dispatched`, `running`, then `success`, `failure`, `error`, `timeout` or `canceled`.
    #[schema(value_type = String)]
    state: BuildState,
    /// The newest attempt; 0 before the first.
    attempt: u32,
    /// Why it ended as it did; empty on success.
    message: String,
    /// When it was queued.
    #[serde(with = "time::serde::rfc3339")]
    queued_at: OffsetDateTime,
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
    deploy: Option<String>,
    /// Who began its story.
    requested_by: Option<String>,
    /// Its story: ask for the events with this correlation.
    correlation: String,
}

/// Builds of a site, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Builds {
    /// To read on, ask for those before the last one's number.
    builds: Vec<Shown>,
}

impl Page {
    pub(crate) fn limit(&self) -> Result<u32, Problem> {
        super::limit(self.limit, LIMIT)
    }

    pub(crate) const fn before(&self) -> Option<u64> {
        self.before
    }
}

impl From<builds::Build> for Shown {
    fn from(build: builds::Build) -> Self {
        Self {
            id: build.id,
            site: build.site,
            number: build.number,
            branch: build.branch,
            commit: build.commit,
            summary: build.summary,
            state: build.state,
            attempt: build.attempt,
            message: build.message,
            queued_at: build.queued_at,
            started_at: build.started_at,
            ended_at: build.ended_at,
            duration_ms: build.duration_ms,
            superseded_by: build.superseded_by,
            deploy: build.deploy.map(|deploy| deploy.to_string()),
            requested_by: build.requested_by,
            correlation: build.correlation.to_string(),
        }
    }
}

/// List the builds of a site
#[utoipa::path(get, path = "/sites/{site}/builds", tag = "builds", params(("site" = String, Path), Page), responses(
    (status = 200, description = "Its builds, newest first", body = Builds),
))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Named(site): Named<SiteName>,
    Asked(page): Asked<Page>,
) -> Result<Json<Builds>, Problem> {
    let limit = page.limit()?;
    known(&app, &site).await?;
    let builds = app.model.builds(&site, limit, page.before).await?;
    Ok(Json(Builds { builds: builds.into_iter().map(Shown::from).collect() }))
}

/// Ask for a build
#[utoipa::path(post, path = "/sites/{site}/builds", tag = "builds", params(("site" = String, Path)),
    request_body = NewBuild, responses(
    (status = 202, description = "It will be queued", body = Requested, headers(("Location" = String))),
))]
pub(crate) async fn request(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(site): Named<SiteName>,
    Body(body): Body<NewBuild>,
) -> Result<Response, Problem> {
    let id = commands::request_build(&app, &site, (body.branch, body.commit, caller)).await?;
    let location = format!("{}/builds/{id}", super::BASE);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(Requested { id, site })).into_response())
}

/// Read a build
#[utoipa::path(get, path = "/builds/{id}", tag = "builds", params(("id" = String, Path)), responses(
    (status = 200, description = "The build", body = Shown),
))]
pub(crate) async fn show(State(app): State<Shared>, Named(id): Named<BuildId>) -> Result<Json<Shown>, Problem> {
    let build = app.model.build(id).await?.ok_or(Problem::Refused(Refusal::BuildNotFound))?;
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
