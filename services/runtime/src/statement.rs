//! How a fact is worded: who says it, when, because of what; and as which message of the log.

use crate::aggregate::Loaded;
use crate::connection::Connection;
use crate::log::Log;
use crate::publish::Outgoing;
use crate::{clock, codec, telemetry};
use events::{Aggregate as _, Cause, Envelope, Event, EventId, Recorded, Site, SiteId, subject};
use std::time::Duration;
use tracing::Instrument as _;

/// A fact of the aggregate `id` that is not in the log yet: the `index`th that follows from `cause` there.
pub(crate) fn state(connection: &Connection, id: &str, index: usize, event: Event, cause: &Cause) -> Recorded {
    let own: EventId = cause.event_id(id, &event, index, clock::new_id());
    let current = telemetry::propagation::current();
    let (traceparent, tracestate) = match &cause.traceparent {
        Some(traceparent) => (Some(traceparent.clone()), cause.tracestate.clone()),
        None => current.map_or((None, None), |(traceparent, tracestate)| (Some(traceparent), tracestate)),
    };
    let envelope = Envelope {
        id: own,
        source: format!("/pagefold/{}", connection.service),
        subject: id.to_owned(),
        time: clock::now(),
        correlation: cause.correlation.unwrap_or(own),
        causation: cause.causation,
        actor: cause.actor.clone(),
        traceparent,
        tracestate,
    };
    Recorded { sequence: 0, envelope, event }
}

/// The message that holds `fact` on `subject`.
pub(crate) fn outgoing(subject: &str, fact: &Recorded) -> Outgoing {
    let mut headers = codec::headers(&fact.envelope, &fact.event);
    headers.insert("Nats-Msg-Id", fact.envelope.id.to_string());
    telemetry::propagation::inject(&mut headers);
    Outgoing { subject: subject.to_owned(), headers, payload: fact.event.payload().into() }
}

/// How long the name of a site is looked for before its id has to do.
const NAME_MAX: Duration = Duration::from_secs(1);

/// Tells whoever reads the log of this process what it has stated. A site is told by its name, which nobody waits for.
pub(crate) fn tell(log: &Log, recorded: &[Recorded]) {
    for fact in recorded.iter().filter(|fact| fact.event.is_milestone()) {
        match fact.site() {
            None => line(fact, None),
            Some(site) => {
                let (log, fact) = (log.clone(), fact.clone());
                let told = async move { line(&fact, Some(called(&log, site).await)) };
                tokio::spawn(told.in_current_span());
            }
        }
    }
}

async fn called(log: &Log, site: SiteId) -> String {
    let subject = subject::events(Site::KIND, &site.to_string());
    match tokio::time::timeout(NAME_MAX, log.glimpse::<Site>(&subject)).await {
        Ok(Ok(Loaded { state: Site::Active(known), .. })) => known.name.to_string(),
        Ok(_) | Err(_) => site.to_string(),
    }
}

fn line(fact: &Recorded, site: Option<String>) {
    let (sequence, actor) = (fact.sequence, &fact.envelope.actor);
    tracing::info!(sequence, site, %actor, about = fact.envelope.subject, "{}", fact.sentence());
}
