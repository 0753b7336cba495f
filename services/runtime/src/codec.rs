//! CloudEvents 1.0 in binary mode over NATS headers (NATS protocol binding 1.0.3-wip).
//!
//! Every context attribute is a header `ce-<name>`, `datacontenttype` among them. Values are percent-encoded outside
//! the printable ASCII range, and for space, double quote and percent.

use async_nats::HeaderMap;
use async_nats::HeaderName;
use async_nats::header::HeaderValue;
use events::envelope::{CONTENT_TYPE, SPEC_VERSION};
use events::{Actor, DecodeError, Envelope, Event, Recorded};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');
const PREFIX: &str = "ce-";
const ID: &str = "id";

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
    let attributes = Attributes::of(headers);
    let time = attributes.time("time")?;
    let envelope = Envelope {
        id: attributes.uuid(ID)?.ok_or(Error::Missing(ID))?,
        source: attributes.required("source")?.into_owned(),
        subject: attributes.required("subject")?.into_owned(),
        time,
        correlation: attributes.uuid("correlationid")?.ok_or(Error::Missing("correlationid"))?,
        causation: attributes.uuid("causationid")?,
        actor: Actor(attributes.required("actor")?.into_owned()),
        traceparent: attributes.text("traceparent").map(Cow::into_owned),
        tracestate: attributes.text("tracestate").map(Cow::into_owned),
    };
    let event = Event::decode(&attributes.required("type")?, payload)?;
    Ok(Recorded { sequence, envelope, event })
}

/// The identity of a message; nil if it claims none.
pub(crate) fn identity(headers: &HeaderMap) -> Uuid {
    attribute(headers, ID).and_then(|id| id.parse().ok()).unwrap_or_default()
}

/// The attribute `name` of a message.
pub(crate) fn attribute(headers: &HeaderMap, name: &str) -> Option<String> {
    Attributes::of(headers).text(name).map(Cow::into_owned)
}

/// The attributes of a message as its headers have them, in no order: there are a dozen, and each is asked for once.
struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let attribute = |(name, values): (&'a HeaderName, &'a Vec<HeaderValue>)| {
            let name: &str = name.as_ref();
            let (prefix, name) = name.split_at_checked(PREFIX.len())?;
            let is_ours = prefix.eq_ignore_ascii_case(PREFIX);
            Some((name, values.first().filter(|_| is_ours)?.as_str()))
        };
        Self(headers.iter().filter_map(attribute).collect())
    }

    /// NATS keeps the case of header names and CloudEvents ignores it, so the exact name is tried first.
    fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let exact = self.0.iter().find(|(known, _)| *known == name);
        let (_, text) = exact.or_else(|| self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)))?;
        let unquoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        percent_decode_str(unquoted).decode_utf8().ok()
    }

    fn required(&self, name: &'static str) -> Result<Cow<'a, str>, Error> {
        self.text(name).ok_or(Error::Missing(name))
    }

    fn uuid(&self, name: &'static str) -> Result<Option<Uuid>, Error> {
        let parse = |value: Cow<'a, str>| value.parse().map_err(|_| invalid(name, value));
        self.text(name).map(parse).transpose()
    }

    fn time(&self, name: &'static str) -> Result<OffsetDateTime, Error> {
        let value = self.required(name)?;
        OffsetDateTime::parse(&value, &Rfc3339).map_err(|_| invalid(name, value))
    }
}

fn invalid(attribute: &'static str, value: Cow<'_, str>) -> Error {
    Error::Invalid { attribute, value: value.into_owned() }
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
