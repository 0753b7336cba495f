//! What a browser keeps while it is at a provider: for what it went, and what proves that it is the one that comes back. It is in a
//! cookie, so that any replica can go on and nobody can fill a store; a MAC shows that it was written here.

use super::Way;
use crate::cookies::{self, cookie};
use crate::keys::Key;
use crate::problem::Problem;
use events::{InvitationId, UserId};
use http::{HeaderMap, HeaderValue};
use oauth2::PkceCodeVerifier;
use runtime::clock;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

const COOKIE: &str = "pagefold_flow";
/// How long somebody may take at the provider, in seconds.
const LASTS_S: i64 = 10 * 60;
const PURPOSE: &str = "sign-in flow v1";

/// A way to a provider and back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flow {
    pub(super) way: Way,
    /// Comes back with the browser, which no other site can know.
    state: String,
    /// Comes back inside of what the provider signs.
    pub(super) nonce: String,
    /// Shows that whoever has the code is who asked for it (RFC 7636).
    pub(super) verifier: String,
    pub(crate) purpose: Purpose,
    until_s: i64,
}

/// For what somebody goes to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// To come in, and go on to a page of ours.
    Enter { next: String },
    /// To come in by this invitation.
    Join { invitation: InvitationId, secret: String },
    /// To come in so the next time: who is in already.
    Connect { user: UserId },
    /// To have their repositories there used for them: who is in already.
    Repositories { user: UserId },
}

impl Flow {
    pub(super) fn new(way: Way, purpose: Purpose, verifier: &PkceCodeVerifier) -> Self {
        let (state, nonce) = (cookies::new_id(), cookies::new_id());
        let until_s = clock::now().unix_timestamp() + LASTS_S;
        Self { way, state, nonce, verifier: verifier.secret().clone(), purpose, until_s }
    }

    pub(super) fn state(&self) -> String {
        self.state.clone()
    }

    /// The cookie that a browser takes with it.
    pub(crate) fn cookie(&self, key: &Key) -> Result<HeaderValue, Problem> {
        let text = serde_json::to_vec(self).map_err(|error| Problem::Internal(error.into()))?;
        let value = format!("{}.{}", hex::encode(&text), hex::encode(key.derive(PURPOSE, &text)));
        cookie(COOKIE, &value, LASTS_S)
    }

    /// The cookie that makes a browser forget it.
    pub(crate) fn over() -> Result<HeaderValue, Problem> {
        cookie(COOKIE, "", 0)
    }

    /// The flow that the browser began which comes back by `way` with `state`.
    pub(crate) fn of(headers: &HeaderMap, key: &Key, way: Way, state: &str) -> Result<Self, Problem> {
        Self::read(headers, key)
            .filter(|flow| flow.way == way && flow.until_s > clock::now().unix_timestamp())
            .filter(|flow| bool::from(flow.state.as_bytes().ct_eq(state.as_bytes())))
            .ok_or(Problem::SignInFailed)
    }

    fn read(headers: &HeaderMap, key: &Key) -> Option<Self> {
        let (text, mac) = cookies::read(headers, COOKIE)?.split_once('.')?;
        let (text, mac) = (hex::decode(text).ok()?, hex::decode(mac).ok()?);
        let genuine = bool::from(key.derive(PURPOSE, &text).as_slice().ct_eq(&mac));
        genuine.then(|| serde_json::from_slice(&text).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, cookie.split(';').next().unwrap().parse().unwrap())])
    }

    #[test]
    fn only_the_browser_that_went_comes_back() {
        let key = Key::new("a".into());
        let flow =
            Flow::new(Way::OpenId, Purpose::Enter { next: "/".to_owned() }, &PkceCodeVerifier::new("x".to_owned()));
        let cookie = flow.cookie(&key).unwrap().to_str().unwrap().to_owned();
        let back = |cookie: &str, key: &Key, way, state: &str| Flow::of(&headers(cookie), key, way, state).ok();
        assert_eq!(back(&cookie, &key, Way::OpenId, &flow.state), Some(flow.clone()));
        assert_eq!(back(&cookie, &key, Way::GitHub, &flow.state), None, "another provider");
        assert_eq!(back(&cookie, &key, Way::OpenId, &"0".repeat(64)), None, "another's state");
        assert_eq!(back("pagefold_flow=", &key, Way::OpenId, &flow.state), None, "another browser");
        assert_eq!(back(&cookie, &Key::new("b".into()), Way::OpenId, &flow.state), None, "another's cookie");
        let forged = cookie.replacen("7b", "7c", 1);
        assert_eq!(back(&forged, &key, Way::OpenId, &flow.state), None);
        let late = Flow { until_s: 0, ..flow.clone() };
        let cookie = late.cookie(&key).unwrap().to_str().unwrap().to_owned();
        assert_eq!(back(&cookie, &key, Way::OpenId, &flow.state), None, "too late");
    }
}
