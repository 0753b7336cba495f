//! What may be asked about builds.

use super::BuildRow;
use crate::model::{self, Model, bigint, page};
use crate::{Error, Sight};
use events::{BuildId, SiteId};
use sqlx::types::Uuid;

/// Who began the story of a `build`.
pub(crate) const REQUESTED_BY: &str =
    "(SELECT actor FROM @.events WHERE id = build.correlation ORDER BY sequence LIMIT 1)";
/// What began it.
pub(crate) const TRIGGER: &str =
    "(SELECT CASE WHEN type LIKE 'dev.pagefold.repository.%' AND build.pull_request IS NOT NULL THEN 'pull_request'
        WHEN type LIKE 'dev.pagefold.repository.%' THEN 'push'
        WHEN type = 'dev.pagefold.build.scheduled.v1' THEN 'schedule' ELSE 'request' END
    FROM @.events WHERE id = build.correlation ORDER BY sequence LIMIT 1)";

/// A build with who began its story and what its site is called. Both are looked up here and not in the fold, so that a
/// rebuild needs no index.
fn shown() -> String {
    format!(
        "SELECT to_json(shown) FROM @.builds build, LATERAL (SELECT build.*, {REQUESTED_BY} AS requested_by,
            {TRIGGER} AS trigger, (SELECT name FROM @.sites WHERE id = build.site) AS site_name) shown"
    )
}

impl Model {
    /// Builds of a site, newest source first: those of source before the log sequence `before`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn builds(&self, site: SiteId, limit: u32, before: Option<u64>) -> Result<Vec<BuildRow>, Error> {
        let text = format!(
            "{} WHERE build.site = $1 AND build.source_sequence < $2 ORDER BY build.source_sequence DESC LIMIT $3",
            shown()
        );
        let query: model::Rows<'_, BuildRow> = sqlx::query_scalar(self.sql(&text));
        let before = before.map_or(i64::MAX, bigint);
        self.all("read builds of a site", query.bind(site.0).bind(before).bind(page(limit))).await
    }

    /// The build of the newest source of each of `sites`, of those that have any.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn latest_builds(&self, sites: &[SiteId]) -> Result<Vec<BuildRow>, Error> {
        let text = format!(
            "SELECT latest.* FROM unnest($1::uuid[]) wanted (site), LATERAL (
                {} WHERE build.site = wanted.site ORDER BY build.source_sequence DESC LIMIT 1) latest",
            shown()
        );
        let query: model::Rows<'_, BuildRow> = sqlx::query_scalar(self.sql(&text));
        let sites: Vec<Uuid> = sites.iter().map(|site| site.0).collect();
        self.all("read the latest builds of sites", query.bind(sites)).await
    }

    /// The builds in `sight` that have not ended, the newest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn open_builds(&self, sight: &Sight, limit: u32) -> Result<Vec<BuildRow>, Error> {
        let text = format!(
            "{} WHERE build.state IN ('queued', 'dispatched', 'started')
             AND ($1::uuid[] IS NULL OR build.site IN (SELECT id FROM @.sites WHERE organization = ANY ($1)))
             AND ($2::uuid IS NULL OR build.site = $2) ORDER BY build.created_at DESC, build.id LIMIT $3",
            shown()
        );
        let (organizations, site) = sight.parameters();
        let query: model::Rows<'_, BuildRow> = sqlx::query_scalar(self.sql(&text));
        self.all("read open builds", query.bind(organizations).bind(site).bind(page(limit))).await
    }

    /// One build.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn build(&self, id: BuildId) -> Result<Option<BuildRow>, Error> {
        let query: model::Rows<'_, BuildRow> =
            sqlx::query_scalar(self.sql(&format!("{} WHERE build.id = $1", shown())));
        self.one("read a build", query.bind(id.0)).await
    }
}
