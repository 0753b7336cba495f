//! How readers come to be served over TLS: who asks without it for a name that has a certificate is led to where it is spoken.

use crate::body::{self, Body};
use crate::certificates::Certificates;
use crate::fold::InService;
use crate::hosts;
use crate::respond::is_read;
use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use listener::Encrypted;
use std::sync::Arc;

/// Below here names are proven to an authority (RFC 8555, 8.3), which asks without TLS.
const CHALLENGES: &str = "/.well-known/acme-challenge/";
/// Longest token of a challenge.
const TOKEN_MAX: usize = 200;
/// The port of HTTPS.
const HTTPS: u16 = 443;
/// How it is told that an address is asked for over TLS.
pub(crate) const ENCRYPTED: u16 = 308;

/// Where TLS is spoken, and for which names.
pub(crate) struct Secure {
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) port: u16,
}

impl Secure {
    /// The same address over TLS, for a name that has a certificate and a reader who speaks none.
    pub(crate) fn leads(&self, name: &str, request: &Parts) -> Option<String> {
        let (path, query) = (request.uri.path(), request.uri.query());
        if is_encrypted(request) || path.starts_with(CHALLENGES) || !self.certificates.has(name) {
            return None;
        }
        // Who finds HTTP at its own port, whichever it is here, finds HTTPS at its own too.
        let port = hosts::port(request).and(Some(self.port)).filter(|port| *port != HTTPS);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(answers::with_query(&format!("https://{name}{port}{path}"), query))
    }
}

/// What proves to an authority that a name leads here. Only whoever has the account can have it looked for, so everybody may know.
pub(crate) fn proof(table: &InService, name: &str, request: &Parts) -> Option<Response<Body>> {
    let token = request.uri.path().strip_prefix(CHALLENGES)?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if token.is_empty() || token.len() > TOKEN_MAX || !token.bytes().all(is_token) || !is_read(request) {
        return None;
    }
    let table = table.load();
    let responder = table.as_ref()?.routes.responder(name)?;
    let mut response = Response::new(body::full(format!("{token}.{responder}").into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}

/// Whether a request came over TLS, here or to a proxy that is believed.
pub(crate) fn is_encrypted(request: &Parts) -> bool {
    request.extensions.get::<Encrypted>().is_some_and(|Encrypted(is)| *is)
}
