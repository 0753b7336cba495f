//! Deploys that are kept no longer, for those who look after the whole installation.

use super::extract::Asked;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::platform;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::State;
use axum::{Extension, Json};
use events::DeployId;
use events::building::Keeping;
use projections::surplus::SurplusRow;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Whether that is only told and not done.
    #[serde(default)]
    dry_run: bool,
    /// The name or the id of the one site that is meant; all if absent.
    site: Option<String>,
}

/// A deploy that is kept no longer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Surplus {
    /// Which.
    #[schema(value_type = String)]
    id: DeployId,
    /// What the site it belongs to is called.
    site: String,
    /// That site's identity.
    site_id: Uuid,
    /// The number of the build that made it.
    number: u64,
    /// When it was stored.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// How many of the newest its site keeps.
    keep_deploys: u16,
    /// For how many days its site keeps each.
    keep_days: u16,
}

/// What is kept no longer, and what goes with it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Collection {
    /// Whether that is only told.
    dry_run: bool,
    /// The oldest, at most 1000.
    deploys: Vec<Surplus>,
    /// Whether there are more: ask again.
    more: bool,
    /// Packs of files that no other deploy has anything of.
    packs: u64,
    /// What goes in the object store, in bytes.
    bytes: u64,
}

impl From<SurplusRow> for Surplus {
    fn from(row: SurplusRow) -> Self {
        let SurplusRow { id, site, name, number, created_at, keeping } = row;
        let Keeping { deploys, days } = keeping;
        let (site, site_id) = (name.to_string(), site.0);
        Self { id, site, site_id, number, created_at, keep_deploys: deploys.get(), keep_days: days }
    }
}

/// Remove the deploys that sites keep no longer
///
/// Those beyond what each site keeps, and never what an alias shows. Their bytes go within a minute.
#[utoipa::path(post, path = "/admin/collect", tag = "platform", params(Wanted), responses(
    (status = 200, description = "What is kept no longer", body = Collection),
))]
pub(crate) async fn collect(
    view: View,
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Asked(Wanted { dry_run, site }): Asked<Wanted>,
) -> Result<Json<Collection>, Problem> {
    platform::may_look(&view)?;
    let place = site.map(|site| site.parse::<Place>()).transpose()?;
    let site = match &place {
        Some(place) => Some(view.site(place).await?.id),
        None => None,
    };
    let surplus = commands::surplus(&app, site).await?;
    if !dry_run {
        commands::collect(&app, &surplus, &caller).await?;
    }
    let commands::Surplus { deploys, more, packs, bytes } = surplus;
    let deploys = deploys.into_iter().map(Surplus::from).collect();
    Ok(Json(Collection { dry_run, deploys, more, packs, bytes }))
}
