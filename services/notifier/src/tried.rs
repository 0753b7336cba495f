//! What came of one try to tell a receiver.

use dialer::{Answer, Silence};
use github::Failed;
use http::StatusCode;

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The receiver has it.
    Arrived(Option<u16>),
    /// Not now.
    Later(Why),
    /// Never, as things are.
    Never(Why),
}

/// Why it did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Why {
    pub(crate) status: Option<u16>,
    pub(crate) reason: String,
}

impl Why {
    pub(crate) fn said(reason: impl Into<String>) -> Self {
        Self { status: None, reason: reason.into() }
    }
}

impl Tried {
    /// What an HTTP server's answer means: one that will not have it now may have it later, one that will not have it so never.
    pub(crate) fn of(answered: Result<Answer, Silence>) -> Self {
        match answered {
            Ok(answer) => Self::answered(answer.status),
            Err(Silence::Forbidden(reason)) => Self::Never(Why::said(reason)),
            Err(Silence::Away(reason)) => Self::Later(Why::said(reason)),
        }
    }

    fn answered(status: StatusCode) -> Self {
        let why = Why { status: Some(status.as_u16()), reason: format!("the receiver answered {status}") };
        match status {
            status if status.is_success() => Self::Arrived(Some(status.as_u16())),
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::CONFLICT
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS => Self::Later(why),
            status if status.is_server_error() => Self::Later(why),
            _ => Self::Never(why),
        }
    }
}

/// What GitHub's answer means.
impl From<Failed> for Tried {
    fn from(failed: Failed) -> Self {
        let reason = failed.to_string();
        match failed {
            Failed::Silent(silence) => Self::of(Err(silence)),
            Failed::Answered(status) => Self::answered(status),
            Failed::TooOften(status) => Self::Later(Why { status: Some(status.as_u16()), reason }),
            Failed::Said(reason) => Self::Never(Why::said(reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::HeaderMap;

    #[test]
    fn a_server_in_trouble_is_asked_again_and_one_that_refuses_is_not() {
        let of = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            Tried::of(Ok(Answer { status, headers: HeaderMap::new(), body: Bytes::new() }))
        };
        for status in [200, 202, 204] {
            assert_eq!(of(status), Tried::Arrived(Some(status)));
        }
        for status in [408, 409, 425, 429, 500, 503] {
            assert!(matches!(of(status), Tried::Later(_)), "{status}");
        }
        for status in [301, 400, 401, 404, 410] {
            assert!(matches!(of(status), Tried::Never(_)), "{status}");
        }
    }
}
