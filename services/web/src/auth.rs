//! Who asks: a token in the `Authorization` header, or a session that one began. Wrong tokens are counted per client.

use crate::config::Token;
use crate::guesses::Guesses;
use crate::problem::Problem;
use crate::sessions::{Sessions, Visit};
use crate::token::{self, Caller, Known};
use http::{Extensions, HeaderMap, HeaderValue};
use listener::Client;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// How often a live stream looks whether its session is over.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Whose token the request has in its header.
#[derive(Debug, Clone)]
pub(crate) struct Bearer(pub(crate) Caller);

/// The tokens this server knows, and the sessions they began.
#[derive(Debug)]
pub(crate) struct Auth {
    tokens: Vec<Known>,
    sessions: Sessions,
    guesses: Guesses,
}

impl Auth {
    pub(crate) fn new(tokens: &[Token], sessions: Sessions) -> Self {
        let tokens: Vec<Known> = tokens.iter().map(Known::new).collect();
        for token in tokens.iter().filter(|token| token.is_guessable()) {
            tracing::warn!(token = token.name, "this token can be guessed: take 32 random characters or more");
        }
        Self { tokens, sessions, guesses: Guesses::default() }
    }

    /// The holder of a presented token. A client that has guessed too often is told so instead, unless its token is one that
    /// guessing cannot find: else whoever guesses would keep out all who share the address.
    pub(crate) fn holder(&self, presented: &str, client: IpAddr) -> Result<Option<&Known>, Problem> {
        let holder = token::holder(&self.tokens, presented);
        if let Some(holder) = holder
            && !holder.is_guessable()
        {
            return Ok(Some(holder));
        }
        if let Some(wait) = self.guesses.wait(client) {
            return Err(Problem::TooManyGuesses(wait));
        }
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

pub(crate) fn bearer(extensions: &Extensions) -> Option<Caller> {
    extensions.get::<Bearer>().map(|Bearer(caller)| caller.clone())
}

/// The address of whoever sent the request.
pub(crate) fn client(extensions: &Extensions) -> IpAddr {
    // The listener names the client of every request; one without would be counted with its like.
    extensions.get::<Client>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.0)
}
