//! What an operator chooses.

use dialer::Dialer;
use events::SitesUrl;
use mailer::Mailer;
use std::time::Duration;

/// Where it may connect to, and what it tells of.
#[derive(Clone)]
pub struct Config {
    /// What the keys are wrapped with that addresses of receivers are sealed with.
    pub key: [u8; 32],
    /// What may be connected to.
    pub dialer: Dialer,
    /// What mail is sent by; none is sent if absent.
    pub mailer: Option<Mailer>,
    /// By which GitHub is told where a receiver has no token of its own.
    pub github: Option<github::App>,
    /// The public address of the dashboard, for links; none are told if it is empty.
    pub web_url: String,
    /// How the public addresses of sites are formed.
    pub sites_url: SitesUrl,
    /// How patient it is.
    pub timing: Timing,
}

/// The rhythm of tries.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long one try may take.
    pub try_max: Duration,
    /// The delay before the second try; it doubles from try to try.
    pub again_first: Duration,
    /// The longest delay between two tries.
    pub again_max: Duration,
    /// How long one notice is tried.
    pub patience: Duration,
    /// How old what a notice tells may be when it is tried first: news of the day before yesterday are none.
    pub age_max: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            try_max: Duration::from_secs(15),
            again_first: Duration::from_secs(1),
            again_max: Duration::from_secs(5 * 60),
            patience: Duration::from_secs(60 * 60),
            age_max: Duration::from_secs(24 * 60 * 60),
        }
    }
}
