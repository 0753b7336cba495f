//! The conditions of HTTP (RFC 9110, section 13) as S3 gives them to writes, reads and copies.

use hyper::HeaderMap;
use hyper::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use s3s::S3ErrorCode;
use s3s::dto::{ETagCondition, Timestamp};

use crate::clock;
use crate::error::Fault;
use crate::records::Object;

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == object.etag,
    }
}

/// What must hold of the key at the moment a write is published.
#[derive(Clone, Debug, Default)]
pub(crate) struct OnWrite {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
}

impl OnWrite {
    /// Copies carry these headers too, but the parsed request does not expose them.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self, Fault> {
        Ok(Self { if_match: header(headers, &IF_MATCH)?, if_none_match: header(headers, &IF_NONE_MATCH)? })
    }

    pub(crate) fn check(&self, current: Option<&Object>) -> Result<(), Fault> {
        match (&self.if_match, current) {
            (Some(_), None) => return Err(S3ErrorCode::NoSuchKey.into()),
            (Some(condition), Some(object)) if !matches(condition, object) => {
                return Err(S3ErrorCode::PreconditionFailed.into());
            }
            (Some(_) | None, _) => {}
        }
        match (&self.if_none_match, current) {
            (Some(condition), Some(object)) if matches(condition, object) => {
                Err(S3ErrorCode::PreconditionFailed.into())
            }
            (Some(_) | None, _) => Ok(()),
        }
    }
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Result<Option<ETagCondition>, Fault> {
    let parse = |value: &hyper::header::HeaderValue| {
        ETagCondition::parse_http_header(value.as_bytes()).map_err(|_| S3ErrorCode::InvalidArgument)
    };
    Ok(headers.get(name).map(parse).transpose()?)
}

/// What must hold of an object for it to be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct OnRead {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

/// The answer to the conditions of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Read,
    NotModified,
    Failed,
}

impl OnRead {
    /// An entity tag, when given, decides alone: the date beside it is for servers without tags.
    pub(crate) fn check(&self, object: &Object) -> Verdict {
        let modified_s = object.modified_ms.div_euclid(1000);
        let as_expected = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => matches(condition, object),
            (None, Some(since)) => modified_s <= clock::seconds(since),
            (None, None) => true,
        };
        let fresh = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => matches(condition, object),
            (None, Some(since)) => modified_s <= clock::seconds(since),
            (None, None) => false,
        };
        match (as_expected, fresh) {
            (false, _) => Verdict::Failed,
            (true, true) => Verdict::NotModified,
            (true, false) => Verdict::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use s3s::dto::ETag;
    use uuid::Uuid;

    use super::*;
    use crate::headers::Headers;

    fn object() -> Object {
        Object { etag: "e".into(), size: 0, modified_ms: 10_999, body: Uuid::nil(), headers: Headers::default() }
    }

    fn tag(value: &str) -> Option<ETagCondition> {
        Some(ETagCondition::ETag(ETag::Strong(value.into())))
    }

    #[test]
    fn a_write_is_refused_when_its_condition_fails() {
        let absent = OnWrite { if_none_match: Some(ETagCondition::Any), ..OnWrite::default() };
        assert!(absent.check(None).is_ok());
        assert!(absent.check(Some(&object())).is_err());
        let expected = OnWrite { if_match: tag("e"), ..OnWrite::default() };
        assert!(expected.check(Some(&object())).is_ok());
        assert!(expected.check(None).is_err());
        assert!(OnWrite { if_match: tag("x"), ..OnWrite::default() }.check(Some(&object())).is_err());
    }

    #[test]
    fn a_tag_decides_before_a_date() {
        let at = |seconds: i64| Some(clock::timestamp(seconds * 1000));
        let read = |on_read: OnRead| on_read.check(&object());
        assert_eq!(read(OnRead { if_none_match: tag("e"), ..OnRead::default() }), Verdict::NotModified);
        assert_eq!(read(OnRead { if_match: tag("x"), ..OnRead::default() }), Verdict::Failed);
        assert_eq!(read(OnRead { if_modified_since: at(10), ..OnRead::default() }), Verdict::NotModified);
        assert_eq!(read(OnRead { if_modified_since: at(9), ..OnRead::default() }), Verdict::Read);
        assert_eq!(read(OnRead { if_unmodified_since: at(9), ..OnRead::default() }), Verdict::Failed);
        let both = OnRead { if_none_match: tag("x"), if_modified_since: at(10), ..OnRead::default() };
        assert_eq!(read(both), Verdict::Read);
    }
}
