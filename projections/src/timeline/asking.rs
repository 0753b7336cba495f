//! How a question about the timeline becomes SQL.

use super::{About, Query, Whose};
use crate::Sight;
use crate::model::{Model, bigint, page};
use events::event::TYPE_PREFIX;
use sqlx::{Postgres, QueryBuilder};

/// What finds the facts that belong to no site and began a story of one. What is the site's own already is not found twice.
const OF_CAUSES: &str = "SELECT event.* FROM @.causes JOIN @.events event ON event.sequence = causes.sequence";

/// What finds the facts about who is invited to an organization, and what tokens are good for it alone.
const OF_PEOPLE: [(&str, &str); 2] = [
    ("SELECT event.* FROM @.invitations about JOIN @.events event ON event.subject = about.id::text", "'invitation'"),
    ("SELECT event.* FROM @.tokens about JOIN @.events event ON event.subject = about.id::text", "'token'"),
];

/// A question on its way into SQL. Conditions are left out rather than made optional there, so that each way of asking has its
/// own plan and index.
pub(super) struct Asking<'a> {
    pub(super) model: &'a Model,
    pub(super) query: &'a Query,
    pub(super) order: &'static str,
}

type Sql = QueryBuilder<Postgres>;

impl Asking<'_> {
    /// The first page of one ordered source: all that a page of the whole can need of it.
    pub(super) fn select(&self, sql: &mut Sql, from: &str, and: impl FnOnce(&mut Sql)) {
        let Self { model, query, order } = self;
        sql.push("(").push(model.sql(from).0).push(" WHERE event.sequence > ").push_bind(bigint(query.after));
        and(sql);
        if let Some(before) = query.before {
            sql.push(" AND event.sequence < ").push_bind(bigint(before));
        }
        if let Some((aggregate, subject)) = &query.subject {
            sql.push(" AND event.aggregate = ").push_bind(aggregate.clone());
            sql.push(" AND event.subject = ").push_bind(subject.clone());
        }
        if let Some(correlation) = query.correlation {
            sql.push(" AND event.correlation = ").push_bind(correlation);
        }
        query.about.push(sql);
        sql.push(" ORDER BY event.sequence ").push(order).push(" LIMIT ").push_bind(page(query.limit)).push(")");
    }

    /// The facts of the site that is named.
    pub(super) fn of_site(&self, sql: &mut Sql) {
        let named = |sql: &mut Sql| match &self.query.site {
            Some(Whose::Id(site)) => drop(sql.push_bind(site.0)),
            Some(Whose::Called(name)) => {
                sql.push(self.model.sql("(SELECT site FROM @.hosts WHERE label = ").0);
                sql.push_bind(name.to_string()).push(")");
            }
            None => drop(sql.push("NULL")),
        };
        self.select(sql, "SELECT event.* FROM @.events event", |sql| {
            named(sql.push(" AND event.site = "));
        });
        sql.push(" UNION ALL ");
        self.select(sql, OF_CAUSES, |sql| named(sql.push(" AND event.site IS NULL AND causes.site = ")));
    }

    /// The facts of all sites in sight, a page of each, and those of their organizations.
    pub(super) fn of_sight(&self, sql: &mut Sql, sight: &Sight) {
        let (organizations, site) = sight.parameters();
        let each = |sql: &mut Sql| {
            sql.push(self.model.sql(" event WHERE TRUE").0);
            if let Some(organizations) = &organizations {
                sql.push(" AND seen.organization = ANY (").push_bind(organizations.clone()).push(")");
            }
            if let Some(site) = site {
                sql.push(" AND seen.id = ").push_bind(site);
            }
        };
        let seen = self.model.sql("SELECT event.* FROM @.sites seen, LATERAL ").0;
        sql.push(&seen);
        self.select(sql, "SELECT event.* FROM @.events event", |sql| {
            sql.push(" AND event.site = seen.id");
        });
        each(sql);
        sql.push(" UNION ALL ").push(&seen);
        self.select(sql, OF_CAUSES, |sql| {
            sql.push(" AND event.site IS NULL AND causes.site = seen.id");
        });
        each(sql);
        if let Some(organizations) = &organizations {
            let named: Vec<String> = organizations.iter().map(ToString::to_string).collect();
            sql.push(" UNION ALL ");
            self.select(sql, "SELECT event.* FROM @.events event", |sql| {
                sql.push(" AND event.aggregate = 'organization' AND event.subject = ANY (").push_bind(named).push(")");
            });
        }
        if let Sight::Organizations { managed, .. } = sight {
            let managed: Vec<_> = managed.iter().map(|organization| organization.0).collect();
            for (from, aggregate) in OF_PEOPLE {
                sql.push(" UNION ALL ");
                self.select(sql, from, |sql| {
                    sql.push(" AND event.aggregate = ").push(aggregate);
                    sql.push(" AND about.organization = ANY (").push_bind(managed.clone()).push(")");
                });
            }
        }
    }
}

impl About {
    fn push(&self, sql: &mut Sql) {
        if let Some(actor) = &self.actor {
            // A token is called by its name as well as by its name and its id.
            sql.push(" AND (event.actor = ").push_bind(actor.clone());
            sql.push(" OR starts_with(event.actor, ").push_bind(format!("{actor}/")).push("))");
        }
        if let Some(kind) = &self.kind {
            // Both `site.deleted.v1` and `site.` name what they begin.
            sql.push(" AND starts_with(event.type, ").push_bind(format!("{TYPE_PREFIX}.{kind}")).push(")");
        }
        if let Some(since) = self.since {
            sql.push(" AND event.time >= ").push_bind(since);
        }
        if let Some(until) = self.until {
            sql.push(" AND event.time < ").push_bind(until);
        }
    }
}
