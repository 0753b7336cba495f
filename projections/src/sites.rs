//! The sites: who owns them, where their source is, what they publish.

use crate::Error;
use crate::model::{Model, Rows};
use crate::table::Row;
use events::{Actor, Branch, Event, OrganizationName, Recorded, RepositoryUrl, SiteEngine, SiteEvent, SiteName};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A site as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its name, its identity.
    pub name: SiteName,
    /// Who owns it.
    pub organization: OrganizationName,
    /// Where its source is fetched from.
    pub repository: RepositoryUrl,
    /// The branch published as `live`.
    pub branch: Branch,
    /// The branch published as `demo`.
    pub demo_branch: Option<Branch>,
    /// How its source becomes pages.
    pub engine: SiteEngine,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Who created it.
    pub created_by: Actor,
    /// When it was deleted; its name stays taken.
    #[serde(with = "time::serde::rfc3339::option")]
    pub deleted_at: Option<OffsetDateTime>,
}

/// Which site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Key {
    name: SiteName,
}

impl Row for Site {
    const TABLE: &'static str = "sites";
    const KEY: &'static [&'static str] = &["name"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { name: self.name.clone() }
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        match &recorded.event {
            Event::Site(_) => named(recorded).map(|name| Some(Key { name })),
            Event::Repository(_) | Event::Build(_) | Event::Deploy(_) | Event::Alias(_) => Ok(None),
        }
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Site(fact) = &recorded.event else { return row };
        match (row, fact.clone()) {
            (None, SiteEvent::Created { organization, repository, branch, demo_branch, engine }) => Some(Self {
                name: named(recorded).ok()?,
                organization,
                repository,
                branch,
                demo_branch,
                engine,
                created_at: recorded.envelope.time,
                created_by: recorded.envelope.actor.clone(),
                deleted_at: None,
            }),
            (Some(site @ Self { deleted_at: None, .. }), SiteEvent::Deleted {}) => {
                Some(Self { deleted_at: Some(recorded.envelope.time), ..site })
            }
            (row, SiteEvent::Created { .. } | SiteEvent::BuildRequested { .. } | SiteEvent::Deleted {}) => row,
        }
    }
}

/// The site a fact about a site is about.
fn named(recorded: &Recorded) -> Result<SiteName, Error> {
    let subject = &recorded.envelope.subject;
    subject.parse().map_err(|_| Error::Subject { aggregate: "site", subject: subject.clone() })
}

impl Model {
    /// The sites that are not deleted, by name.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn sites(&self) -> Result<Vec<Site>, Error> {
        let text = "SELECT to_json(row) FROM @.sites row WHERE deleted_at IS NULL ORDER BY name";
        let query: Rows<'_, Site> = sqlx::query_scalar(self.sql(text));
        self.all("read sites", query).await
    }

    /// One site, also if it was deleted.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn site(&self, name: &SiteName) -> Result<Option<Site>, Error> {
        let query: Rows<'_, Site> =
            sqlx::query_scalar(self.sql("SELECT to_json(row) FROM @.sites row WHERE name = $1"));
        self.one("read a site", query.bind(name.as_str())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Story;

    #[test]
    fn a_deleted_site_keeps_its_row_and_the_moment_it_went() {
        let mut story = Story::default();
        let created = story.site_created("docs");
        let deleted = story.site("docs", SiteEvent::Deleted {});
        let again = story.site("docs", SiteEvent::Deleted {});
        let row = [created, deleted.clone(), again].iter().fold(None, Site::fold).unwrap();
        assert_eq!((row.name.as_str(), row.deleted_at), ("docs", Some(deleted.envelope.time)));
    }
}
