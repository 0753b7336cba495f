//! Routes: what paths of hosts lead to.

use crate::copy::{Json, Rows, Table};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use crate::{Error, Sight};
use events::event::Routed;
use events::routing::{HostName, Leads, Reach, RoutePath};
use events::{Actor, Event, Recorded, RouteEvent, RouteId, SiteId};
use serde::Deserialize;
use time::OffsetDateTime;

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RouteRow {
    /// Its identity.
    pub id: RouteId,
    /// The host whose path it is.
    pub host: HostName,
    /// The path.
    pub path: RoutePath,
    /// Whether it is of all paths below, too.
    pub kind: Reach,
    /// Where it leads.
    pub leads: Leads,
    /// The site whose host it is, if it is one's.
    pub owner: Option<SiteId>,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Who added it.
    pub created_by: Actor,
}

/// Which routes. Every condition that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// Only those of this host.
    pub host: Option<HostName>,
    /// Only those of hosts of this site.
    pub owner: Option<SiteId>,
    /// Only those after this host and path.
    pub after: Option<(String, String)>,
    /// At most this many.
    pub limit: u32,
}

/// Which route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: RouteId,
}

impl Row for RouteRow {
    const TABLE: Table = Table {
        name: "routes",
        columns: &["id", "host", "path", "kind", "leads", "owner", "created_at", "created_by"],
    };
    const KEY: &'static [&'static str] = &["id"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { id: self.id }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        vec![Keys::Uuids(keys.iter().map(|key| key.id.0).collect())]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        let Event::Route(fact) = &recorded.event else { return Ok(None) };
        let (RouteEvent::Added(Routed { route, .. }) | RouteEvent::Removed { route, .. }) = fact;
        Ok(Some(Key { id: *route }))
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Route(fact) = &recorded.event else { return row };
        match fact.clone() {
            RouteEvent::Added(Routed { route, host, path, kind, leads, owner }) => Some(Self {
                id: route,
                host,
                path,
                kind,
                leads,
                owner,
                created_at: recorded.envelope.time,
                created_by: recorded.envelope.actor.clone(),
            }),
            RouteEvent::Removed { .. } => None,
        }
    }

    fn write(&self, rows: &mut Rows) {
        let leads = serde_json::to_string(&self.leads).unwrap_or_default();
        rows.row().put(&self.id).put(&self.host).put(&self.path).put(&self.kind.as_str()).put(&Json(&leads));
        rows.put(&self.owner).put(&self.created_at).put(&self.created_by);
    }
}

impl Model {
    /// The routes in `sight` that `asked` is about, by host and path. A route of a host that is no site's is in sight of
    /// whoever sees everything.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn routes(&self, asked: &Routes, sight: &Sight) -> Result<Vec<RouteRow>, Error> {
        let text = "SELECT to_json(row) FROM @.routes row
            WHERE (host, path) > ($1, $2) AND ($3::text IS NULL OR host = $3) AND ($4::uuid IS NULL OR owner = $4)
            AND ($5::uuid[] IS NULL OR owner IN (SELECT id FROM @.sites WHERE organization = ANY ($5)))
            AND ($6::uuid IS NULL OR owner = $6)
            ORDER BY host, path LIMIT $7";
        let query: model::Rows<'_, RouteRow> = sqlx::query_scalar(self.sql(text));
        let (host, path) = asked.after.clone().unwrap_or_default();
        let (organizations, site) = sight.parameters();
        let query = query.bind(host).bind(path).bind(asked.host.as_ref().map(HostName::as_str));
        let query = query.bind(asked.owner.map(|owner| owner.0)).bind(organizations).bind(site);
        self.all("read routes", query.bind(page(asked.limit))).await
    }

    /// The routes of a host that are of one of these paths, whosever they are.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn routes_at(&self, host: &HostName, paths: &[RoutePath]) -> Result<Vec<RouteRow>, Error> {
        let text = "SELECT to_json(row) FROM @.routes row WHERE host = $1 AND path = ANY ($2)";
        let query: model::Rows<'_, RouteRow> = sqlx::query_scalar(self.sql(text));
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        self.all("read the routes of a path", query.bind(host.as_str()).bind(paths)).await
    }

    /// One route, whosever it is.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn route(&self, id: RouteId) -> Result<Option<RouteRow>, Error> {
        let text = "SELECT to_json(row) FROM @.routes row WHERE id = $1";
        let query: model::Rows<'_, RouteRow> = sqlx::query_scalar(self.sql(text));
        self.one("read a route", query.bind(id.0)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Story, site_id};
    use sqlx::types::Uuid;

    #[test]
    fn a_route_is_there_from_its_addition_to_its_removal() {
        let (mut story, route, owner) = (Story::default(), RouteId(Uuid::from_u128(7)), Some(site_id("docs")));
        let (host, path): (HostName, RoutePath) = ("docs.example".parse().unwrap(), "/a".parse().unwrap());
        let (kind, leads) = (Reach::Prefix, Leads::Gone { page: None });
        let routed = Routed { route, host: host.clone(), path: path.clone(), kind, leads, owner };
        let added = story.tell("docs.example/a", "user:ada", RouteEvent::Added(routed));
        assert_eq!(RouteRow::touched(&added).unwrap(), Some(Key { id: route }));
        let row = RouteRow::fold(None, &added).unwrap();
        assert_eq!((&row.host, &row.path, row.owner, row.kind), (&host, &path, owner, Reach::Prefix));
        assert_eq!((added.site(), row.created_by.to_string().as_str()), (owner, "user:ada"));
        let removed = story.tell("docs.example/a", "user:ada", RouteEvent::Removed { route, host, path, owner });
        assert_eq!(RouteRow::fold(Some(row), &removed), None);
    }
}
