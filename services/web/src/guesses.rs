//! Slows whoever guesses tokens: each client has a few wrong ones, and then one more every few seconds.

use http::{HeaderMap, HeaderValue};
use listener::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Wrong tokens that a client may present at once.
const BURST: u32 = 20;
/// After how long it may present another.
const EVERY: Duration = Duration::from_secs(6);
/// Clients that are remembered. Beyond, those that have guessed least are forgotten.
const CLIENTS_MAX: usize = 10_000;

/// For each client, when all of its wrong tokens will be forgotten.
#[derive(Debug, Default)]
pub(crate) struct Guesses(Mutex<HashMap<IpAddr, Instant>>);

impl Guesses {
    /// How long `client` has to wait until it may try again.
    pub(crate) fn wait(&self, client: IpAddr) -> Option<Duration> {
        let forgotten = *self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&network(client))?;
        let wait = forgotten.saturating_duration_since(Instant::now()).checked_sub(EVERY * (BURST - 1))?;
        (!wait.is_zero()).then_some(wait)
    }

    /// Tells a client how many wrong ones it may present at once, in the words of draft-ietf-httpapi-ratelimit-headers.
    pub(crate) fn tell(&self, policy: &str, client: IpAddr, headers: &mut HeaderMap) {
        let window_s = (EVERY * BURST).as_secs();
        let told = [
            ("ratelimit-policy", format!("\"{policy}\";q={BURST};w={window_s}")),
            ("ratelimit", format!("\"{policy}\";r={};t={window_s}", self.left(client))),
        ];
        for (name, text) in told {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }

    fn left(&self, client: IpAddr) -> u32 {
        let clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = clients.get(&network(client)).copied().unwrap_or_else(Instant::now);
        let missing = forgotten.saturating_duration_since(Instant::now());
        let used = missing.as_millis().div_ceil(EVERY.as_millis());
        BURST.saturating_sub(u32::try_from(used).unwrap_or(BURST))
    }

    /// `client` has presented a wrong token.
    pub(crate) fn wrong(&self, client: IpAddr) {
        let (now, mut clients) = (Instant::now(), self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut older_than = now;
        while clients.len() >= CLIENTS_MAX && older_than <= now + EVERY * BURST {
            clients.retain(|_, forgotten| *forgotten > older_than);
            older_than += EVERY;
        }
        let forgotten = clients.entry(network(client)).or_insert(now);
        *forgotten = (*forgotten).max(now) + EVERY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_guesses_waits_and_others_do_not() {
        let (guesses, client): (_, IpAddr) = (Guesses::default(), "192.0.2.1".parse().unwrap());
        for left in (1..=BURST).rev() {
            assert_eq!((guesses.wait(client), guesses.left(client)), (None, left));
            guesses.wrong(client);
        }
        assert_eq!((guesses.wait(client), guesses.left(client)), (Some(EVERY), 0));
        let mut headers = HeaderMap::new();
        guesses.tell("sign-in", client, &mut headers);
        assert_eq!(
            (&headers["ratelimit-policy"], &headers["ratelimit"]),
            (&HeaderValue::from_static("\"sign-in\";q=20;w=120"), &HeaderValue::from_static("\"sign-in\";r=0;t=120"),)
        );
        assert_eq!(guesses.wait("192.0.2.2".parse().unwrap()), None);
        tokio::time::advance(EVERY).await;
        assert_eq!(guesses.wait(client), None);
        guesses.wrong(client);
        assert!(guesses.wait(client).is_some());
        tokio::time::advance(EVERY * (BURST + 1)).await;
        assert_eq!(guesses.wait(client), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_of_ipv6_is_one_client_and_memory_is_bounded() {
        let guesses = Guesses::default();
        for host in 0..u128::from(BURST) {
            guesses.wrong(IpAddr::V6((0x2001_0db8 << 96 | host).into()));
        }
        assert!(guesses.wait("2001:db8::ffff".parse().unwrap()).is_some());
        for host in 0..2 * CLIENTS_MAX as u32 {
            guesses.wrong(IpAddr::V4(host.into()));
        }
        assert!(guesses.0.lock().unwrap().len() <= CLIENTS_MAX);
        assert!(guesses.wait("2001:db8::ffff".parse().unwrap()).is_some(), "who guesses most is remembered");
    }
}
