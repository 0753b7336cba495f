//! What somebody looks at first: how their sites stand, and what of them waits for somebody.

use crate::invitations::InvitationRow;
use crate::model::{self, Model, page};
use crate::sites::{self, SiteRow};
use crate::{Error, Sight};
use events::{Actor, SiteId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// How a site stands: how its newest build ended, if there is one and it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It did not succeed, and not because somebody or something newer ended it.
    Failed,
    /// It has not ended.
    Building,
    /// There is none.
    Unbuilt,
    /// It succeeded, or was ended for good reason.
    Settled,
}

/// How sites are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Those that failed first, then those that are built, then by name.
    #[default]
    Urgent,
    /// By name.
    Name,
    /// Where something happened last, first.
    Recent,
}

/// Which sites, in which order, and which part of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// What is in their names or their repositories' addresses, in lower case.
    pub search: String,
    /// How they stand.
    pub standing: Option<Standing>,
    /// Their order.
    pub order: Order,
    /// At most this many.
    pub limit: u32,
    /// After this many.
    pub skip: u32,
}

/// The sites that were asked for, and how many there are of each standing among those that were searched for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Overview {
    /// All.
    pub all: u64,
    /// Those whose newest build failed.
    pub failed: u64,
    /// Those that are being built.
    pub building: u64,
    /// Those that were never built.
    pub unbuilt: u64,
    /// The sites of this part, in order.
    pub sites: Vec<SiteId>,
}

impl Overview {
    /// How many stand so; all if it does not matter.
    #[must_use]
    pub const fn of(&self, standing: Option<Standing>) -> u64 {
        match standing {
            None => self.all,
            Some(Standing::Failed) => self.failed,
            Some(Standing::Building) => self.building,
            Some(Standing::Unbuilt) => self.unbuilt,
            Some(Standing::Settled) => self.all - self.failed - self.building - self.unbuilt,
        }
    }
}

impl Standing {
    const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Building => "building",
            Self::Unbuilt => "unbuilt",
            Self::Settled => "settled",
        }
    }
}

impl Order {
    const fn sql(self) -> &'static str {
        match self {
            Self::Urgent => "CASE standing WHEN 'failed' THEN 0 WHEN 'building' THEN 1 ELSE 2 END, name, id",
            Self::Name => "name, id",
            Self::Recent => "at DESC, name, id",
        }
    }
}

/// Sites with the state of their newest build, which the index on a site's builds gives at once.
const SEEN: &str = "SELECT site.id, site.name,
    COALESCE(newest.ended_at, newest.started_at, newest.created_at, site.created_at) AS at,
    CASE WHEN newest.state IS NULL THEN 'unbuilt'
         WHEN newest.state IN ('failure', 'error', 'timeout') THEN 'failed'
         WHEN newest.state IN ('queued', 'dispatched', 'started') THEN 'building'
         ELSE 'settled' END AS standing
    FROM @.sites site LEFT JOIN LATERAL (
        SELECT build.state, build.created_at, build.started_at, build.ended_at FROM @.builds build
        WHERE build.site = site.id ORDER BY build.source_sequence DESC LIMIT 1) newest ON TRUE
    WHERE site.deleted_at IS NULL
    AND ($1::uuid[] IS NULL OR site.organization = ANY ($1)) AND ($2::uuid IS NULL OR site.id = $2)
    AND ($3 = '' OR strpos(site.name, $3) > 0 OR strpos(lower(site.repository), $3) > 0)";

impl Model {
    /// How the sites in `sight` stand, and a part of them.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn overview(&self, sight: &Sight, listing: &Listing) -> Result<Overview, Error> {
        let Listing { search, standing, order, limit, skip } = listing;
        let text = format!(
            "WITH seen AS MATERIALIZED ({SEEN}),
             part AS (SELECT id, row_number() OVER (ORDER BY {order}) AS place FROM seen
                 WHERE $4::text IS NULL OR standing = $4 ORDER BY place LIMIT $5 OFFSET $6)
             SELECT json_build_object(
                 'all', count(*), 'failed', count(*) FILTER (WHERE standing = 'failed'),
                 'building', count(*) FILTER (WHERE standing = 'building'),
                 'unbuilt', count(*) FILTER (WHERE standing = 'unbuilt'),
                 'sites', COALESCE((SELECT json_agg(id ORDER BY place) FROM part), '[]')) FROM seen",
            order = order.sql()
        );
        let (organizations, site) = sight.parameters();
        let query: model::Rows<'_, Overview> = sqlx::query_scalar(self.sql(&text));
        let query = query.bind(organizations).bind(site).bind(search).bind(standing.map(Standing::name));
        let found = self.one("look over sites", query.bind(page(*limit)).bind(i64::from(*skip))).await?;
        Ok(found.unwrap_or(Overview { all: 0, failed: 0, building: 0, unbuilt: 0, sites: Vec::new() }))
    }

    /// The sites in `sight` that `actor` locked, those locked last first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn sites_locked_by(&self, actor: &Actor, sight: &Sight, limit: u32) -> Result<Vec<SiteRow>, Error> {
        let text = format!(
            "{} WHERE site.deleted_at IS NULL
             AND site.id IN (SELECT held.site FROM @.locks held WHERE held.locked_by = $1)
             AND ($2::uuid[] IS NULL OR site.organization = ANY ($2)) AND ($3::uuid IS NULL OR site.id = $3)
             ORDER BY site.name LIMIT $4",
            sites::SHOWN
        );
        let (organizations, site) = sight.parameters();
        let query: model::Rows<'_, SiteRow> = sqlx::query_scalar(self.sql(&text));
        let query = query.bind(&actor.0).bind(organizations).bind(site).bind(page(limit));
        self.all("read locked sites", query).await
    }

    /// The sites in `sight` that `actor` created and whose repository has never sent anything, the newest first, at most `limit`. One
    /// that is kept here has nothing to send.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn silent_sites_of(&self, actor: &Actor, sight: &Sight, limit: u32) -> Result<Vec<SiteRow>, Error> {
        let text = format!(
            "{} WHERE site.deleted_at IS NULL AND site.created_by = $1 AND site.webhook_pinged_at IS NULL
             AND site.repository NOT LIKE 'pagefold:%'
             AND ($2::uuid[] IS NULL OR site.organization = ANY ($2)) AND ($3::uuid IS NULL OR site.id = $3)
             AND NOT EXISTS (SELECT FROM @.events event WHERE event.aggregate = 'repository'
                 AND event.subject IN (site.source, site.source || '#' || site.id))
             ORDER BY site.created_at DESC LIMIT $4",
            sites::SHOWN
        );
        let (organizations, site) = sight.parameters();
        let query: model::Rows<'_, SiteRow> = sqlx::query_scalar(self.sql(&text));
        let query = query.bind(&actor.0).bind(organizations).bind(site).bind(page(limit));
        self.all("read sites that nobody pushes to", query).await
    }

    /// The invitations that are good at `now`, those that end first first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn good_invitations(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<InvitationRow>, Error> {
        let text = "SELECT to_json(row) FROM @.invitations row
            WHERE state = 'open' AND expires_at > $1 ORDER BY expires_at, id LIMIT $2";
        let query: model::Rows<'_, InvitationRow> = sqlx::query_scalar(self.sql(text));
        self.all("read invitations", query.bind(now).bind(page(limit))).await
    }
}
