//! A site as the log knows it.

use crate::app::Shared;
use crate::problem::Problem;
use events::site::Active;
use events::{Refusal, Site, SiteId};

/// The site, if there is one.
pub(super) async fn active(app: &Shared, id: SiteId) -> Result<Active, Problem> {
    match app.log.load::<Site>(&id.to_string()).await?.state {
        Site::Active(active) => Ok(active),
        Site::Unknown | Site::Deleted(_) | Site::Erased(_) => Err(Refusal::SiteNotFound.into()),
    }
}
