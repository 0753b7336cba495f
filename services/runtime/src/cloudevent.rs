//! Facts as CloudEvents 1.0 in JSON, for readers outside: the API and the operator's commands.

use crate::error::BoxError;
use cloudevents::event::{Event, EventBuilder, EventBuilderV10};
use events::envelope::CONTENT_TYPE;
use events::{Envelope, Recorded};
use time::format_description::well_known::Rfc3339;

/// The event as it was stated, with its place in the log as the extension `sequence`, a decimal number as text: CloudEvents
/// integers end at 2³¹.
///
/// # Errors
/// If an attribute cannot be written as CloudEvents require; a fact from the log always can.
pub fn of(recorded: &Recorded) -> Result<Event, BoxError> {
    let Recorded { sequence, envelope, event } = recorded;
    let time = envelope.time.format(&Rfc3339)?;
    let mut builder = EventBuilderV10::new()
        .id(envelope.id.to_string())
        .source(envelope.source.clone())
        .ty(event.type_name())
        .subject(envelope.subject.clone())
        .time(time)
        .data_with_schema(CONTENT_TYPE, Envelope::schema_of(event), event.data())
        .extension("sequence", sequence.to_string())
        .extension("correlationid", envelope.correlation.to_string())
        .extension("actor", envelope.actor.0.clone());
    if let Some(causation) = envelope.causation {
        builder = builder.extension("causationid", causation.to_string());
    }
    for (name, value) in [("traceparent", &envelope.traceparent), ("tracestate", &envelope.tracestate)] {
        if let Some(value) = value {
            builder = builder.extension(name, value.clone());
        }
    }
    Ok(builder.build()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Actor, SiteEvent};
    use serde_json::json;

    #[test]
    fn a_fact_is_a_cloudevent_with_all_its_context() {
        let recorded = Recorded {
            sequence: 7,
            envelope: Envelope {
                id: "0195a000-0000-7000-8000-000000000001".parse().unwrap(),
                source: "/pagefold/web".into(),
                subject: "docs".into(),
                time: time::macros::datetime!(2026-01-02 03:04:05.678 UTC),
                correlation: "0195a000-0000-7000-8000-000000000001".parse().unwrap(),
                causation: None,
                actor: Actor("token:ada".into()),
                traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
                tracestate: None,
            },
            event: SiteEvent::Deleted {}.into(),
        };
        let expected = json!({
            "specversion": "1.0",
            "id": "0195a000-0000-7000-8000-000000000001",
            "source": "/pagefold/web",
            "type": "dev.pagefold.site.deleted.v1",
            "subject": "docs",
            "time": "2026-01-02T03:04:05.678Z",
            "datacontenttype": "application/json",
            "dataschema": "https://pagefold.dev/schemas/events/site.deleted.v1.json",
            "sequence": "7",
            "correlationid": "0195a000-0000-7000-8000-000000000001",
            "actor": "token:ada",
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "data": {},
        });
        let mut written = serde_json::to_value(of(&recorded).unwrap()).unwrap();
        let time = written["time"].as_str().unwrap().replace("+00:00", "Z");
        written["time"] = json!(time);
        assert_eq!(written, expected);
    }
}
