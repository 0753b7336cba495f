//! Domains: names that are other people's, and the sites that they show.

use crate::Error;
use crate::copy::{Rows, Table};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use events::domain::{Claim, Stage};
use events::event::Certified;
use events::routing::HostName;
use events::{Actor, DomainEvent, Event, Recorded, SiteId};
use serde::Deserialize;
use sqlx::types::Uuid;
use time::OffsetDateTime;

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DomainRow {
    /// The name.
    pub name: HostName,
    /// Whose it is.
    pub site: SiteId,
    /// What a record of it has to say.
    pub proof: Uuid,
    /// Another name of the site that it only leads to.
    pub redirect_to: Option<HostName>,
    /// How far it has come.
    pub state: State,
    /// How often its records were looked at and did not say what they must, since somebody asked last.
    pub attempts: u32,
    /// What was found wrong last, as long as that is not over.
    pub error: Option<String>,
    /// When it was looked at last.
    #[serde(with = "time::serde::rfc3339::option")]
    pub checked_at: Option<OffsetDateTime>,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub added_at: OffsetDateTime,
    /// Who added it.
    pub added_by: Actor,
    /// Whether it is proven whose it is.
    pub proven: bool,
    /// Until when its last certificate is good.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

/// How far a domain has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its records are looked at.
    Pending,
    /// They say what they must.
    Verified,
    /// It is verified, and a certificate is asked for.
    Issuing,
    /// It has a certificate.
    Active,
    /// Nobody looks any more.
    Failed,
}

impl From<&Claim> for State {
    fn from(claim: &Claim) -> Self {
        match claim.stage {
            Stage::Pending { .. } => Self::Pending,
            Stage::Verified => Self::Verified,
            // Until there is another, it has the one that it had.
            Stage::Issuing { .. } if claim.expires_at.is_none() => Self::Issuing,
            Stage::Issuing { .. } | Stage::Active => Self::Active,
            Stage::Failed | Stage::Unissued => Self::Failed,
        }
    }
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Issuing => "issuing",
            Self::Active => "active",
            Self::Failed => "failed",
        }
    }
}

/// Which domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    name: HostName,
}

impl Row for DomainRow {
    const TABLE: Table = Table {
        name: "domains",
        columns: &[
            "name",
            "site",
            "proof",
            "redirect_to",
            "state",
            "attempts",
            "error",
            "checked_at",
            "added_at",
            "added_by",
            "proven",
            "expires_at",
        ],
    };
    const KEY: &'static [&'static str] = &["name"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { name: self.name.clone() }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        vec![Keys::Texts(keys.iter().map(|key| key.name.to_string()).collect())]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        if matches!(recorded.event, Event::Domain(_)) {
            named(recorded).map(|name| Some(Key { name }))
        } else {
            Ok(None)
        }
    }

    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Domain(fact) = &recorded.event else { return row };
        let now = recorded.envelope.time;
        if let DomainEvent::Added { site, proof, redirect_to } = fact {
            return Some(Self {
                name: named(recorded).ok()?,
                site: *site,
                proof: *proof,
                redirect_to: redirect_to.clone(),
                state: State::Pending,
                attempts: 0,
                error: None,
                checked_at: None,
                added_at: now,
                added_by: recorded.envelope.actor.clone(),
                proven: false,
                expires_at: None,
            });
        }
        let row = row?;
        let checked_at = Some(now);
        match fact {
            DomainEvent::Added { .. } => Some(row),
            DomainEvent::Removed { .. } => None,
            DomainEvent::Changed { redirect_to, .. } => Some(Self { redirect_to: redirect_to.clone(), ..row }),
            DomainEvent::CheckRequested { .. } => {
                let state = if row.proven { State::Verified } else { State::Pending };
                Some(Self { state, attempts: 0, ..row })
            }
            DomainEvent::CheckFailed { attempt, error, .. } => {
                Some(Self { attempts: *attempt, error: Some(error.clone()), checked_at, ..row })
            }
            DomainEvent::Verified { .. } => {
                Some(Self { state: State::Verified, attempts: 0, error: None, checked_at, proven: true, ..row })
            }
            DomainEvent::CertificateOrdered { .. } => {
                let state = if row.expires_at.is_some() { State::Active } else { State::Issuing };
                Some(Self { state, ..row })
            }
            DomainEvent::CertificateIssued(Certified { expires_at, .. }) => {
                let expires_at = Some(*expires_at);
                Some(Self { state: State::Active, attempts: 0, error: None, checked_at, expires_at, ..row })
            }
            DomainEvent::CertificateFailed { attempt, error, .. } => {
                Some(Self { attempts: *attempt, error: Some(error.clone()), checked_at, ..row })
            }
            DomainEvent::Failed { error, .. } => Some(Self { state: State::Failed, error: Some(error.clone()), ..row }),
        }
    }

    fn write(&self, rows: &mut Rows) {
        rows.row().put(&self.name).put(&self.site).put(&self.proof).put(&self.redirect_to).put(&self.state.as_str());
        rows.put(&self.attempts).put(&self.error).put(&self.checked_at).put(&self.added_at).put(&self.added_by);
        rows.put(&self.proven).put(&self.expires_at);
    }
}

impl Model {
    /// The domains of a site by name: those after the name `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn domains(&self, site: SiteId, limit: u32, after: Option<&str>) -> Result<Vec<DomainRow>, Error> {
        let text = "SELECT to_json(row) FROM @.domains row
            WHERE site = $1 AND ($2::text IS NULL OR name > $2) ORDER BY name LIMIT $3";
        let query: model::Rows<'_, DomainRow> = sqlx::query_scalar(self.sql(text));
        self.all("read domains", query.bind(site.0).bind(after).bind(page(limit))).await
    }

    /// One domain, whosever it is.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn domain(&self, name: &HostName) -> Result<Option<DomainRow>, Error> {
        let text = "SELECT to_json(row) FROM @.domains row WHERE name = $1";
        let query: model::Rows<'_, DomainRow> = sqlx::query_scalar(self.sql(text));
        self.one("read a domain", query.bind(name.as_str())).await
    }
}

/// The name a fact about a domain is about.
fn named(recorded: &Recorded) -> Result<HostName, Error> {
    let subject = &recorded.envelope.subject;
    subject.parse().map_err(|_| Error::Subject { aggregate: "domain", subject: subject.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Story, site_id};

    #[test]
    fn a_domain_is_looked_at_until_it_is_verified_and_goes_when_it_is_removed() {
        let (mut story, site, proof) = (Story::default(), site_id("docs"), Uuid::from_u128(7));
        let mut tell = |fact| story.tell("www.example", "user:ada", fact);
        let added = tell(DomainEvent::Added { site, proof, redirect_to: None });
        let row = DomainRow::fold(None, &added).unwrap();
        assert_eq!(
            (row.name.as_str(), row.site, row.state, added.site()),
            ("www.example", site, State::Pending, Some(site))
        );
        let error = "there is no such record".to_owned();
        let missed = tell(DomainEvent::CheckFailed { site, attempt: 1, error: error.clone() });
        let row = DomainRow::fold(Some(row), &missed).unwrap();
        assert_eq!((row.state, row.attempts, row.checked_at), (State::Pending, 1, Some(missed.envelope.time)));
        let row = DomainRow::fold(Some(row), &tell(DomainEvent::Failed { site, error: error.clone() })).unwrap();
        assert_eq!((row.state, row.error.as_ref()), (State::Failed, Some(&error)));
        let row = DomainRow::fold(Some(row), &tell(DomainEvent::CheckRequested { site })).unwrap();
        assert_eq!((row.state, row.attempts, row.error.as_ref()), (State::Pending, 0, Some(&error)));
        let row = DomainRow::fold(Some(row), &tell(DomainEvent::Verified { site })).unwrap();
        assert_eq!((row.state, row.error.as_ref()), (State::Verified, None));
        assert_eq!(DomainRow::fold(Some(row), &tell(DomainEvent::Removed { site })), None);
    }
}
