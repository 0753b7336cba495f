//! What those ask who look after the whole installation: the queue, how long builds wait and take, and what organizations use.

use crate::Error;
use crate::model::{self, Model, bigint, page};
use events::{Lane, OrganizationId, OrganizationName};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The open builds of an organization in one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    /// How urgent they are.
    pub lane: Lane,
    /// Whose they are.
    pub organization: OrganizationId,
    /// What that is called; none if it is not known.
    pub name: Option<OrganizationName>,
    /// How many wait for a slot or a launcher.
    pub waiting: u64,
    /// How many are built, or stored.
    pub running: u64,
    /// Since when the first of those waits that wait.
    #[serde(with = "time::serde::rfc3339::option")]
    pub waiting_since: Option<OffsetDateTime>,
}

/// What a launcher has in hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LauncherRow {
    /// Its name.
    pub name: String,
    /// Builds that it works on.
    pub busy: u64,
    /// Since when the first of them.
    #[serde(with = "time::serde::rfc3339")]
    pub busy_since: OffsetDateTime,
}

/// The builds that were asked for within one stretch of time: how long half of them and most of them waited and took, in
/// milliseconds; none where no build was started, or has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaceRow {
    /// When the stretch begins.
    #[serde(with = "time::serde::rfc3339")]
    pub from: OffsetDateTime,
    /// How many builds.
    pub builds: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Half of them waited no longer.
    pub wait_ms: Option<f64>,
    /// 95 % of them waited no longer.
    pub wait_ms_95: Option<f64>,
    /// Half of them took no longer.
    pub took_ms: Option<f64>,
    /// 95 % of them took no longer.
    pub took_ms_95: Option<f64>,
}

/// What an organization uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRow {
    /// Which.
    pub id: OrganizationId,
    /// What it is called.
    pub name: OrganizationName,
    /// Its sites.
    pub sites: u64,
    /// Its members.
    pub members: u64,
    /// Its builds in the time that was asked for.
    pub builds: u64,
    /// How long they took together, in milliseconds.
    pub build_ms: u64,
    /// Bytes that are stored of its sites.
    pub stored_bytes: u64,
}

const PACE: &str = "SELECT json_build_object(
        'from', begins, 'builds', count(*), 'failed', count(*) FILTER (WHERE state IN ('failure', 'error', 'timeout')),
        'wait_ms', percentile_cont(0.5) WITHIN GROUP (ORDER BY wait), 'wait_ms_95', percentile_cont(0.95) WITHIN GROUP (ORDER BY wait),
        'took_ms', percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms),
        'took_ms_95', percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms))
    FROM (SELECT date_bin(make_interval(secs => $2), build.created_at, $1) AS begins, build.state, build.duration_ms,
            EXTRACT(EPOCH FROM build.started_at - build.created_at) * 1000 AS wait
        FROM @.builds build WHERE build.created_at >= $1) built
    GROUP BY begins ORDER BY begins LIMIT 1000";

const USAGE: &str = "SELECT json_build_object(
        'id', of.id, 'name', of.name, 'builds', COALESCE(built.builds, 0), 'build_ms', COALESCE(built.ms, 0),
        'stored_bytes', COALESCE(stored.bytes, 0),
        'sites', (SELECT count(*) FROM @.sites WHERE organization = of.id AND deleted_at IS NULL),
        'members', (SELECT count(*) FROM @.members WHERE organization = of.id))
    FROM (SELECT id, name FROM @.organizations WHERE name > $2 ORDER BY name, id LIMIT $3) of
    LEFT JOIN (SELECT site.organization, count(*) AS builds, sum(build.duration_ms)::bigint AS ms FROM @.builds build
        JOIN @.sites site ON site.id = build.site WHERE build.created_at >= $1 GROUP BY site.organization) built
        ON built.organization = of.id
    LEFT JOIN (SELECT site.organization, sum(deploy.uploaded_bytes)::bigint AS bytes FROM @.deploys deploy
        JOIN @.sites site ON site.id = deploy.site WHERE site.deleted_at IS NULL GROUP BY site.organization) stored
        ON stored.organization = of.id
    ORDER BY of.name, of.id";

impl Model {
    /// The open builds, by lane and organization: those with the longest waiting one first, at most `limit` lines.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn queue(&self, limit: u32) -> Result<Vec<QueueRow>, Error> {
        let text = "SELECT json_build_object('lane', lane, 'organization', organization, 'waiting', waiting,
                'running', running, 'waiting_since', waiting_since,
                'name', (SELECT name FROM @.organizations WHERE id = line.organization))
            FROM (SELECT build.lane, site.organization, count(*) FILTER (WHERE build.state <> 'started') AS waiting,
                    count(*) FILTER (WHERE build.state = 'started') AS running,
                    min(build.created_at) FILTER (WHERE build.state <> 'started') AS waiting_since
                FROM @.builds build JOIN @.sites site ON site.id = build.site
                WHERE build.state IN ('queued', 'dispatched', 'started')
                GROUP BY build.lane, site.organization) line
            ORDER BY lane, waiting_since NULLS LAST, organization LIMIT $1";
        let query: model::Rows<'_, QueueRow> = sqlx::query_scalar(self.sql(text));
        self.all("read the queue", query.bind(page(limit))).await
    }

    /// The launchers that work on something, by name.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn busy_launchers(&self) -> Result<Vec<LauncherRow>, Error> {
        let text = "SELECT json_build_object('name', worker, 'busy', count(*), 'busy_since', min(started_at))
            FROM @.builds WHERE state IN ('queued', 'dispatched', 'started') AND state = 'started' AND ended_at IS NULL
            AND worker IS NOT NULL GROUP BY worker ORDER BY worker LIMIT $1";
        let query: model::Rows<'_, LauncherRow> = sqlx::query_scalar(self.sql(text));
        self.all("read what launchers do", query.bind(i64::from(crate::PAGE_MAX))).await
    }

    /// How builds went that were asked for since a moment, in stretches of so many seconds, oldest first.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn pace(&self, since: OffsetDateTime, stretch_s: u64) -> Result<Vec<PaceRow>, Error> {
        let query: model::Rows<'_, PaceRow> = sqlx::query_scalar(self.sql(PACE));
        self.all("read how builds went", query.bind(since).bind(stretch_s as f64)).await
    }

    /// What organizations use, and built since a moment, by name: those after the name `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn usage(&self, since: OffsetDateTime, after: Option<&str>, limit: u32) -> Result<Vec<UsageRow>, Error> {
        let query: model::Rows<'_, UsageRow> = sqlx::query_scalar(self.sql(USAGE));
        let query = query.bind(since).bind(after.unwrap_or_default()).bind(page(limit));
        self.all("read what organizations use", query).await
    }

    /// When the first fact after `sequence` was stated that is about one of these kinds of aggregates; none if there is none.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn stated_after(&self, sequence: u64, aggregates: &[String]) -> Result<Option<OffsetDateTime>, Error> {
        let text = "SELECT to_json(time) FROM @.events WHERE sequence > $1 AND aggregate = ANY ($2)
            ORDER BY sequence LIMIT 1";
        let query: model::Rows<'_, Stated> = sqlx::query_scalar(self.sql(text));
        let found = self.one("find a fact", query.bind(bigint(sequence)).bind(aggregates)).await?;
        Ok(found.map(|Stated(time)| time))
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Stated(#[serde(with = "time::serde::rfc3339")] OffsetDateTime);
