//! What the metrics call things.

use events::{Outcome, SiteEngine};

pub(crate) const fn engine(engine: SiteEngine) -> &'static str {
    match engine {
        SiteEngine::Static => "static",
        SiteEngine::NodeJs => "node.js",
        SiteEngine::Hugo => "hugo",
        SiteEngine::Jekyll => "jekyll",
        SiteEngine::Auto => "auto",
    }
}

/// The result as the CI/CD conventions of OpenTelemetry name it.
pub(crate) const fn result(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Failure => "failure",
        Outcome::Error => "error",
        Outcome::Timeout => "timeout",
        Outcome::Skipped => "skip",
    }
}
