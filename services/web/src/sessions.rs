//! Sessions of people who signed in. The cookie is a random id that means nothing by itself; the log keeps
//! its digest with who it is for, so that whoever reads the record cannot use it, and logging out ends it everywhere.

mod browser;
mod index;

use crate::caller::Who;
use crate::cookies::{self, cookie};
use crate::problem::Problem;
use crate::signature::Signature;
pub(crate) use browser::Browser;
use http::{HeaderMap, HeaderValue};
use index::Listed;
use runtime::records::{Record, Records};
use runtime::streams::SESSION_IDLE;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How long a session lasts however much it is used, in seconds.
const SESSION_S: i64 = 12 * 60 * 60;
/// How often the use of a session is written down, in seconds.
const RENEW_S: i64 = 5 * 60;
/// Digits of a digest that tell one session of a person from another.
const NAME_LENGTH: usize = 16;
const COOKIE: &str = "pagefold_session";
/// Keeps the MACs of sessions apart from any other use of the secret.
const PURPOSE: &[u8] = b"pagefold session v3\n";

/// Where sessions are kept.
#[derive(Debug)]
pub(crate) struct Sessions {
    kept: Records,
}

/// What is kept of a session.
#[derive(Serialize, Deserialize)]
struct Session {
    who: Who,
    /// Proves that the record was written here, and ends the session when the secret changes.
    mac: String,
    begun_s: i64,
    used_s: i64,
    #[serde(default)]
    browser: Browser,
}

/// A session that a request names, whether there is such a one or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visit {
    /// What it is kept under.
    key: String,
}

/// A session that goes on.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) visit: Visit,
    pub(crate) begun_s: i64,
    /// To about five minutes.
    pub(crate) used_s: i64,
    /// What it was begun with.
    pub(crate) browser: Browser,
}

impl Visit {
    /// What it may be called: the beginning of a digest, which is no secret.
    pub(crate) fn name(&self) -> &str {
        self.key.get(..NAME_LENGTH).unwrap_or_default()
    }

    /// The one that the cookie names.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        cookies::id(headers, COOKIE).map(|id| Self { key: key(id) })
    }

    /// What secrets of it are made from: nobody can tell it who has not its cookie.
    pub(crate) fn key(&self) -> &[u8] {
        self.key.as_bytes()
    }
}

impl Session {
    fn is_over(&self, now_s: i64) -> bool {
        now_s >= self.begun_s + SESSION_S || now_s >= self.used_s + SESSION_IDLE.as_secs().cast_signed()
    }
}

impl Sessions {
    pub(crate) fn new(log: &runtime::Log) -> Self {
        Self { kept: Records::sessions(log.connection()) }
    }

    /// The cookie of a new session of theirs, which is proved by `secret`.
    pub(crate) async fn begin(&self, who: &Who, browser: Browser, secret: &[u8]) -> Result<HeaderValue, Problem> {
        let id = cookies::new_id();
        let (key, now_s) = (key(&id), now_s());
        let mac = mac(&Proven { who, key: &key, begun_s: now_s }, secret);
        let session = Session { who: who.clone(), mac, begun_s: now_s, used_s: now_s, browser };
        self.kept.put(&key, written(&session)?).await?;
        index::note(&self.kept, who, &Listed { key, begun_s: now_s }).await?;
        cookie(COOKIE, &id, SESSION_S)
    }

    /// Whose session it is, if it is not over; `secret` is what theirs is proved by now.
    pub(crate) async fn holder<'a>(
        &self,
        visit: &Visit,
        secret: impl Fn(&Who) -> Option<&'a [u8]>,
    ) -> Result<Option<Who>, Problem> {
        let Some((mut session, record)) = self.current(visit, secret).await? else { return Ok(None) };
        let now_s = now_s();
        if now_s >= session.used_s + RENEW_S {
            session.used_s = now_s;
            self.kept.replace(&visit.key, Record { value: written(&session)?, ..record }).await?;
            let listed = Listed { key: visit.key.clone(), begun_s: session.begun_s };
            index::note(&self.kept, &session.who, &listed).await?;
        }
        Ok(Some(session.who))
    }

    /// Whether the session goes on. To look does not use it.
    pub(crate) async fn lasts<'a>(
        &self,
        visit: &Visit,
        secret: impl Fn(&Who) -> Option<&'a [u8]>,
    ) -> Result<bool, Problem> {
        Ok(self.current(visit, secret).await?.is_some())
    }

    async fn current<'a>(
        &self,
        visit: &Visit,
        secret: impl Fn(&Who) -> Option<&'a [u8]>,
    ) -> Result<Option<(Session, Record)>, Problem> {
        let Some(record) = self.kept.read(&visit.key).await? else { return Ok(None) };
        let Ok(session) = serde_json::from_slice::<Session>(&record.value) else { return Ok(None) };
        let Some(secret) = secret(&session.who) else { return Ok(None) };
        let proven = Proven { who: &session.who, key: &visit.key, begun_s: session.begun_s };
        let genuine = mac(&proven, secret).as_bytes().ct_eq(session.mac.as_bytes());
        Ok((bool::from(genuine) && !session.is_over(now_s())).then_some((session, record)))
    }

    /// The sessions of `who` that go on, the newest first; `secret` is what theirs is proved by now.
    pub(crate) async fn of(&self, who: &Who, secret: &[u8]) -> Result<Vec<Open>, Problem> {
        let mut open = Vec::new();
        for Listed { key, .. } in index::read(&self.kept, who).await?.into_iter().rev() {
            let visit = Visit { key };
            if let Some((session, _)) =
                self.current(&visit, |_| Some(secret)).await?.filter(|(session, _)| session.who == *who)
            {
                let Session { begun_s, used_s, browser, .. } = session;
                open.push(Open { visit, begun_s, used_s, browser });
            }
        }
        Ok(open)
    }

    /// Ends a session, everywhere.
    pub(crate) async fn revoke(&self, visit: &Visit) -> Result<(), Problem> {
        Ok(self.kept.end(&visit.key).await?)
    }

    /// Ends the session that the cookie names, everywhere, and answers the cookie that makes the browser forget it.
    pub(crate) async fn end(&self, headers: &HeaderMap) -> Result<HeaderValue, Problem> {
        if let Some(visit) = Visit::of(headers) {
            self.kept.end(&visit.key).await?;
        }
        cookie(COOKIE, "", 0)
    }
}

/// What a session is kept under.
fn key(id: &str) -> String {
    hex::encode(Sha256::digest(id))
}

/// What of a session its MAC is about.
#[derive(Serialize)]
struct Proven<'a> {
    who: &'a Who,
    key: &'a str,
    begun_s: i64,
}

fn mac(proven: &Proven<'_>, secret: &[u8]) -> String {
    let mut mac = Signature::with(secret);
    mac.update(PURPOSE);
    mac.update(&serde_json::to_vec(proven).unwrap_or_default());
    hex::encode(mac.bytes())
}

fn written(session: &Session) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(session).map_err(|error| Problem::Internal(error.into()))
}

fn now_s() -> i64 {
    runtime::clock::now().unix_timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_over_when_it_is_old_or_idle() {
        let session = |begun_s, used_s| Session {
            who: Who::Operator("ada".into()),
            mac: String::new(),
            begun_s,
            used_s,
            browser: Browser::default(),
        };
        let idle_s = SESSION_IDLE.as_secs().cast_signed();
        assert!(!session(0, SESSION_S - 2).is_over(SESSION_S - 1));
        assert!(session(0, SESSION_S - 2).is_over(SESSION_S));
        assert!(!session(0, 0).is_over(idle_s - 1));
        assert!(session(0, 0).is_over(idle_s));
    }
}
