//! Who asks: a token in the `Authorization` header, or a session. Wrong tokens are counted per client.

use crate::caller::{Caller, Who};
use crate::config::Token;
use crate::guesses::Guesses;
use crate::keys::Key;
use crate::problem::Problem;
use crate::sessions::{Browser, Open, Sessions, Visit};
use crate::token::{self, Known};
use http::{Extensions, HeaderMap, HeaderValue};
use listener::Client;
use std::net::{IpAddr, Ipv4Addr};

/// Whose token the request has in its header.
#[derive(Debug, Clone)]
pub(crate) struct Bearer(pub(crate) Caller);

/// The tokens of the configuration, and the sessions that people began.
#[derive(Debug)]
pub(crate) struct Auth {
    tokens: Vec<Known>,
    sessions: Sessions,
    pub(crate) guesses: Guesses,
    /// What sessions are proved by whose holder has no token of the configuration.
    session_key: [u8; 32],
}

impl Auth {
    pub(crate) fn new(tokens: &[Token], key: &Key, sessions: Sessions) -> Self {
        let tokens: Vec<Known> = tokens.iter().map(Known::new).collect();
        for token in tokens.iter().filter(|token| token.is_guessable()) {
            tracing::warn!(token = token.name, "this token can be guessed: take 32 random characters or more");
        }
        Self { tokens, sessions, guesses: Guesses::default(), session_key: key.derive("sessions v3", b"") }
    }

    /// Whether a token of this name is in the configuration.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.tokens.iter().any(|known| known.name == name)
    }

    /// The holder of a presented token of the configuration. A client that has guessed too often is told so instead, unless
    /// its token is one that guessing cannot find: else whoever guesses would keep out all who share the address.
    pub(crate) fn holder(&self, presented: &str, client: IpAddr) -> Result<Option<Who>, Problem> {
        let holder = token::holder(&self.tokens, presented);
        let who = holder.map(|known| Who::Operator(known.name.clone()));
        if holder.is_some_and(|holder| !holder.is_guessable()) {
            return Ok(who);
        }
        if let Some(wait) = self.guesses.wait(client) {
            return Err(Problem::TooManyGuesses(wait));
        }
        if who.is_none() && !presented.is_empty() {
            self.guesses.wrong(client);
        }
        Ok(who)
    }

    /// What proves that a session of theirs was begun here; it changes with their token, which ends the session.
    fn secret_of(&self, who: &Who) -> Option<&[u8]> {
        match who {
            Who::Operator(name) => self.tokens.iter().find(|known| known.name == *name).map(Known::key),
            Who::Token(_) | Who::User(_) => Some(&self.session_key),
        }
    }

    /// The cookie of a new session of theirs, at the browser that asks with these headers.
    pub(crate) async fn begin(&self, who: &Who, headers: &HeaderMap) -> Result<HeaderValue, Problem> {
        let secret = self.secret_of(who).ok_or(Problem::Unauthorized)?;
        self.sessions.begin(who, Browser::of(headers), secret).await
    }

    /// Ends the session and answers the cookie that makes a browser forget it.
    pub(crate) async fn sign_out(&self, headers: &HeaderMap) -> Result<HeaderValue, Problem> {
        self.sessions.end(headers).await
    }

    /// Their sessions that go on.
    pub(crate) async fn sessions(&self, who: &Who) -> Result<Vec<Open>, Problem> {
        match self.secret_of(who) {
            Some(secret) => self.sessions.of(who, secret).await,
            None => Ok(Vec::new()),
        }
    }

    /// Ends one of their sessions, everywhere; answers whether there was such a one.
    pub(crate) async fn end(&self, who: &Who, name: &str) -> Result<bool, Problem> {
        let open = self.sessions(who).await?;
        let Some(named) = open.iter().find(|open| open.visit.name() == name) else { return Ok(false) };
        self.sessions.revoke(&named.visit).await?;
        Ok(true)
    }

    /// Whose session this is, if it is not over. It is used by that.
    pub(crate) async fn visitor(&self, visit: &Visit) -> Result<Option<Who>, Problem> {
        self.sessions.holder(visit, |who| self.secret_of(who)).await
    }

    /// Whether a session goes on. To look does not use it.
    pub(crate) async fn lasts(&self, visit: &Visit) -> Result<bool, Problem> {
        self.sessions.lasts(visit, |who| self.secret_of(who)).await
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
