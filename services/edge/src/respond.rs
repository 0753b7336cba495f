//! Status and headers of an answer, from what was found and what was asked. Pure.

use crate::caching::{self, IMMUTABLE, REVALIDATE};
use crate::conditions::{self, Wanted};
use crate::hosts;
use crate::routes::{Kind, Target};
use crate::variants::Variant;
use events::event::RulesDialect;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LOCATION,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use rules::{Asked, Matcher};
use std::ops::Range;
use storage::SiteFile;

pub(crate) const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
const X_PAGEFOLD_DEPLOY: HeaderName = HeaderName::from_static("x-pagefold-deploy");

pub(crate) const NOINDEX: HeaderValue = HeaderValue::from_static("noindex");
/// What every answer has unless its site says otherwise. Browsers pass over the first unless it came over TLS.
pub(crate) const CAREFUL: [(HeaderName, HeaderValue); 4] = [
    (STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    (REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
];
/// Answers have about so many headers: room is made once.
const HEADERS: usize = 16;
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Whether a request asks for what a site can answer.
pub(crate) const fn is_read(request: &Parts) -> bool {
    matches!(request.method, Method::GET | Method::HEAD)
}

/// An answer without its body.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Which bytes of the file are the body; none for an empty one.
    pub(crate) part: Option<Range<u64>>,
}

/// The answer when `file` is what was asked for, and may be sent in other encodings, of which `variant` is one.
pub(crate) fn encodable(file: &SiteFile, variant: Option<&Variant>, target: &Target, request: &Parts) -> Reply {
    let mut reply = match variant {
        None => self::file(file, target, request),
        Some(Variant { encoding, bytes }) => {
            let etag = format!("\"{}-{}\"", file.digest, encoding.name());
            let mut reply = conditional(file, &etag, target, request);
            if reply.status == StatusCode::OK {
                reply.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
                reply.headers.insert(CONTENT_LENGTH, bytes.len().into());
            }
            reply
        }
    };
    reply.headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    reply
}

/// The answer when `file` is what was asked for.
pub(crate) fn file(file: &SiteFile, target: &Target, request: &Parts) -> Reply {
    conditional(file, &format!("\"{}\"", file.digest), target, request)
}

/// What robots are told on a host that is not for them.
pub(crate) fn robots(target: &Target) -> Reply {
    let mut headers = common(target);
    headers.insert(CACHE_CONTROL, REVALIDATE);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, answers::KEEP_AWAY.len().into());
    Reply { status: StatusCode::OK, headers, part: None }
}

fn conditional(file: &SiteFile, etag: &str, target: &Target, request: &Parts) -> Reply {
    let mut headers = common(target);
    headers.insert(CACHE_CONTROL, caching::of(file, target.kind));
    headers.insert(ETAG, text(etag).unwrap_or(HeaderValue::from_static("\"\"")));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if conditions::wants_another(&request.headers, etag) {
        return empty(StatusCode::PRECONDITION_FAILED, headers);
    }
    if conditions::has_it(&request.headers, etag) {
        return Reply { status: StatusCode::NOT_MODIFIED, headers, part: None };
    }
    // Only GET has ranges (RFC 9110, section 14.2).
    let wanted = match request.method {
        Method::GET => conditions::wanted(&request.headers, etag, file.size),
        _ => Wanted::Whole,
    };
    match wanted {
        Wanted::Whole => whole(StatusCode::OK, headers, file, request),
        Wanted::Part(range) => part(headers, file, range),
        Wanted::Unsatisfiable => {
            headers.extend(text(&format!("bytes */{}", file.size)).map(|range| (CONTENT_RANGE, range)));
            empty(StatusCode::RANGE_NOT_SATISFIABLE, headers)
        }
    }
}

/// The answer when `page` stands for what was asked for: mostly because nothing was found and it says so.
pub(crate) fn shown_as(page: &SiteFile, status: StatusCode, target: &Target, request: &Parts) -> Reply {
    let mut headers = common(target);
    headers.insert(CACHE_CONTROL, REVALIDATE);
    whole(status, headers, page, request)
}

/// The answer that a rule leads to `location`. The next deploy may have another, so caches ask again.
pub(crate) fn led(location: &str, status: u16, target: &Target) -> Reply {
    let mut headers = common(target);
    headers.insert(CACHE_CONTROL, REVALIDATE);
    headers.insert(LOCATION, text(location).unwrap_or(HeaderValue::from_static("/")));
    empty(StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND), headers)
}

/// The answer that a route leads to `location`. The route may be another in a moment, so caches ask again.
pub(crate) fn routed(location: &str, status: u16) -> Reply {
    let mut headers = careful();
    headers.insert(CACHE_CONTROL, REVALIDATE);
    headers.insert(LOCATION, text(location).unwrap_or(HeaderValue::from_static("/")));
    empty(StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND), headers)
}

/// Makes of an answer what the site's rules want. That a host is not for search engines is not theirs to change, and by Netlify's
/// grammar headers are for what is shown.
pub(crate) fn amend(reply: &mut Reply, rules: &Matcher, asked: &Asked<'_>, kind: Kind) {
    let leads = reply.status.is_redirection() && reply.status != StatusCode::NOT_MODIFIED;
    if leads && rules.dialect() == RulesDialect::Netlify {
        return;
    }
    rules.amend(asked.host, asked.path, &mut reply.headers);
    if kind != Kind::Live {
        reply.headers.insert(X_ROBOTS_TAG, NOINDEX);
    }
}

/// The answer that `path` is to be asked for, with the same query.
pub(crate) fn redirect(path: &str, target: &Target, request: &Parts) -> Reply {
    let mut headers = common(target);
    headers.insert(CACHE_CONTROL, lasting(target.kind));
    let location = answers::with_query(path, request.uri.query());
    headers.insert(LOCATION, text(&location).unwrap_or(HeaderValue::from_static("/")));
    empty(StatusCode::TEMPORARY_REDIRECT, headers)
}

/// The answer that the same is to be asked of `host`, on the port that was asked. The site may be renamed back, so no
/// cache keeps it.
pub(crate) fn moved(host: &str, request: &Parts) -> Reply {
    let location = answers::elsewhere(host, hosts::port(request), request.uri.path(), request.uri.query());
    let mut headers = careful();
    headers.insert(CACHE_CONTROL, REVALIDATE);
    headers.insert(LOCATION, text(&location).unwrap_or(HeaderValue::from_static("/")));
    empty(StatusCode::PERMANENT_REDIRECT, headers)
}

pub(crate) fn careful() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    for (name, value) in CAREFUL {
        headers.insert(name, value);
    }
    headers
}

fn common(target: &Target) -> HeaderMap {
    let mut headers = careful();
    headers.extend(text(target.deploy.as_str()).map(|deploy| (X_PAGEFOLD_DEPLOY, deploy)));
    if target.kind != Kind::Live {
        headers.insert(X_ROBOTS_TAG, NOINDEX);
    }
    headers
}

fn lasting(kind: Kind) -> HeaderValue {
    match kind {
        Kind::Live | Kind::Demo | Kind::Preview => REVALIDATE,
        Kind::Deploy => IMMUTABLE,
    }
}

fn whole(status: StatusCode, mut headers: HeaderMap, file: &SiteFile, request: &Parts) -> Reply {
    headers.insert(CONTENT_TYPE, text(&file.content_type).unwrap_or(OCTETS));
    headers.insert(CONTENT_LENGTH, file.size.into());
    Reply { status, headers, part: (request.method != Method::HEAD).then_some(0..file.size) }
}

fn part(mut headers: HeaderMap, file: &SiteFile, range: Range<u64>) -> Reply {
    headers.insert(CONTENT_TYPE, text(&file.content_type).unwrap_or(OCTETS));
    headers.insert(CONTENT_LENGTH, (range.end - range.start).into());
    let bounds = format!("bytes {}-{}/{}", range.start, range.end - 1, file.size);
    headers.extend(text(&bounds).map(|bounds| (CONTENT_RANGE, bounds)));
    Reply { status: StatusCode::PARTIAL_CONTENT, headers, part: Some(range) }
}

fn empty(status: StatusCode, mut headers: HeaderMap) -> Reply {
    headers.insert(CONTENT_LENGTH, 0.into());
    Reply { status, headers, part: None }
}

fn text(value: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(value).ok()
}

#[cfg(test)]
mod tests;
