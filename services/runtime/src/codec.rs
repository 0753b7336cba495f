//! CloudEvents 1.0 in binary mode over NATS headers (NATS protocol binding 1.0.3-wip).
//!
//! Every context attribute is a header `ce-<name>`, `datacontenttype` among them. Values are percent-encoded outside
//! the printable ASCII range, and for space, double quote and percent.

use async_nats::HeaderMap;
use async_nats::header::HeaderValue;
use events::envelope::{CONTENT_TYPE, SPEC_VERSION};
use events::{Actor, DecodeError, Envelope, Event, Recorded};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');
const PREFIX: &str = "ce-";

/// Why a message is not a fact.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A required attribute is missing.
    #[error("attribute `{0}` is missing")]
    Missing(&'static str),
    /// An attribute has a value it cannot have.
    #[error("attribute `{attribute}` cannot be `{value}`")]
    Invalid {
        /// Which attribute.
        attribute: &'static str,
        /// Its value.
        value: String,
    },
    /// The log has nothing at this place, though it never loses a fact.
    #[error("the log has nothing here")]
    Absent,
    /// The payload is not a fact we know.
    #[error(transparent)]
    Payload(#[from] DecodeError),
}

impl Error {
    /// Its type, if this version does not know it: a newer version has stated it.
    #[must_use]
    pub fn unknown_type(&self) -> Option<&str> {
        match self {
            Self::Payload(DecodeError::UnknownType(name)) => Some(name),
            Self::Payload(DecodeError::Malformed { .. }) | Self::Missing(_) | Self::Invalid { .. } | Self::Absent => {
                None
            }
        }
    }
}

/// The headers of a fact, without the trace context of its publishing.
pub(crate) fn headers(envelope: &Envelope, event: &Event) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name: &str, value: &str| {
        let encoded = utf8_percent_encode(value, ESCAPED).to_string();
        if let Ok(value) = encoded.parse::<HeaderValue>() {
            headers.insert(format!("{PREFIX}{name}"), value);
        }
    };
    put("specversion", SPEC_VERSION);
    put("id", &envelope.id.to_string());
    put("source", &envelope.source);
    put("type", &event.type_name());
    put("subject", &envelope.subject);
    put("time", &envelope.time.format(&Rfc3339).unwrap_or_default());
    put("datacontenttype", CONTENT_TYPE);
    put("dataschema", &Envelope::schema_of(event));
    put("correlationid", &envelope.correlation.to_string());
    put("actor", &envelope.actor.0);
    if let Some(causation) = envelope.causation {
        put("causationid", &causation.to_string());
    }
    if let Some(traceparent) = &envelope.traceparent {
        put("traceparent", traceparent);
    }
    if let Some(tracestate) = &envelope.tracestate {
        put("tracestate", tracestate);
    }
    headers
}

/// Reads a fact from a message at `sequence`.
///
/// # Errors
/// [`Error`] if an attribute is missing or malformed, or the payload is not of its type.
pub(crate) fn recorded(sequence: u64, headers: &HeaderMap, payload: &[u8]) -> Result<Recorded, Error> {
    let time = required(headers, "time")?;
    let envelope = Envelope {
        id: uuid(headers, "id")?.ok_or(Error::Missing("id"))?,
        source: required(headers, "source")?,
        subject: required(headers, "subject")?,
        time: OffsetDateTime::parse(&time, &Rfc3339).map_err(|_| Error::Invalid { attribute: "time", value: time })?,
        correlation: uuid(headers, "correlationid")?.ok_or(Error::Missing("correlationid"))?,
        causation: uuid(headers, "causationid")?,
        actor: Actor(required(headers, "actor")?),
        traceparent: attribute(headers, "traceparent"),
        tracestate: attribute(headers, "tracestate"),
    };
    let event = Event::decode(&required(headers, "type")?, payload)?;
    Ok(Recorded { sequence, envelope, event })
}

/// The identity of a message; nil if it claims none.
pub(crate) fn identity(headers: &HeaderMap) -> Uuid {
    uuid(headers, "id").ok().flatten().unwrap_or_default()
}

fn required(headers: &HeaderMap, name: &'static str) -> Result<String, Error> {
    attribute(headers, name).ok_or(Error::Missing(name))
}

fn uuid(headers: &HeaderMap, name: &'static str) -> Result<Option<Uuid>, Error> {
    let parse = |value: String| value.parse().map_err(|_| Error::Invalid { attribute: name, value });
    attribute(headers, name).map(parse).transpose()
}

/// NATS keeps the case of header names and CloudEvents ignores it, so the exact name is tried first.
pub(crate) fn attribute(headers: &HeaderMap, name: &str) -> Option<String> {
    let wanted = format!("{PREFIX}{name}");
    let value = headers.get(wanted.as_str()).or_else(|| {
        let same = |(header, _): &(&async_nats::HeaderName, _)| header.to_string().eq_ignore_ascii_case(&wanted);
        headers.iter().find(same).and_then(|(_, values)| values.first())
    })?;
    let text = value.as_str();
    let unquoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    percent_decode_str(unquoted).decode_utf8().ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::BuildEvent;
    use proptest::prelude::*;

    fn envelope(subject: String, actor: String) -> Envelope {
        Envelope {
            id: Uuid::from_u128(1),
            source: "/pagefold/web".to_owned(),
            subject,
            time: OffsetDateTime::UNIX_EPOCH,
            correlation: Uuid::from_u128(2),
            causation: Some(Uuid::from_u128(1)),
            actor: Actor(actor),
            traceparent: None,
            tracestate: Some("a=b".to_owned()),
        }
    }

    fn fact() -> Event {
        BuildEvent::Dispatched { site: events::SiteId(Uuid::nil()) }.into()
    }

    proptest! {
        #[test]
        fn any_attribute_survives_the_wire(subject in ".{1,30}", actor in ".{1,30}") {
            let envelope = envelope(subject, actor);
            let headers = headers(&envelope, &fact());
            for (_, values) in headers.iter() {
                prop_assert!(values[0].as_str().bytes().all(|byte| (0x21..0x7f).contains(&byte)));
            }
            let read = recorded(7, &headers, fact().data().to_string().as_bytes()).unwrap();
            prop_assert_eq!(read, Recorded { sequence: 7, envelope, event: fact() });
        }
    }

    #[test]
    fn attribute_names_are_read_without_case_and_values_without_quotes() {
        let mut headers = HeaderMap::new();
        headers.insert("CE-Actor", "\"web%20master\"");
        assert_eq!(attribute(&headers, "actor").as_deref(), Some("web master"));
    }

    #[test]
    fn a_message_without_an_id_is_not_a_fact() {
        let error = recorded(1, &HeaderMap::new(), b"{}").unwrap_err();
        assert!(matches!(error, Error::Missing("time")), "{error}");
    }
}
