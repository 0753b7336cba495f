//! Facts as an operator reads them: a line, a story, or the whole CloudEvent.

use events::Recorded;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// How a fact is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// One line: sequence, time in UTC, type, what it is about, what happened
    #[default]
    Compact,
    /// A few lines with cause and actor
    Feed,
    /// The CloudEvent as one line of JSON
    Json,
}

/// A fact in the given format, without a final newline. `site` is what its site is called.
#[must_use]
pub fn fact(recorded: &Recorded, site: Option<&str>, format: Format) -> String {
    match format {
        Format::Compact => compact(recorded, site),
        Format::Feed => feed(recorded, site),
        Format::Json => cloudevent(recorded),
    }
}

/// What is printed of a message that is not a fact we know.
#[must_use]
pub fn unreadable(sequence: u64, error: &dyn std::error::Error, format: Format) -> String {
    match format {
        Format::Compact | Format::Feed => format!("{sequence:>6}  unreadable: {error}"),
        Format::Json => json!({ "sequence": sequence.to_string(), "error": error.to_string() }).to_string(),
    }
}

/// What happened, and to which site.
fn sentence(recorded: &Recorded, site: Option<&str>) -> String {
    let sentence = recorded.sentence();
    site.map_or_else(|| sentence.clone(), |site| format!("{site}: {sentence}"))
}

fn compact(recorded: &Recorded, site: Option<&str>) -> String {
    let Recorded { sequence, envelope, event } = recorded;
    line(*sequence, envelope.time, &event.name(), &sentence(recorded, site))
}

/// The line of a fact, by its place, its moment, its name and what it says.
#[must_use]
pub fn line(sequence: u64, time: OffsetDateTime, name: &str, sentence: &str) -> String {
    let name = name.rsplit_once(".v").map_or(name, |(name, _)| name);
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
    let time = time.to_offset(UtcOffset::UTC).format(format).unwrap_or_default();
    format!("{sequence:>6}  {time}  {name:<25} {sentence}")
}

fn feed(recorded: &Recorded, site: Option<&str>) -> String {
    let Recorded { sequence, envelope, event } = recorded;
    let time = envelope.time.format(&Rfc3339).unwrap_or_default();
    let cause = envelope.causation.map_or_else(|| "nothing before it".to_owned(), |cause| cause.to_string());
    format!(
        "{}\n    {time}  {} about {}/{}\n    by {}, because of {cause}\n    fact {sequence}, id {}, story {}",
        sentence(recorded, site),
        event.name(),
        event.aggregate(),
        envelope.subject,
        envelope.actor,
        envelope.id,
        envelope.correlation,
    )
}

/// The fact as a CloudEvent on one line.
fn cloudevent(recorded: &Recorded) -> String {
    let written = runtime::cloudevent::of(recorded).and_then(|event| Ok(serde_json::to_string(&event)?));
    written.unwrap_or_else(|error| unreadable(recorded.sequence, &*error, Format::Json))
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{
        Actor, AliasEvent, AliasName, BuildId, DeployId, Envelope, Event, HandleEvent, HostEvent, OrganizationId,
        PromotionReason, SiteId,
    };
    use serde_json::Value;
    use uuid::Uuid;

    fn promoted() -> Recorded {
        let event = AliasEvent::Promoted {
            site: SiteId(Uuid::nil()),
            alias: AliasName::Live,
            deploy: DeployId::of(BuildId(Uuid::nil())),
            number: 3,
            source_sequence: 7,
            previous: None,
            reason: PromotionReason::Built,
        };
        let envelope = Envelope {
            id: Uuid::from_u128(9),
            source: "/pagefold/syncer".to_owned(),
            subject: "docs/live".to_owned(),
            time: time::macros::datetime!(2026-03-04 05:06:07.008 UTC),
            correlation: Uuid::from_u128(1),
            causation: Some(Uuid::from_u128(8)),
            actor: Actor::service("syncer"),
            traceparent: None,
            tracestate: None,
        };
        Recorded { sequence: 12, envelope, event: event.into() }
    }

    #[test]
    fn a_line_tells_when_and_what() {
        let line = fact(&promoted(), Some("docs"), Format::Compact);
        assert_eq!(line, "    12  2026-03-04 05:06:07.008  alias.promoted            docs: `live` now shows build 3");
    }

    #[test]
    fn a_claim_tells_what_is_claimed() {
        let host = HostEvent::Claimed { site: SiteId(Uuid::nil()), organization: OrganizationId(Uuid::nil()) };
        let handle = HandleEvent::Claimed { organization: OrganizationId(Uuid::nil()) };
        for (subject, event, told) in [
            ("almanac", Event::from(host), "host.claimed              docs: host `almanac` claimed by a site"),
            ("acme", handle.into(), "handle.claimed            docs: name `acme` claimed by an organization"),
        ] {
            let mut recorded = Recorded { event, ..promoted() };
            subject.clone_into(&mut recorded.envelope.subject);
            let line = fact(&recorded, Some("docs"), Format::Compact);
            assert!(line.ends_with(told), "{line}");
        }
    }

    #[test]
    fn a_feed_tells_why_and_by_whom() {
        let text = fact(&promoted(), Some("docs"), Format::Feed);
        assert!(text.contains("by service:syncer, because of 00000000-0000-0000-0000-000000000008"), "{text}");
    }

    #[test]
    fn json_is_a_cloudevent_on_one_line() {
        let text = fact(&promoted(), Some("docs"), Format::Json);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(!text.contains('\n'));
        assert_eq!(value["type"], "dev.pagefold.alias.promoted.v1");
        assert_eq!(value["data"]["alias"], "live");
        assert!(value.get("traceparent").is_none());
    }
}
