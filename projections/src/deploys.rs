//! The deploys: every version of a site's files that is stored.

use crate::Error;
use crate::builds::{REQUESTED_BY, TRIGGER, TriggerKind};
use crate::copy::{Rows, Table};
use crate::model::{self, Model, bigint, page};
use crate::table::{Keys, Row};
use events::event::{Author, Synced};
use events::{AliasName, Branch, BuildId, CommitId, DeployEvent, DeployId, Digest, Event, Recorded, SiteId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A deploy. It never changes, until it is kept no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployRow {
    /// Its identity.
    pub id: DeployId,
    /// The site it belongs to.
    pub site: SiteId,
    /// The build that made it.
    pub build: BuildId,
    /// That build's number in the site.
    pub number: u64,
    /// The log sequence of the fact that caused that build: a greater one is newer source.
    pub source_sequence: u64,
    /// The branch it was built from.
    pub branch: Branch,
    /// The alias it was made for.
    pub alias: AliasName,
    /// The commit it was built from.
    pub commit: CommitId,
    /// Digest of its file list: equal content, equal digest.
    pub content: Digest,
    /// Files in it.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Files whose content was new to the bucket.
    pub uploaded_files: u64,
    /// Bytes sent for them.
    pub uploaded_bytes: u64,
    /// Requests to the object store that it took.
    pub requests: u64,
    /// When all of it was stored.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was kept no longer; what it was made of is gone since.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub collected_at: Option<OffsetDateTime>,
    /// What led to it. Looked up when the deploy is read; left out if its build is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

/// What led to a deploy: what its build tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// What the build was about, for people: the commit's title.
    pub summary: String,
    /// Who wrote the commit; absent if that is not known.
    pub author: Option<Author>,
    /// Who began the story of the build; absent if that fact is not in the timeline.
    pub requested_by: Option<String>,
    /// What began it, likewise.
    pub trigger: Option<TriggerKind>,
}

/// Which deploy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    id: DeployId,
}

impl Row for DeployRow {
    const TABLE: Table = Table {
        name: "deploys",
        columns: &[
            "id",
            "site",
            "build",
            "number",
            "source_sequence",
            "branch",
            "alias",
            "commit",
            "content",
            "files",
            "bytes",
            "uploaded_files",
            "uploaded_bytes",
            "requests",
            "created_at",
            "collected_at",
        ],
    };
    const KEY: &'static [&'static str] = &["id"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { id: self.id.clone() }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        vec![Keys::Texts(keys.iter().map(|key| key.id.to_string()).collect())]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        match &recorded.event {
            Event::Deploy(DeployEvent::Synced(_) | DeployEvent::Collected { .. }) => {
                named(recorded).map(|id| Some(Key { id }))
            }
            Event::Deploy(DeployEvent::Mirrored { .. })
            | Event::Organization(_)
            | Event::Handle(_)
            | Event::User(_)
            | Event::Invitation(_)
            | Event::Identity(_)
            | Event::Token(_)
            | Event::Receiver(_)
            | Event::Notice(_)
            | Event::Site(_)
            | Event::Host(_)
            | Event::Route(_)
            | Event::Domain(_)
            | Event::Repository(_)
            | Event::Build(_)
            | Event::Alias(_) => Ok(None),
        }
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Deploy(fact) = &recorded.event else { return row };
        match (row, fact.clone()) {
            (
                None,
                DeployEvent::Synced(Synced {
                    site,
                    build,
                    number,
                    source_sequence,
                    branch,
                    alias,
                    commit,
                    content,
                    files,
                    bytes,
                    uploaded_files,
                    uploaded_bytes,
                    requests,
                }),
            ) => Some(Self {
                id: named(recorded).ok()?,
                site,
                build,
                number,
                source_sequence,
                branch,
                alias,
                commit,
                content,
                files,
                bytes,
                uploaded_files,
                uploaded_bytes,
                requests,
                created_at: recorded.envelope.time,
                collected_at: None,
                why: None,
            }),
            (Some(row), DeployEvent::Collected { .. }) => {
                let collected_at = row.collected_at.or(Some(recorded.envelope.time));
                Some(Self { collected_at, ..row })
            }
            (row, DeployEvent::Synced(_) | DeployEvent::Mirrored { .. } | DeployEvent::Collected { .. }) => row,
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row()
            .put(&self.id)
            .put(&self.site)
            .put(&self.build)
            .put(&self.number)
            .put(&self.source_sequence)
            .put(&self.branch)
            .put(&self.alias)
            .put(&self.commit)
            .put(&self.content)
            .put(&self.files)
            .put(&self.bytes)
            .put(&self.uploaded_files)
            .put(&self.uploaded_bytes)
            .put(&self.requests)
            .put(&self.created_at)
            .put(&self.collected_at);
    }
}

/// The deploy a fact about a deploy is about.
pub(crate) fn named(recorded: &Recorded) -> Result<DeployId, Error> {
    let subject = &recorded.envelope.subject;
    subject.parse().map_err(|_| Error::Subject { aggregate: "deploy", subject: subject.clone() })
}

/// A deploy with what led to it, which is looked up here and not in the fold, as for builds.
fn shown() -> String {
    format!(
        "SELECT to_json(shown) FROM @.deploys deploy, LATERAL (SELECT deploy.*, (SELECT json_build_object(
            'summary', build.summary, 'author', build.author, 'requested_by', {REQUESTED_BY}, 'trigger', {TRIGGER})
         FROM @.builds build WHERE build.id = deploy.build) AS why) shown"
    )
}

impl Model {
    /// Deploys of a site, newest source first: those of source before the log sequence `before`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn deploys(&self, site: SiteId, limit: u32, before: Option<u64>) -> Result<Vec<DeployRow>, Error> {
        let text = format!(
            "{} WHERE deploy.site = $1 AND deploy.source_sequence < $2 ORDER BY deploy.source_sequence DESC LIMIT $3",
            shown()
        );
        let query: model::Rows<'_, DeployRow> = sqlx::query_scalar(self.sql(&text));
        let before = before.map_or(i64::MAX, bigint);
        self.all("read deploys of a site", query.bind(site.0).bind(before).bind(page(limit))).await
    }

    /// One deploy.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn deploy(&self, id: &DeployId) -> Result<Option<DeployRow>, Error> {
        let query: model::Rows<'_, DeployRow> =
            sqlx::query_scalar(self.sql(&format!("{} WHERE deploy.id = $1", shown())));
        self.one("read a deploy", query.bind(id.as_str())).await
    }

    /// The newest deploy of the same site and alias whose source is older than that of `deploy`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn deploy_before(&self, deploy: &DeployRow) -> Result<Option<DeployRow>, Error> {
        let text = format!(
            "{} WHERE deploy.site = $1 AND deploy.source_sequence < $2 AND deploy.alias = $3
             ORDER BY deploy.source_sequence DESC LIMIT 1",
            shown()
        );
        let query: model::Rows<'_, DeployRow> = sqlx::query_scalar(self.sql(&text));
        let query = query.bind(deploy.site.0).bind(bigint(deploy.source_sequence)).bind(deploy.alias.to_string());
        self.one("read the deploy before", query).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Story;

    #[test]
    fn a_deploy_is_made_by_its_first_fact_and_changes_only_by_going() {
        let mut story = Story::default();
        let id = story.next_build();
        let first = DeployRow::fold(None, &story.synced("docs", id, 1)).unwrap();
        assert_eq!(first.id, DeployId::of(id));
        let again = DeployRow::fold(Some(first.clone()), &story.synced("docs", id, 2)).unwrap();
        assert_eq!(again, first);
        let gone = story.collected("docs", id);
        let after = DeployRow::fold(Some(first.clone()), &gone).unwrap();
        assert_eq!(after, DeployRow { collected_at: Some(gone.envelope.time), ..first });
        let later = story.collected("docs", id);
        assert_eq!(DeployRow::fold(Some(after.clone()), &later), Some(after), "it goes once");
    }
}
