//! Routes: what paths of hosts lead to, before any site is asked.

use super::extract::{Asked, Body};
use super::page::{Items, Page};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, Imported};
use crate::place::Place;
use crate::problem::Problem;
use crate::routing::{self, Goes, IMPORT_BYTES_MAX, Written};
use crate::urls::API;
use crate::view::View;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use events::event::Routed;
use events::routing::{Destination, HostName, Leads, Origin, RoutePath};
use events::{Refusal, RouteId, SiteId};
use http::{HeaderMap, StatusCode, header};
use projections::routes::{RouteRow, Routes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A route.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Route)]
pub(crate) struct Shown {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: RouteId,
    /// The host whose path it is.
    #[schema(value_type = String)]
    host: HostName,
    /// The path.
    #[schema(value_type = String)]
    path: RoutePath,
    /// Whether it is of this path (`exact`), or of all below it too (`prefix`).
    kind: &'static str,
    /// Where it leads: `site`, `redirect`, `gone` or `backend`.
    action: &'static str,
    /// The site whose live pages are shown.
    #[schema(value_type = Option<String>, format = Uuid, required)]
    site: Option<SiteId>,
    /// What a redirect leads to.
    #[schema(value_type = Option<String>, required)]
    to: Option<Destination>,
    /// How a redirect is told.
    #[schema(required)]
    status: Option<u16>,
    /// Whether the rest of the path and the query go on behind it.
    #[schema(value_type = Option<String>, required)]
    segments: Option<&'static str>,
    /// The page that says that it is gone, of the site whose host it is.
    #[schema(value_type = Option<String>, required)]
    page: Option<RoutePath>,
    /// The server that is asked.
    #[schema(value_type = Option<String>, required)]
    backend: Option<Origin>,
    /// The site whose host it is; null for a host that is no site's.
    #[schema(value_type = Option<String>, format = Uuid, required)]
    owner: Option<SiteId>,
}

impl From<Routed> for Shown {
    fn from(Routed { route, host, path, kind, leads, owner }: Routed) -> Self {
        let (id, kind, action) = (route, kind.as_str(), leads.action());
        let (site, to, status, segments, page, backend) = (None, None, None, None, None, None);
        let shown = Self { id, host, path, kind, action, site, to, status, segments, page, backend, owner };
        match leads {
            Leads::Site { site } => Self { site: Some(site), ..shown },
            Leads::Redirect { to, status, segments } => {
                Self { to: Some(to), status: Some(status.code()), segments: Some(segments.as_str()), ..shown }
            }
            Leads::Gone { page } => Self { page, ..shown },
            Leads::Backend { backend } => Self { backend: Some(backend), ..shown },
        }
    }
}

impl From<RouteRow> for Shown {
    fn from(row: RouteRow) -> Self {
        let RouteRow { id: route, host, path, kind, leads, owner, .. } = row;
        Routed { route, host, path, kind, leads, owner }.into()
    }
}

/// Which routes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those of this host.
    host: Option<String>,
    /// Only those of hosts of this site, by its name or its id.
    #[param(value_type = Option<String>)]
    site: Option<Place>,
    /// At most this many, 1 to 1000; 50 if absent.
    limit: Option<u32>,
    /// From after this place: the `next` of the page before.
    after: Option<String>,
}

/// List the routes by host and path
#[utoipa::path(get, path = "/routes", tag = "routes", params(Which), responses(
    (status = 200, description = "Where paths lead", body = Items<Shown>),
))]
pub(crate) async fn list(view: View, Asked(which): Asked<Which>) -> Result<Json<Items<Shown>>, Problem> {
    let owner = match &which.site {
        Some(place) => Some(view.site(place).await?.id),
        None => None,
    };
    let host = which.host.as_deref().map(str::parse).transpose()?;
    let page = Page::new(which.limit, which.after);
    let after = page.after().map(place).transpose()?;
    let rows = view.model.routes(&Routes { host, owner, after, limit: page.reads()? }, &view.sight).await?;
    page.cut(rows, |row| format!("{}{}", row.host, row.path), Shown::from).map(Json)
}

/// A host and a path, where a list goes on.
fn place(text: &str) -> Result<(String, String), Problem> {
    let unknown = || Problem::InvalidInput("`after` is not a place in this list".to_owned());
    let (host, path) = text.split_at(text.find('/').ok_or_else(unknown)?);
    if text.contains('\0') { Err(unknown()) } else { Ok((host.to_owned(), path.to_owned())) }
}

/// Lead a path of a host somewhere
///
/// A path has one route: one that has one already is refused. Managers of an organization do this for the hosts of its sites,
/// admins of the platform for any.
#[utoipa::path(post, path = "/routes", tag = "routes",
    params(("Idempotency-Key" = Option<String>, Header, description = "Adds one route, however often it is sent")),
    request_body = Written, responses(
    (status = 201, description = "It leads there", body = Shown, headers(("Location" = String))),
))]
pub(crate) async fn add(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Body(written): Body<Written>,
) -> Result<Response, Problem> {
    let routed = commands::add_route(&app, written.read()?, caller).await?;
    let location = [(header::LOCATION, format!("{API}/routes/{}", routed.route))];
    Ok((StatusCode::CREATED, location, Json(Shown::from(routed))).into_response())
}

/// What is left behind, if anything.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = RouteRemoval)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removal {
    /// What the path leads to from the same moment on; nothing of its own if absent.
    #[serde(default)]
    leave: Option<Leave>,
}

/// What a path leads to that has no route any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Leave {
    /// Nothing, for good.
    Gone,
    /// A path or an address, for good.
    Redirect(String),
}

/// Take a route away, and leave a redirect or the news that it is gone if that is wanted
#[utoipa::path(delete, path = "/routes/{id}", tag = "routes", params(("id" = String, Path)),
    request_body = Option<Removal>, responses(
    (status = 204, description = "It leads there no more"),
))]
pub(crate) async fn remove(view: View, Path(id): Path<String>, body: Bytes) -> Result<StatusCode, Problem> {
    let row = view.route(&id).await?;
    let removal = match &*body {
        b"" => Removal::default(),
        text => serde_json::from_slice(text).map_err(Problem::invalid)?,
    };
    let leave = match removal.leave {
        None => None,
        Some(Leave::Gone) => Some(Goes::left(None, row.kind)?),
        Some(Leave::Redirect(to)) => Some(Goes::left(Some(&to), row.kind)?),
    };
    commands::remove_route(&view.app, row, leave, view.caller.clone()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How to import.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct How {
    /// Whether nothing is to be added: only what would come of it is told.
    #[serde(default)]
    dry_run: bool,
}

/// What an import came to, or would.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RouteImport)]
pub(crate) struct Told {
    /// Whether nothing was added whatever was right.
    dry_run: bool,
    /// Routes that are new.
    added: usize,
    /// Lines that say what is so already.
    unchanged: usize,
    /// Lines that cannot be routes: the first hundred. Where there is one, nothing is added.
    errors: Vec<Wrong>,
}

/// A line that cannot be a route.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RouteImportError)]
pub(crate) struct Wrong {
    /// Its number in the table, from 1 for the names of the columns.
    line: u64,
    /// What is wrong with it.
    message: String,
}

/// Add the routes of a table in CSV, all of them or none
///
/// The first line names the columns: `host`, `path`, `kind`, `action`, and as needed `site`, `to`, `status`, `segments`,
/// `backend`. At most 500 routes and 1 MiB.
#[utoipa::path(post, path = "/routes/import", tag = "routes", params(How),
    request_body(content = String, content_type = "text/csv"), responses(
    (status = 200, description = "What came of it, or would", body = Told),
))]
pub(crate) async fn import(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Asked(How { dry_run }): Asked<How>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Told>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv") {
        return Err(Problem::UnsupportedMediaType("text/csv"));
    }
    if body.len() > IMPORT_BYTES_MAX {
        return Err(Problem::BodyTooLarge(IMPORT_BYTES_MAX));
    }
    let text = std::str::from_utf8(&body).map_err(|_| Problem::InvalidInput("the table is not UTF-8".to_owned()))?;
    let imported = commands::import_routes(&app, routing::table(text)?, !dry_run, caller).await?;
    if !dry_run && !imported.errors.is_empty() {
        return Err(Problem::ImportRefused(imported.errors.len(), first(&imported)));
    }
    let Imported { added, unchanged, errors } = imported;
    let errors = errors.into_iter().map(|(line, message)| Wrong { line, message }).collect();
    Ok(Json(Told { dry_run, added: added.len(), unchanged, errors }))
}

/// The first wrong line, in words.
fn first(imported: &Imported) -> String {
    imported.errors.first().map(|(line, why)| format!("line {line}: {why}")).unwrap_or_default()
}

impl View {
    /// A route that whoever asks may know of.
    pub(crate) async fn route(&self, id: &str) -> Result<RouteRow, Problem> {
        let missing = || Problem::Refused(Refusal::RouteNotFound);
        let row = self.app.model.route(id.parse().map_err(|_| missing())?).await?.ok_or_else(missing)?;
        let organization = match row.owner {
            Some(site) => self.app.owner_of(site).await?.map(|organization| (site, organization)),
            None => None,
        };
        let sees = match organization {
            Some((site, organization)) => self.sight.sees_site(site, organization),
            None => self.sight == projections::Sight::All,
        };
        if sees { Ok(row) } else { Err(missing()) }
    }
}
