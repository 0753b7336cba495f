//! The certificate of a name that is proven, and how often one is asked for.

use super::{Claim, Stage};
use crate::DomainEvent;
use crate::event::Certified;
use std::time::Duration;

/// How often a first certificate is asked for before that is given up: for most of a day, as the pauses are.
pub const ORDERS_MAX: u32 = 12;
/// How often another is asked for before that is given up: for longer than the one that is there is good.
pub const RENEWALS_MAX: u32 = 100;
/// The pause after the first try: what was wrong may be an edge that had not heard yet.
const PAUSE_FIRST: Duration = Duration::from_secs(5);
/// The pause after the second; each after it is twice as long. Authorities count what fails by the hour.
const PAUSE_SECOND: Duration = Duration::from_secs(60);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// How long to wait after `attempts` tries that gave no certificate.
#[must_use]
pub fn pause(attempts: u32) -> Duration {
    match attempts.checked_sub(2) {
        None => PAUSE_FIRST,
        Some(doublings) => PAUSE_SECOND.saturating_mul(2_u32.saturating_pow(doublings)).min(PAUSE_MAX),
    }
}

impl Claim {
    pub(super) fn order(&self, responder: &str) -> Vec<DomainEvent> {
        let attempt = match self.stage {
            Stage::Pending { .. } | Stage::Failed | Stage::Unissued => return vec![],
            Stage::Verified | Stage::Active => 1,
            Stage::Issuing { attempts } => attempts + 1,
        };
        vec![DomainEvent::CertificateOrdered { site: self.site, attempt, responder: responder.to_owned() }]
    }

    pub(super) fn received(&self, given: &Result<Box<Certified>, String>) -> Vec<DomainEvent> {
        let (site, Stage::Issuing { attempts }) = (self.site, &self.stage) else { return vec![] };
        let error = match given {
            Ok(certified) => return vec![DomainEvent::CertificateIssued((**certified).clone())],
            Err(error) => error,
        };
        let failed = DomainEvent::CertificateFailed { site, attempt: *attempts, error: error.clone() };
        let most = if self.expires_at.is_some() { RENEWALS_MAX } else { ORDERS_MAX };
        let given_up = (*attempts >= most).then(|| DomainEvent::Failed { site, error: error.clone() });
        std::iter::once(failed).chain(given_up).collect()
    }
}
