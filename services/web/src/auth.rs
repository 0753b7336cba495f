//! Who asks: a token in the `Authorization` header, or a session that one began. Wrong tokens are counted per client.

use crate::Token;
use crate::guesses::Guesses;
use crate::problem::Problem;
use crate::server::Shared;
use crate::sessions::{Sessions, Visit};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use events::Actor;
use hmac::{Hmac, KeyInit, Mac};
use http::{Extensions, HeaderMap, HeaderValue, Method, header};
use listener::Client;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Longest token accepted for comparison, in bytes.
const TOKEN_MAX: usize = 1024;
/// How often a live stream looks whether its session is over.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who asked, once it is known.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Actor);

/// Whose token the request has in its header.
#[derive(Debug, Clone)]
struct Bearer(Caller);

/// The tokens this server knows, and the sessions they began.
#[derive(Debug)]
pub(crate) struct Auth {
    tokens: Vec<Known>,
    sessions: Sessions,
    guesses: Guesses,
}

/// A token that this server knows.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: String,
    secret: SecretString,
    digest: [u8; 32],
}

/// Whether `name` fits in an actor.
pub(crate) fn is_token_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl Known {
    fn new(token: &Token) -> Self {
        Self {
            name: token.name.clone(),
            secret: token.secret.clone(),
            digest: Sha256::digest(token.secret.expose_secret()).into(),
        }
    }

    /// The key of whatever proves to come from the token's holder.
    pub(crate) fn key(&self) -> &[u8] {
        self.secret.expose_secret().as_bytes()
    }
}

impl Auth {
    pub(crate) fn new(tokens: &[Token], sessions: Sessions) -> Self {
        Self { tokens: tokens.iter().map(Known::new).collect(), sessions, guesses: Guesses::default() }
    }

    /// The holder of a presented token. A client that has guessed too often is not answered, whatever it presents.
    fn holder(&self, presented: &str, client: IpAddr) -> Result<Option<&Known>, Problem> {
        if let Some(wait) = self.guesses.wait(client) {
            return Err(Problem::TooManyGuesses(wait));
        }
        let holder = holder(&self.tokens, presented);
        if holder.is_none() && !presented.is_empty() {
            self.guesses.wrong(client);
        }
        Ok(holder)
    }

    /// The cookie for whoever presents a valid token; none if it is not.
    pub(crate) async fn sign_in(&self, presented: &str, client: IpAddr) -> Result<Option<HeaderValue>, Problem> {
        match self.holder(presented.trim(), client)? {
            Some(holder) => self.sessions.begin(holder).await.map(Some),
            None => Ok(None),
        }
    }

    /// Ends the session and answers the cookie that makes a browser forget it.
    pub(crate) async fn sign_out(&self, headers: &HeaderMap) -> Result<HeaderValue, Problem> {
        self.sessions.end(headers).await
    }

    /// Whoever may read and, with a token in the header or from a page of ours, write.
    pub(crate) async fn person(&self, extensions: &Extensions, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
        match (bearer(extensions), Visit::of(headers)) {
            (Some(caller), _) => Ok(Some(caller)),
            (None, Some(visit)) => self.sessions.holder(&self.tokens, &visit).await,
            (None, None) => Ok(None),
        }
    }

    /// Comes back when the session is over. While the log is away nobody knows, and nothing new can be shown either.
    pub(crate) async fn left(&self, visit: &Visit) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            if let Ok(false) = self.sessions.lasts(&self.tokens, visit).await {
                return;
            }
        }
    }
}

/// Compares digests, all of them, so that the time taken tells nothing about any secret.
fn holder<'a>(tokens: &'a [Known], presented: &str) -> Option<&'a Known> {
    let digest: [u8; 32] = Sha256::digest(presented.get(..presented.len().min(TOKEN_MAX))?).into();
    let mut found = None;
    for known in tokens {
        if bool::from(known.digest.ct_eq(&digest)) {
            found = Some(known);
        }
    }
    found
}

/// The token in the header, if it is of our kind.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn bearer(extensions: &Extensions) -> Option<Caller> {
    extensions.get::<Bearer>().map(|Bearer(caller)| caller.clone())
}

/// The address of whoever sent the request.
pub(crate) fn client(extensions: &Extensions) -> IpAddr {
    // The listener names the client of every request; one without would be counted with its like.
    extensions.get::<Client>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.0)
}

pub(crate) fn caller(name: &str) -> Caller {
    Caller(Actor(format!("token:{name}")))
}

/// HMAC-SHA-256 over parts as if they were one.
pub(crate) struct Signature(Option<Hmac<Sha256>>);

impl Signature {
    pub(crate) fn with(key: &[u8]) -> Self {
        // HMAC takes keys of any length, so there is always one; an empty MAC would match nothing.
        Self(Hmac::<Sha256>::new_from_slice(key).ok())
    }

    pub(crate) fn update(&mut self, part: &[u8]) {
        self.0.iter_mut().for_each(|mac| mac.update(part));
    }

    pub(crate) fn bytes(self) -> [u8; 32] {
        self.0.map_or([0; 32], |mac| mac.finalize().into_bytes().into())
    }
}

/// Looks at the token in the header once for all that follows, so that a wrong one counts once.
pub(crate) async fn recognize(
    State(app): State<Shared>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let Some(token) = presented(request.headers()) {
        let holder = app.auth.holder(token, client(request.extensions()))?;
        if let Some(caller) = holder.map(|known| caller(&known.name)) {
            request.extensions_mut().insert(Bearer(caller));
        }
    }
    Ok(next.run(request).await)
}

/// Lets API requests through that have a token. A session will do where nothing changes, so that pages can follow streams;
/// a command needs the header, which no other site can make a browser send.
pub(crate) async fn require_token(
    State(app): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    // A request's body cannot be shared between threads, its head can.
    let (head, body) = request.into_parts();
    let caller = match head.method {
        Method::GET | Method::HEAD => app.auth.person(&head.extensions, &head.headers).await?,
        _ => bearer(&head.extensions),
    };
    let visit = bearer(&head.extensions).is_none().then(|| Visit::of(&head.headers)).flatten();
    let mut request = Request::from_parts(head, body);
    request.extensions_mut().insert(caller.ok_or(Problem::Unauthorized)?);
    if let Some(visit) = visit {
        request.extensions_mut().insert(visit);
    }
    Ok(next.run(request).await)
}

/// Whether a form was sent by one of our own pages, as the browser says: outright, or by naming the page's origin. A token in
/// the header needs no such proof.
pub(crate) fn is_from_here(request: &Request) -> bool {
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    if bearer(request.extensions()).is_some() {
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

    #[test]
    fn a_token_names_its_holder_and_nothing_else_does() {
        let token = |name: &str, secret: &str| Known::new(&Token { name: name.into(), secret: secret.into() });
        let tokens = [token("ada", "first-secret"), token("ben", "second-secret")];
        let who = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            presented(&headers).and_then(|presented| holder(&tokens, presented)).map(|known| known.name.clone())
        };
        assert_eq!(who("Bearer second-secret").as_deref(), Some("ben"));
        assert_eq!(who("bearer first-secret").as_deref(), Some("ada"));
        for wrong in ["Bearer first-secre", "Bearer ", "Basic first-secret", "first-secret"] {
            assert_eq!(who(wrong), None, "{wrong}");
        }
    }
}
