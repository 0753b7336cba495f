//! Receivers of notices: who is told what happens to a site.

use super::extract::{Asked, Body, Named};
use super::page::{Items, Page};
use super::version::{if_match, tag};
use crate::app::{App, Shared};
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::problem::Problem;
use crate::reception;
use crate::urls::API;
use crate::view::View;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use events::event::Reception;
use events::receiver::{Kind, Known, Occasion, ReceiverName};
use events::{ReceiverId, Refusal, SiteId};
use http::{HeaderMap, StatusCode, header};
use projections::receivers::ReceiverRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// A receiver.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Receiver)]
pub(crate) struct Shown {
    /// Its identity.
    #[schema(value_type = String, format = Uuid)]
    id: ReceiverId,
    /// How it is told.
    #[schema(value_type = KindWord)]
    kind: Kind,
    /// What its people call it.
    #[schema(value_type = String)]
    name: ReceiverName,
    /// What it is told of.
    #[schema(value_type = Vec<OccasionWord>)]
    wants: BTreeSet<Occasion>,
    /// Where it is told, without what lets in there.
    address: String,
}

/// How a receiver is told.
#[derive(ToSchema)]
#[schema(as = ReceiverKind, rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes the words that facts have")]
pub(crate) enum KindWord {
    Webhook,
    Slack,
    Email,
    Github,
    Cdevents,
}

/// What a receiver is told of.
#[derive(ToSchema)]
#[schema(as = Occasion, rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes the words that facts have")]
pub(crate) enum OccasionWord {
    BuildQueued,
    BuildStarted,
    BuildSucceeded,
    BuildFailed,
    BuildCanceled,
    Promoted,
    Removed,
    Locked,
    Unlocked,
}

/// A receiver that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeReceiver)]
pub(crate) struct Made {
    #[serde(flatten)]
    receiver: Shown,
    /// What its notices are signed with, shown this once; null where nothing is signed.
    #[schema(required)]
    secret: Option<String>,
}

/// A receiver to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewReceiver)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// How it is told.
    #[schema(value_type = KindWord)]
    kind: Kind,
    /// What its people call it, one line.
    #[schema(value_type = String, min_length = 1, max_length = 60)]
    name: ReceiverName,
    /// What it is told of; what is usual for its kind if absent.
    #[schema(value_type = Option<Vec<OccasionWord>>, min_items = 1)]
    wants: Option<BTreeSet<Occasion>>,
    /// Where it is told: a URL, the page of a repository, or an address of mail.
    #[schema(min_length = 1, max_length = 2000)]
    address: String,
    /// What lets notices in there, for `github` and `cdevents` alone: a token. It is not shown again.
    #[schema(max_length = 500)]
    token: Option<String>,
}

/// What of a receiver shall be otherwise.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ReceiverChange)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// What its people call it.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 60)]
    name: Option<ReceiverName>,
    /// What it is told of.
    #[schema(value_type = Option<Vec<OccasionWord>>, min_items = 1)]
    wants: Option<BTreeSet<Occasion>>,
    /// Where it is told.
    #[schema(min_length = 1, max_length = 2000)]
    address: Option<String>,
    /// What lets notices in there; empty if nothing is needed any more. Where there is one, another address needs it too.
    #[schema(max_length = 500)]
    token: Option<String>,
}

impl Shown {
    async fn of(app: &App, site: SiteId, reception: Reception) -> Result<Self, Problem> {
        let Reception { receiver: id, kind, name, wants, address, .. } = reception;
        let address = reception::addresses(app, site, &[(kind, address)]).await?.pop().unwrap_or_default();
        Ok(Self { id, kind, name, wants, address })
    }

    async fn all(app: &App, site: SiteId, rows: Vec<ReceiverRow>) -> Result<Vec<Self>, Problem> {
        let sealed: Vec<_> = rows.iter().map(|row| (row.kind, row.address.clone())).collect();
        let addresses = reception::addresses(app, site, &sealed).await?;
        let shown = |(row, address): (ReceiverRow, String)| Self {
            wants: reception::wanted(&row.wants),
            id: row.id,
            kind: row.kind,
            name: row.name,
            address,
        };
        Ok(rows.into_iter().zip(addresses).map(shown).collect())
    }
}

/// List the receivers of a site
#[utoipa::path(get, path = "/sites/{site}/receivers", tag = "receivers", params(("site" = String, Path), Page), responses(
    (status = 200, description = "Who is told what happens to it, by id", body = Items<Shown>),
))]
pub(crate) async fn list(
    view: View,
    Named(site): Named<Place>,
    Asked(page): Asked<Page>,
) -> Result<Json<Items<Shown>>, Problem> {
    let site = view.site(&site).await?;
    let rows = view.model.receivers(site.id, page.reads()?, page.after_as()?).await?;
    let page = page.cut(rows, |row| row.id.to_string(), |row| row)?;
    page.try_map(async |rows| Shown::all(&view, site.id, rows).await).await.map(Json)
}

/// Tell another what happens to a site, from now on
#[utoipa::path(post, path = "/sites/{site}/receivers", tag = "receivers",
    params(("site" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Makes one receiver, however often it is sent; a repeat is told that it was made")),
    request_body = Wanted, responses(
    (status = 201, description = "It was made", body = Made, headers(("Location" = String), ("ETag" = String))),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(place): Named<Place>,
    Body(Wanted { kind, name, wants, address, token }): Body<Wanted>,
) -> Result<Response, Problem> {
    let new = commands::NewReceiver { kind, name, wants, address, token };
    let commands::NewReception { known, site, secret } = commands::create_receiver(&app, &place, new, caller).await?;
    let Known { reception, version } = known;
    let location = [(header::LOCATION, format!("{API}/sites/{site}/receivers/{}", reception.receiver))];
    let receiver = Shown::of(&app, site, reception).await?;
    Ok((StatusCode::CREATED, location, tag(version), Json(Made { receiver, secret })).into_response())
}

/// Read a receiver
#[utoipa::path(get, path = "/sites/{site}/receivers/{id}", tag = "receivers",
    params(("site" = String, Path), ("id" = String, Path)), responses(
    (status = 200, description = "The receiver", body = Shown, headers(("ETag" = String))),
))]
pub(crate) async fn show(view: View, Path((site, id)): Path<(String, String)>) -> Result<Response, Problem> {
    let row = view.receiver(&site, &id).await?;
    let (site, version) = (row.site, row.version);
    let shown = Shown::all(&view, site, vec![row]).await?.pop().ok_or(Refusal::ReceiverNotFound)?;
    Ok((tag(version), Json(shown)).into_response())
}

/// Change a receiver (JSON merge patch)
#[utoipa::path(patch, path = "/sites/{site}/receivers/{id}", tag = "receivers",
    params(
        ("site" = String, Path), ("id" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The entity tag of the receiver as the caller saw it"),
    ),
    request_body(content = Change, content_type = "application/merge-patch+json"), responses(
    (status = 200, description = "It is so", body = Shown, headers(("ETag" = String))),
))]
pub(crate) async fn change(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, id)): Path<(String, String)>,
    headers: HeaderMap,
    Body(Change { name, wants, address, token }): Body<Change>,
) -> Result<Response, Problem> {
    let (place, id) = named(&site, &id)?;
    let edit = commands::ReceiverEdit { name, wants, address, token, seen: if_match(&headers)? };
    let (site, Known { reception, version }) = commands::change_receiver(&app, &place, id, edit, caller).await?;
    Ok((tag(version), Json(Shown::of(&app, site, reception).await?)).into_response())
}

/// Tell a receiver nothing any more
#[utoipa::path(delete, path = "/sites/{site}/receivers/{id}", tag = "receivers",
    params(("site" = String, Path), ("id" = String, Path)), responses(
    (status = 204, description = "It is told nothing any more"),
))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((site, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (place, id) = named(&site, &id)?;
    commands::remove_receiver(&app, &place, id, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The site and the receiver of a path.
pub(super) fn named(site: &str, id: &str) -> Result<(Place, ReceiverId), Problem> {
    let place = site.parse().map_err(|_| Problem::NotFound)?;
    Ok((place, id.parse().map_err(|_| Refusal::ReceiverNotFound)?))
}
