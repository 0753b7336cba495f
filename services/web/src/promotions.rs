//! What put a deploy where readers see it.

use crate::problem::Problem;
use crate::view::View;
use events::{AliasEvent, AliasName, DeployId, Event, SiteId, subject};
use projections::Sight;
use projections::timeline::{About, FactRow, Query};

/// What an alias showed at a place of the log, and the fact that put it there.
pub(crate) async fn promotion_at(
    view: &View,
    site: SiteId,
    alias: &AliasName,
    sequence: u64,
) -> Result<Option<(DeployId, FactRow)>, Problem> {
    let subject = Some(("alias".to_owned(), subject::alias_id(site, alias)));
    let last = async |kind: &str| {
        let about = About { kind: Some(format!("alias.{kind}.")), ..About::default() };
        let before = sequence.checked_add(1);
        let query = Query { subject: subject.clone(), before, limit: 1, about, ..Query::default() };
        Ok::<_, Problem>(view.model.latest_events(&query, &Sight::All).await?.into_iter().next())
    };
    let (promoted, removed) = (last("promoted").await?, last("removed").await?);
    let removed = removed.map_or(0, |fact| fact.sequence);
    let promoted = promoted.filter(|fact| fact.sequence > removed);
    Ok(promoted.and_then(|fact| {
        let Some(Event::Alias(AliasEvent::Promoted { deploy, .. })) = fact.event() else { return None };
        Some((deploy, fact))
    }))
}
