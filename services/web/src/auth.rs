//! Who asks: a token in the `Authorization` header, or a session cookie made from one.
//!
//! A session is `<token name>.<expiry>.<mac>`, the MAC keyed with the token's secret: the cookie reveals no secret, needs
//! no store, and ends when the token is taken out of the configuration.

use crate::Token;
use crate::problem::Problem;
use crate::server::Shared;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use events::Actor;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, Method, header};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// How long a session lasts, in seconds.
pub(crate) const SESSION_S: i64 = 12 * 60 * 60;
/// Longest token accepted for comparison, in bytes.
const TOKEN_MAX: usize = 1024;
const COOKIE: &str = "pagefold_session";
/// Keeps the MACs of sessions apart from any other use of the secret.
const PURPOSE: &[u8] = b"pagefold session v1\n";

/// Who asked, once it is known.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Actor);

/// The tokens this server knows.
#[derive(Debug)]
pub(crate) struct Auth {
    tokens: Vec<Known>,
    cookie_attributes: &'static str,
}

#[derive(Debug)]
struct Known {
    name: String,
    secret: SecretString,
    digest: [u8; 32],
}

/// Whether `name` fits in an actor and in a session.
pub(crate) fn is_token_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl Auth {
    /// `secure` keeps the cookie off plain HTTP.
    pub(crate) fn new(tokens: &[Token], secure: bool) -> Self {
        let known = |token: &Token| Known {
            name: token.name.clone(),
            secret: token.secret.clone(),
            digest: Sha256::digest(token.secret.expose_secret()).into(),
        };
        let cookie_attributes =
            if secure { "Path=/; HttpOnly; SameSite=Strict; Secure" } else { "Path=/; HttpOnly; SameSite=Strict" };
        Self { tokens: tokens.iter().map(known).collect(), cookie_attributes }
    }

    /// Compares digests, all of them, so that the time taken tells nothing about any secret.
    fn holder(&self, presented: &str) -> Option<&Known> {
        let digest: [u8; 32] = Sha256::digest(presented.get(..presented.len().min(TOKEN_MAX))?).into();
        let mut found = None;
        for known in &self.tokens {
            if bool::from(known.digest.ct_eq(&digest)) {
                found = Some(known);
            }
        }
        found
    }

    fn bearer(&self, headers: &HeaderMap) -> Option<Caller> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        let known = self.holder(token.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer"))?;
        Some(caller(&known.name))
    }

    fn session(&self, headers: &HeaderMap) -> Option<Caller> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let session = pairs.find(|(name, _)| *name == COOKIE)?.1;
        let mut parts = session.splitn(3, '.');
        let (name, expiry, mac) = (parts.next()?, parts.next()?, parts.next()?);
        let known = self.tokens.iter().find(|known| known.name == name)?;
        let genuine: Choice = known.mac(expiry).as_bytes().ct_eq(mac.as_bytes());
        let fresh = expiry.parse::<i64>().ok()? > runtime::clock::now().unix_timestamp();
        (bool::from(genuine) && fresh).then(|| caller(name))
    }

    /// The cookie for whoever presents a valid token.
    pub(crate) fn sign_in(&self, presented: &str) -> Option<HeaderValue> {
        let known = self.holder(presented.trim())?;
        let expiry = (runtime::clock::now().unix_timestamp() + SESSION_S).to_string();
        let (name, mac) = (&known.name, known.mac(&expiry));
        let attributes = self.cookie_attributes;
        format!("{COOKIE}={name}.{expiry}.{mac}; Max-Age={SESSION_S}; {attributes}").parse().ok()
    }

    /// The cookie that ends a session.
    pub(crate) fn sign_out(&self) -> Option<HeaderValue> {
        format!("{COOKIE}=; Max-Age=0; {}", self.cookie_attributes).parse().ok()
    }

    /// Whoever may read and, with a token in the header or from a page of ours, write.
    pub(crate) fn person(&self, headers: &HeaderMap) -> Option<Caller> {
        self.bearer(headers).or_else(|| self.session(headers))
    }
}

impl Known {
    fn mac(&self, expiry: &str) -> String {
        let mac = signature(
            self.secret.expose_secret().as_bytes(),
            &[PURPOSE, self.name.as_bytes(), b"\n", expiry.as_bytes()],
        );
        hex::encode(mac)
    }
}

fn caller(name: &str) -> Caller {
    Caller(Actor(format!("token:{name}")))
}

/// HMAC-SHA-256 over the parts as if they were one.
pub(crate) fn signature(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length, so this cannot fail; an empty MAC would match nothing.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// Lets API requests through that have a token. A session will do where nothing changes, so that pages can follow streams;
/// a command needs the header, which no other site can make a browser send.
pub(crate) async fn require_token(
    State(app): State<Shared>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let headers = request.headers();
    let caller = match *request.method() {
        Method::GET | Method::HEAD => app.auth.person(headers),
        _ => app.auth.bearer(headers),
    };
    request.extensions_mut().insert(caller.ok_or(Problem::Unauthorized)?);
    Ok(next.run(request).await)
}

/// Whether a form was sent by one of our own pages, as the browser says: outright, or by naming the page's origin. A token in
/// the header needs no such proof.
pub(crate) fn is_from_here(app: &Shared, headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if app.auth.bearer(headers).is_some() {
        return true;
    }
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, authority)| Some(authority) == text(header::HOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth() -> Auth {
        let token = |name: &str, secret: &str| Token { name: name.into(), secret: secret.into() };
        Auth::new(&[token("ada", "first-secret"), token("ben", "second-secret")], true)
    }

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_token_names_its_holder_and_nothing_else_does() {
        let who = |value: &str| auth().bearer(&with(header::AUTHORIZATION, value)).map(|caller| caller.0.0);
        assert_eq!(who("Bearer second-secret").as_deref(), Some("token:ben"));
        assert_eq!(who("bearer first-secret").as_deref(), Some("token:ada"));
        for wrong in ["Bearer first-secre", "Bearer ", "Basic first-secret", "first-secret"] {
            assert_eq!(who(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_session_names_its_holder_without_the_secret() {
        let cookie = auth().sign_in("first-secret").unwrap().to_str().unwrap().to_owned();
        assert!(!cookie.contains("first-secret"));
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Secure"));
        let session = cookie.split(';').next().unwrap();
        let headers = with(header::COOKIE, &format!("other=1; {session}"));
        assert_eq!(auth().session(&headers).unwrap().0.0, "token:ada");
    }

    #[test]
    fn a_session_cannot_be_prolonged_or_passed_on() {
        let cookie = auth().sign_in("first-secret").unwrap().to_str().unwrap().to_owned();
        let session = cookie.split(';').next().unwrap();
        let mac = session.rsplit('.').next().unwrap();
        let past = auth().tokens[0].mac("1");
        for forged in [
            format!("{COOKIE}=ada.99999999999.{mac}"),
            session.replace("ada", "ben"),
            format!("{COOKIE}=ada.1.{past}"),
            format!("{COOKIE}=ada"),
        ] {
            assert!(auth().session(&with(header::COOKIE, &forged)).is_none(), "{forged}");
        }
    }

    #[test]
    fn a_session_ends_with_its_token() {
        let cookie = auth().sign_in("first-secret").unwrap().to_str().unwrap().to_owned();
        let headers = with(header::COOKIE, cookie.split(';').next().unwrap());
        let changed = Auth::new(&[Token { name: "ada".into(), secret: "rotated".into() }], false);
        assert!(changed.session(&headers).is_none());
    }
}
