//! A site as it was: at a place of the log, or at a moment.

use crate::place::Place;
use crate::problem::Problem;
use crate::promotions::promotion_at;
use crate::view::View;
use events::authority::Members;
use events::{Aggregate, AliasName, DeployId, Organization, OrganizationId, Refusal, Site, SiteId};
use projections::Sight;
use projections::timeline::{FactRow, Query};
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
#[derive(Debug)]
pub(crate) struct Past {
    pub(crate) id: SiteId,
    pub(crate) site: events::site::Active,
    pub(crate) created: FactRow,
    pub(crate) live: Option<DeployId>,
    pub(crate) sequence: u64,
}

impl Moment {
    /// The moment that is written so; none for the present.
    pub(crate) fn of(text: &str) -> Self {
        Self { at: Some(text.trim().to_owned()).filter(|text| !text.is_empty()) }
    }

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
    let (mut site, mut created) = (Site::default(), None);
    let facts = facts_until(view, "site", &id.to_string(), sequence).await?;
    for fact in facts {
        if let Some(event) = fact.event() {
            site = site.fold(&event);
        }
        created = created.or(Some(fact));
    }
    let Site::Active(site) = site else { return Err(missing()) };
    let live = shown_at(view, id, &AliasName::Live, sequence).await?;
    Ok(Past { id, site, created: created.ok_or_else(missing)?, live, sequence })
}

/// Who belonged to an organization at `sequence`. Whoever sees one of its sites may know.
pub(crate) async fn members_at(view: &View, id: OrganizationId, sequence: u64) -> Result<Members, Problem> {
    let facts = facts_until(view, "organization", &id.to_string(), sequence).await?;
    let told = facts.iter().filter_map(FactRow::event).fold(Organization::default(), |state, event| state.fold(&event));
    Ok(match told {
        Organization::Active(active) => active.members,
        Organization::Unknown => Members::new(),
    })
}

/// All that was said about an aggregate up to `sequence`.
async fn facts_until(view: &View, kind: &str, id: &str, sequence: u64) -> Result<Vec<FactRow>, Problem> {
    let (mut told, mut after) = (Vec::new(), 0);
    loop {
        let subject = Some((kind.to_owned(), id.to_owned()));
        let query = Query { subject, after, before: sequence.checked_add(1), limit: PART, ..Query::default() };
        let facts = view.model.events(&query, &Sight::All).await?;
        let Some(last) = facts.last() else { return Ok(told) };
        after = last.sequence;
        told.extend(facts);
    }
}

/// What readers of one of its aliases saw.
pub(crate) async fn shown_at(
    view: &View,
    site: SiteId,
    alias: &AliasName,
    sequence: u64,
) -> Result<Option<DeployId>, Problem> {
    Ok(promotion_at(view, site, alias, sequence).await?.map(|(deploy, _)| deploy))
}
