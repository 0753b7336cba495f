//! Deploys that are kept no longer: more than their site keeps, older than it keeps them, and shown nowhere.

use crate::Error;
use crate::model::{self, Model, bigint, page};
use events::building::Keeping;
use events::{DeployId, SiteId, SiteName};
use serde::Deserialize;
use time::OffsetDateTime;

/// A deploy that shall go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SurplusRow {
    /// Which.
    pub id: DeployId,
    /// The site it belongs to.
    pub site: SiteId,
    /// What that is called.
    pub name: SiteName,
    /// The number of the build that made it.
    pub number: u64,
    /// When it was stored.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// What its site keeps.
    pub keeping: Keeping,
}

impl Model {
    /// Deploys that may go at the moment `at`, which are no younger than [`events::building::SETTLING`]: of one site or of all that
    /// are not deleted, the oldest source first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn surplus(
        &self,
        site: Option<SiteId>,
        at: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<SurplusRow>, Error> {
        let Keeping { deploys, days } = Keeping::default();
        let query: model::Rows<'_, SurplusRow> = sqlx::query_scalar(self.sql(
            "SELECT to_json(surplus) FROM (
                SELECT deploy.id, deploy.site, site.name, deploy.number, deploy.created_at, deploy.source_sequence,
                    json_build_object('deploys', kept.deploys, 'days', kept.days) AS keeping
                FROM (SELECT *, row_number() OVER (PARTITION BY site ORDER BY source_sequence DESC, id) AS place
                    FROM @.deploys WHERE collected_at IS NULL AND ($1::uuid IS NULL OR site = $1)) deploy
                JOIN @.sites site ON site.id = deploy.site AND site.deleted_at IS NULL,
                LATERAL (SELECT
                    coalesce((site.building #>> '{keeping,deploys}')::bigint, $2) AS deploys,
                    coalesce((site.building #>> '{keeping,days}')::bigint, $3) AS days) kept
                WHERE deploy.place > kept.deploys
                    AND deploy.created_at < $4 - greatest(kept.days * interval '1 day', $5 * interval '1 second')
                    AND NOT EXISTS (SELECT FROM @.aliases alias WHERE alias.site = deploy.site AND alias.deploy = deploy.id)
                ORDER BY deploy.source_sequence, deploy.id LIMIT $6) surplus",
        ));
        let query = query.bind(site.map(|site| site.0)).bind(i64::from(deploys.get())).bind(i64::from(days));
        let settling = bigint(events::building::SETTLING.as_secs());
        self.all("find deploys that are kept no longer", query.bind(at).bind(settling).bind(page(limit))).await
    }
}
