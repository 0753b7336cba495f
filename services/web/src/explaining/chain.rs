//! The facts that put a deploy where readers see it.

use super::Shown;
use crate::problem::Problem;
use crate::view::View;
use events::{BuildEvent, Event};
use projections::Sight;
use projections::timeline::{About, FactRow, Query};

/// A fact, and what it was for the answer.
#[derive(Debug)]
pub(crate) struct Step {
    /// `push`, `request`, `schedule`, `upload`, `build`, `deploy`, `promotion`, `rename` or `route`.
    pub(crate) what: &'static str,
    pub(crate) fact: FactRow,
}

/// What led to what a host shows, the oldest first. Whoever may know of the site may know of it.
pub(super) async fn of(view: &View, shown: &Shown) -> Result<Vec<Step>, Problem> {
    let mut steps = Vec::new();
    let mut put = |what: Option<&'static str>, fact: Option<FactRow>| {
        steps.extend(fact.map(|fact| Step { what: what.unwrap_or_else(|| began(&fact)), fact }));
    };
    if let Some(deploy) = &shown.deploy {
        let source = deploy.source_sequence;
        let at = Query { after: source.saturating_sub(1), before: Some(source + 1), limit: 1, ..Query::default() };
        put(None, view.model.events(&at, &Sight::All).await?.pop());
        put(Some("build"), last(view, ("build", deploy.build.to_string()), "build.finished.").await?);
        put(Some("deploy"), last(view, ("deploy", deploy.id.to_string()), "deploy.synced.").await?);
    }
    put(Some("promotion"), shown.promotion.clone());
    Ok(steps)
}

/// What began the story of a build.
fn began(fact: &FactRow) -> &'static str {
    match fact.event() {
        Some(Event::Build(BuildEvent::Requested { upload: Some(_), .. })) => "upload",
        Some(Event::Build(BuildEvent::Scheduled { .. })) => "schedule",
        Some(Event::Repository(_)) => "push",
        Some(_) | None => "request",
    }
}

/// The newest fact of such a kind about an aggregate.
pub(super) async fn last(view: &View, about: (&str, String), kind: &str) -> Result<Option<FactRow>, Problem> {
    let subject = Some((about.0.to_owned(), about.1));
    let kind = About { kind: Some(kind.to_owned()), ..About::default() };
    let query = Query { subject, limit: 1, about: kind, ..Query::default() };
    Ok(view.model.latest_events(&query, &Sight::All).await?.pop())
}
