//! When and how a site is built, as the API tells it: every field, whatever its default.

use events::{Building, CancelRunning};
use serde::Serialize;
use utoipa::ToSchema;

/// How a site is built.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SiteBuilding)]
pub(super) struct Shown {
    /// Which builds that run are ended by a newer push of their branch: those of `previews`, `all` or `none`.
    #[schema(value_type = String)]
    cancel_running: CancelRunning,
}

impl From<Building> for Shown {
    fn from(building: Building) -> Self {
        let Building { cancel_running } = building;
        Self { cancel_running }
    }
}
