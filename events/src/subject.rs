//! The only place that spells a subject, a stream or a bucket of the log.

use crate::{AliasName, BuildId, OrganizationId, SiteId};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// The stream of facts.
pub const EVENTS: &str = "EVENTS";
/// The stream of build logs.
pub const LOGS: &str = "LOGS";
/// The stream of what a consumer could not handle.
pub const PARKED: &str = "PARKED";
/// The stream of deliveries that came for nobody or were refused.
pub const STRAYS: &str = "STRAYS";
/// The key-value bucket of leases.
pub const LEASES: &str = "LEASES";
/// The key-value bucket of sessions.
pub const SESSIONS: &str = "SESSIONS";
/// The bucket of the keys that what people are called is sealed with.
pub const KEYS: &str = "KEYS";
/// The bucket of when tokens were last used.
pub const USES: &str = "USES";
/// The bucket of what was asked with a key, and answered.
pub const REQUESTS: &str = "REQUESTS";
/// The object store bucket of folds' snapshots.
pub const SNAPSHOTS: &str = "SNAPSHOTS";
/// All facts.
pub const ALL_EVENTS: &str = "events.>";
/// All build logs.
pub const ALL_LOGS: &str = "logs.build.*";
/// All parked messages.
pub const ALL_PARKED: &str = "parked.>";
/// All stray deliveries.
pub const ALL_STRAYS: &str = "strays.>";

/// What all processes tell of themselves, which no stream keeps.
pub const ALL_PRESENCE: &str = "presence.*";

/// What a subject token cannot hold: separators, wildcards, white space, and our own escape character.
const RESERVED: &AsciiSet = &CONTROLS.add(b'.').add(b'*').add(b'>').add(b' ').add(b'%');

/// `text` as one subject token: reserved characters percent-encoded as in RFC 3986.
#[must_use]
pub fn token(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The text a token stands for. Invalid UTF-8 is replaced.
#[must_use]
pub fn text(token: &str) -> String {
    percent_decode_str(token).decode_utf8_lossy().into_owned()
}

/// Where the processes of a service tell of themselves.
#[must_use]
pub fn presence(service: &str) -> String {
    format!("presence.{}", token(service))
}

/// The service that tells of itself on a subject.
#[must_use]
pub fn present(subject: &str) -> Option<String> {
    subject.strip_prefix("presence.").map(text)
}

/// The subject of one aggregate's facts: `events.<aggregate>.<id>`.
#[must_use]
pub fn events(aggregate: &str, id: &str) -> String {
    format!("events.{aggregate}.{}", token(id))
}

/// The subjects of all facts about one kind of aggregate.
#[must_use]
pub fn events_of(aggregate: &str) -> String {
    format!("events.{aggregate}.*")
}

/// The subject of one build's log.
#[must_use]
pub fn logs(build: BuildId) -> String {
    format!("logs.build.{build}")
}

/// The subject of what `consumer` parked of the fact at `sequence`.
#[must_use]
pub fn parked(consumer: &str, sequence: u64) -> String {
    format!("parked.{consumer}.{sequence}")
}

/// The subject of stray deliveries: whose they are, if that can be told, and whether whoever sent them signed them.
#[must_use]
pub fn strays(owner: Option<OrganizationId>, is_signed: bool) -> String {
    let owner = owner.map_or_else(|| "nobody".to_owned(), |owner| owner.to_string());
    let kind = if is_signed { "signed" } else { "refused" };
    format!("strays.{owner}.{kind}")
}

/// The aggregate id of an alias.
#[must_use]
pub fn alias_id(site: SiteId, alias: &AliasName) -> String {
    format!("{site}/{alias}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_branch_with_dots_is_one_token() {
        let alias: AliasName = "preview/release-1.2".parse().unwrap();
        let id = alias_id(SiteId(uuid::Uuid::nil()), &alias);
        assert_eq!(events("alias", &id), "events.alias.00000000-0000-0000-0000-000000000000/preview/release-1%2E2");
    }

    proptest! {
        #[test]
        fn any_text_is_one_token_and_reads_back(original in ".{0,40}") {
            let token = token(&original);
            prop_assert!(!token.contains(['.', '*', '>', ' ', '\t', '\r', '\n']));
            prop_assert_eq!(text(&token), original);
        }
    }
}
