//! The sites: who owns them, where their source is, what they publish.

use crate::Error;
use crate::Sight;
use crate::copy::{Json, Rows, Table, variant};
use crate::locks::LockRow;
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use events::{
    Actor, Event, OrganizationId, OrganizationName, Recorded, RepositoryUrl, SiteEvent, SiteId, SiteName, SiteSettings,
};
use serde::{Deserialize, Serialize};
use sqlx::types::Uuid;
use time::OffsetDateTime;

/// A site as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRow {
    /// Its identity.
    pub id: SiteId,
    /// What it is called.
    pub name: SiteName,
    /// Who owns it.
    pub organization: OrganizationId,
    /// What its owner is called. Looked up when the site is read; left out if the owner is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<OrganizationName>,
    /// Why what its readers see stays; left out if it is not locked. Looked up when the site is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockRow>,
    /// How it is built and published.
    #[serde(flatten)]
    pub settings: SiteSettings,
    /// How many facts have shaped it, from 1.
    pub version: u64,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Who created it.
    pub created_by: Actor,
    /// When it was deleted.
    #[serde(with = "time::serde::rfc3339::option")]
    pub deleted_at: Option<OffsetDateTime>,
    /// When what was kept of it after that went.
    #[serde(with = "time::serde::rfc3339::option")]
    pub erased_at: Option<OffsetDateTime>,
    /// Whether a secret of its own was made for its webhook.
    pub webhook_secret: bool,
    /// When its webhook was first tried with the newest secret.
    #[serde(with = "time::serde::rfc3339::option")]
    pub webhook_pinged_at: Option<OffsetDateTime>,
}

/// Which site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: SiteId,
}

impl Row for SiteRow {
    const TABLE: Table = Table {
        name: "sites",
        columns: &[
            "id",
            "name",
            "organization",
            "repository",
            "branch",
            "demo_branch",
            "engine",
            "version",
            "created_at",
            "created_by",
            "deleted_at",
            "source",
            "webhook_secret",
            "webhook_pinged_at",
            "erased_at",
            "building",
            "serving",
        ],
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
        if matches!(recorded.event, Event::Site(_)) { named(recorded).map(|id| Some(Key { id })) } else { Ok(None) }
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Site(fact) = &recorded.event else { return row };
        match (row, fact.clone()) {
            (None, SiteEvent::Created { name, organization, settings }) => Some(Self {
                id: named(recorded).ok()?,
                name,
                organization,
                organization_name: None,
                lock: None,
                settings,
                version: 1,
                created_at: recorded.envelope.time,
                created_by: recorded.envelope.actor.clone(),
                deleted_at: None,
                webhook_secret: false,
                webhook_pinged_at: None,
                erased_at: None,
            }),
            (Some(site), SiteEvent::Restored { name, .. }) if site.deleted_at.is_some() => {
                Some(Self { name, deleted_at: None, version: site.version + 1, ..site })
            }
            (Some(site), SiteEvent::Erased {}) => Some(Self { erased_at: Some(recorded.envelope.time), ..site }),
            (Some(site @ Self { deleted_at: None, .. }), fact) => Some(site.after(fact, recorded.envelope.time)),
            (
                row,
                SiteEvent::Created { .. }
                | SiteEvent::SettingsChanged { .. }
                | SiteEvent::Renamed { .. }
                | SiteEvent::WebhookSecretRotated { .. }
                | SiteEvent::VariableSet { .. }
                | SiteEvent::VariableRemoved { .. }
                | SiteEvent::DeployKeyMade { .. }
                | SiteEvent::DeployKeyRemoved {}
                | SiteEvent::SourceTokenSet { .. }
                | SiteEvent::SourceTokenRemoved {}
                | SiteEvent::PasswordSet { .. }
                | SiteEvent::ShareLinkMade(_)
                | SiteEvent::ShareLinkRevoked { .. }
                | SiteEvent::Purged(_)
                | SiteEvent::WebhookPinged {}
                | SiteEvent::Deleted {}
                | SiteEvent::Restored { .. }
                | SiteEvent::Erased {},
            ) => row,
        }
    }

    fn write(&self, rows: &mut Rows) {
        let building = serde_json::to_string(&self.settings.building).unwrap_or_default();
        let serving = serde_json::to_string(&self.settings.serving).unwrap_or_default();
        rows.row()
            .put(&self.id)
            .put(&self.name)
            .put(&self.organization)
            .put(&self.settings.repository)
            .put(&self.settings.branch)
            .put(&self.settings.demo_branch)
            .put(&variant(&self.settings.engine))
            .put(&self.version)
            .put(&self.created_at)
            .put(&self.created_by)
            .put(&self.deleted_at)
            .put(&self.settings.repository.canonical())
            .put(&self.webhook_secret)
            .put(&self.webhook_pinged_at)
            .put(&self.erased_at)
            .put(&Json(&building))
            .put(&Json(&serving));
    }
}

impl SiteRow {
    fn after(self, fact: SiteEvent, at: OffsetDateTime) -> Self {
        match fact {
            SiteEvent::Created { .. }
            | SiteEvent::VariableSet { .. }
            | SiteEvent::VariableRemoved { .. }
            | SiteEvent::DeployKeyMade { .. }
            | SiteEvent::DeployKeyRemoved {}
            | SiteEvent::SourceTokenSet { .. }
            | SiteEvent::SourceTokenRemoved {}
            | SiteEvent::PasswordSet { .. }
            | SiteEvent::ShareLinkMade(_)
            | SiteEvent::ShareLinkRevoked { .. }
            | SiteEvent::Purged(_)
            | SiteEvent::Restored { .. }
            | SiteEvent::Erased {} => self,
            SiteEvent::WebhookSecretRotated { .. } => Self { webhook_secret: true, webhook_pinged_at: None, ..self },
            SiteEvent::WebhookPinged {} => Self { webhook_pinged_at: Some(at), ..self },
            SiteEvent::SettingsChanged { settings } => Self { settings, version: self.version + 1, ..self },
            SiteEvent::Renamed { name, .. } => Self { name, version: self.version + 1, ..self },
            SiteEvent::Deleted {} => Self { deleted_at: Some(at), ..self },
        }
    }
}

/// The site a fact about a site is about.
fn named(recorded: &Recorded) -> Result<SiteId, Error> {
    let subject = &recorded.envelope.subject;
    subject.parse().map_err(|_| Error::Subject { aggregate: "site", subject: subject.clone() })
}

/// A site with what its owner is called, and its lock.
pub(crate) const SHOWN: &str = "SELECT to_json(shown) FROM @.sites site, LATERAL (SELECT site.*, (
    SELECT name FROM @.organizations WHERE id = site.organization) AS organization_name, (
    SELECT to_json(lock) FROM @.locks lock WHERE lock.site = site.id) AS lock) shown";

impl Model {
    /// The sites in `sight` that are not deleted and have `search`, in lower case, in their names or their repositories' addresses, by
    /// name: those after the name `after`, at most `limit`. An empty search finds all.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn sites(
        &self,
        sight: &Sight,
        search: &str,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Vec<SiteRow>, Error> {
        let text = format!(
            "{SHOWN} WHERE site.deleted_at IS NULL AND site.name > $1
             AND ($3::uuid[] IS NULL OR site.organization = ANY ($3)) AND ($4::uuid IS NULL OR site.id = $4)
             AND ($5 = '' OR strpos(site.name, $5) > 0 OR strpos(lower(site.repository), $5) > 0)
             ORDER BY site.name, site.id LIMIT $2"
        );
        let (organizations, site) = sight.parameters();
        let query: model::Rows<'_, SiteRow> = sqlx::query_scalar(self.sql(&text));
        let query = query.bind(after.unwrap_or_default()).bind(page(limit)).bind(organizations).bind(site);
        self.all("read sites", query.bind(search)).await
    }

    /// The deleted sites in `sight` that can be restored, the latest first: those deleted before `before`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn deleted_sites(
        &self,
        sight: &Sight,
        limit: u32,
        before: Option<OffsetDateTime>,
    ) -> Result<Vec<SiteRow>, Error> {
        let text = format!(
            "{SHOWN} WHERE site.deleted_at IS NOT NULL AND site.erased_at IS NULL
             AND ($1::timestamptz IS NULL OR site.deleted_at < $1)
             AND ($3::uuid[] IS NULL OR site.organization = ANY ($3)) AND ($4::uuid IS NULL OR site.id = $4)
             ORDER BY site.deleted_at DESC, site.id LIMIT $2"
        );
        let (organizations, site) = sight.parameters();
        let query: model::Rows<'_, SiteRow> = sqlx::query_scalar(self.sql(&text));
        let query = query.bind(before).bind(page(limit)).bind(organizations).bind(site);
        self.all("read deleted sites", query).await
    }

    /// The sites that are built from a repository, by id, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn sites_from(&self, repository: &RepositoryUrl, limit: u32) -> Result<Vec<SiteRow>, Error> {
        let text = format!("{SHOWN} WHERE site.source = $1 AND site.deleted_at IS NULL ORDER BY site.id LIMIT $2");
        let query: model::Rows<'_, SiteRow> = sqlx::query_scalar(self.sql(&text));
        self.all("read sites of a repository", query.bind(repository.canonical()).bind(page(limit))).await
    }

    /// The sites in `sight` that are built from one of these repositories, given by their canonical names, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn sites_from_any(&self, sight: &Sight, sources: &[String], limit: u32) -> Result<Vec<SiteRow>, Error> {
        let text = format!(
            "{SHOWN} WHERE site.source = ANY ($1) AND site.deleted_at IS NULL
             AND ($3::uuid[] IS NULL OR site.organization = ANY ($3)) AND ($4::uuid IS NULL OR site.id = $4)
             ORDER BY site.id LIMIT $2"
        );
        let (organizations, site) = sight.parameters();
        let query: model::Rows<'_, SiteRow> = sqlx::query_scalar(self.sql(&text));
        let query = query.bind(sources.to_vec()).bind(page(limit)).bind(organizations).bind(site);
        self.all("read sites of repositories", query).await
    }

    /// The sites of one organization, as [`Model::sites`] lists them.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn sites_of(
        &self,
        owner: OrganizationId,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Vec<SiteRow>, Error> {
        let text = format!(
            "{SHOWN} WHERE site.organization = $3 AND site.deleted_at IS NULL AND site.name > $1 \
             ORDER BY site.name, site.id LIMIT $2"
        );
        let query: model::Rows<'_, SiteRow> = sqlx::query_scalar(self.sql(&text));
        let query = query.bind(after.unwrap_or_default()).bind(page(limit)).bind(owner.0);
        self.all("read sites of an organization", query).await
    }

    /// Those of `ids` that there are, also if they were deleted.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn sites_with(&self, ids: &[SiteId]) -> Result<Vec<SiteRow>, Error> {
        let query: model::Rows<'_, SiteRow> =
            sqlx::query_scalar(self.sql(&format!("{SHOWN} WHERE site.id = ANY ($1)")));
        let ids: Vec<Uuid> = ids.iter().map(|site| site.0).collect();
        self.all("read some sites", query.bind(ids)).await
    }

    /// The site that the host `name` shows, or showed last.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn site_called(&self, name: &SiteName) -> Result<Option<SiteRow>, Error> {
        let text = format!("{SHOWN} WHERE site.id = (SELECT host.site FROM @.hosts host WHERE host.label = $1)");
        let query: model::Rows<'_, SiteRow> = sqlx::query_scalar(self.sql(&text));
        self.one("read a site by its name", query.bind(name.as_str())).await
    }

    /// One site, also if it was deleted.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn site(&self, id: SiteId) -> Result<Option<SiteRow>, Error> {
        let query: model::Rows<'_, SiteRow> = sqlx::query_scalar(self.sql(&format!("{SHOWN} WHERE site.id = $1")));
        self.one("read a site", query.bind(id.0)).await
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
        let row = [created, deleted.clone(), again].iter().fold(None, SiteRow::fold).unwrap();
        assert_eq!((row.name.as_str(), row.deleted_at), ("docs", Some(deleted.envelope.time)));
    }

    #[test]
    fn a_restored_site_is_there_again() {
        let mut story = Story::default();
        let created = story.site_created("docs");
        let deleted = story.site("docs", SiteEvent::Deleted {});
        let restored = SiteEvent::Restored { name: "guide".parse().unwrap(), former: Default::default() };
        let restored = story.site("docs", restored);
        let row = [created, deleted, restored].iter().fold(None, SiteRow::fold).unwrap();
        assert_eq!((row.name.as_str(), row.deleted_at, row.version), ("guide", None, 2));
    }

    #[test]
    fn every_change_is_a_version() {
        let mut story = Story::default();
        let created = story.site_created("docs");
        let row = SiteRow::fold(None, &created).unwrap();
        let settings = SiteSettings { branch: "trunk".parse().unwrap(), ..row.settings };
        let changed = story.site("docs", SiteEvent::SettingsChanged { settings });
        let (name, previous) = ("guide".parse().unwrap(), "docs".parse().unwrap());
        let renamed = story.site("docs", SiteEvent::Renamed { name, previous });
        let row = [created, changed, renamed].iter().fold(None, SiteRow::fold).unwrap();
        assert_eq!((row.name.as_str(), row.settings.branch.as_str(), row.version), ("guide", "trunk", 3));
    }
}
