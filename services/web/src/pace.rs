//! How often one caller may ask of the API: a bucket of requests for each, filled steadily. The operator's own token has none.

use crate::caller::Who;
use crate::problem::Problem;
use http::{HeaderMap, HeaderValue};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Requests that may come at once.
const BURST: u32 = 1000;
/// A bucket is full again after this time.
const WINDOW: Duration = Duration::from_secs(10);
/// Callers that are remembered at once; those that asked longest ago are forgotten first, which lets them ask.
const CALLERS_MAX: usize = 10_000;

/// The buckets of this process.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Requests that may come at once.
    burst: u32,
    /// A bucket is full again after this time.
    window: Duration,
    /// When each bucket is full again.
    callers: Mutex<HashMap<Who, Instant>>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::of(BURST, WINDOW)
    }
}

/// What is left to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left(u32);

impl Pace {
    /// Buckets of another size.
    pub(crate) fn of(burst: u32, window: Duration) -> Self {
        Self { burst, window, callers: Mutex::default() }
    }

    /// Takes one request out of the caller's bucket.
    pub(crate) fn take(&self, who: &Who) -> Result<Option<Left>, Problem> {
        if let Who::Operator(_) = who {
            return Ok(None);
        }
        let (now, every) = (Instant::now(), self.window / self.burst);
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= CALLERS_MAX {
            // A bucket that is full is that of somebody who was never here.
            callers.retain(|_, full| *full > now);
        }
        let full = callers.get(who).copied().unwrap_or(now).max(now) + every;
        let missing = full - now;
        if missing > self.window {
            return Err(Problem::TooManyRequests(missing - self.window));
        }
        if callers.len() < CALLERS_MAX || callers.contains_key(who) {
            callers.insert(who.clone(), full);
        }
        let used = missing.as_micros().div_ceil(every.as_micros().max(1));
        Ok(Some(Left(self.burst.saturating_sub(u32::try_from(used).unwrap_or(self.burst)))))
    }
}

impl Left {
    /// Tells it, in the words of draft-ietf-httpapi-ratelimit-headers.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let policy = format!("\"api\";q={BURST};w={}", WINDOW.as_secs());
        let left = format!("\"api\";r={};t={}", self.0, WINDOW.as_secs());
        for (name, text) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::TokenId;
    use uuid::Uuid;

    fn token(number: u128) -> Who {
        Who::Token(TokenId(Uuid::from_u128(number)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_asks_too_often_waits_and_others_do_not() {
        let pace = Pace::default();
        for left in (0..BURST).rev() {
            assert_eq!(pace.take(&token(1)).unwrap(), Some(Left(left)));
        }
        let refused = pace.take(&token(1));
        assert!(matches!(refused, Err(Problem::TooManyRequests(wait)) if wait == WINDOW / BURST), "{refused:?}");
        assert_eq!(pace.take(&token(2)).unwrap(), Some(Left(BURST - 1)));
        assert_eq!(pace.take(&Who::Operator("operator".to_owned())).unwrap(), None);
        tokio::time::advance(WINDOW / BURST).await;
        assert_eq!(pace.take(&token(1)).unwrap(), Some(Left(0)));
        tokio::time::advance(WINDOW).await;
        assert_eq!(pace.take(&token(1)).unwrap(), Some(Left(BURST - 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let pace = Pace::default();
        for number in 0..2 * CALLERS_MAX as u128 {
            assert!(pace.take(&token(number)).is_ok());
        }
        assert!(pace.callers.lock().unwrap().len() <= CALLERS_MAX);
    }
}
