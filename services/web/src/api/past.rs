//! A site as it was: at a place of the log, or at a moment.

use crate::place::Place;
use crate::problem::Problem;
use crate::view::View;
use events::{Aggregate, AliasEvent, AliasName, DeployId, Event, Refusal, Site, SiteId, subject};
use projections::timeline::{About, FactRow, Query};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::IntoParams;

/// Facts read at once.
const PART: u32 = 1000;

/// When.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Moment {
    /// As the site was then: a moment (RFC 3339), or a sequence of the log. As it is if absent.
    at: Option<String>,
}

/// A site at a place of the log.
pub(crate) struct Past {
    pub(crate) id: SiteId,
    pub(crate) site: events::site::Active,
    pub(crate) created: FactRow,
    pub(crate) live: Option<DeployId>,
    pub(crate) sequence: u64,
}

impl Moment {
    /// The place of the log that is meant; none for the present.
    pub(crate) async fn sequence(&self, view: &View) -> Result<Option<u64>, Problem> {
        let Some(at) = &self.at else { return Ok(None) };
        if let Ok(sequence) = at.parse() {
            return Ok(Some(sequence));
        }
        let invalid = |_| Problem::InvalidInput("`at` must be a moment (RFC 3339) or a sequence of the log".to_owned());
        let time = OffsetDateTime::parse(at, &Rfc3339).map_err(invalid)?;
        Ok(Some(view.model.sequence_at(time).await?))
    }
}

/// The site as its own facts tell it up to `sequence`. Whoever sees it now may know what it was.
pub(crate) async fn site_at(view: &View, place: &Place, sequence: u64) -> Result<Past, Problem> {
    let id = view.history_of(place).await?;
    let missing = || Problem::Refused(Refusal::SiteNotFound);
    let (mut site, mut created, mut after) = (Site::default(), None, 0);
    loop {
        let subject = Some(("site".to_owned(), id.to_string()));
        let query = Query { subject, after, before: sequence.checked_add(1), limit: PART, ..Query::default() };
        let facts = view.model.events(&query, &view.sight).await?;
        let Some(last) = facts.last() else { break };
        after = last.sequence;
        for event in facts.iter().filter_map(FactRow::event) {
            site = site.fold(&event);
        }
        created = created.or_else(|| facts.into_iter().next());
    }
    let Site::Active(site) = site else { return Err(missing()) };
    let live = live_at(view, id, sequence).await?;
    Ok(Past { id, site, created: created.ok_or_else(missing)?, live, sequence })
}

/// What its readers saw.
async fn live_at(view: &View, site: SiteId, sequence: u64) -> Result<Option<DeployId>, Problem> {
    let subject = Some(("alias".to_owned(), subject::alias_id(site, &AliasName::Live)));
    let last = async |kind: &str| {
        let about = About { kind: Some(format!("alias.{kind}.")), ..About::default() };
        let before = sequence.checked_add(1);
        let query = Query { subject: subject.clone(), before, limit: 1, about, ..Query::default() };
        Ok::<_, Problem>(view.model.latest_events(&query, &view.sight).await?.into_iter().next())
    };
    let (promoted, removed) = (last("promoted").await?, last("removed").await?);
    let removed = removed.map_or(0, |fact| fact.sequence);
    let promoted = promoted.filter(|fact| fact.sequence > removed);
    Ok(promoted.and_then(|fact| {
        let Some(Event::Alias(AliasEvent::Promoted { deploy, .. })) = fact.event() else { return None };
        Some(deploy)
    }))
}
