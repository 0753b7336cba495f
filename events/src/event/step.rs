//! What a launcher tells of an attempt that has ended: what it did when, and what that took.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use time::OffsetDateTime;

/// A part of an attempt at a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: OffsetDateTime,
    /// When it was over.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub ended_at: OffsetDateTime,
    /// 0 if it did its work, else what its program ended with; absent where no program ended by itself.
    pub exit_code: Option<i64>,
}

/// The parts of an attempt, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// The commit is fetched and checked out.
    Clone,
    /// The container is made, and what the build needs is installed in it.
    Setup,
    /// The site's own script, or its engine, makes the pages.
    Build,
    /// The pages are packed and stored.
    Publish,
}

/// What an attempt took, as far as the machine counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// Time of processors in the container, in milliseconds.
    pub cpu_ms: Option<u64>,
    /// The most main memory that the container held at once, what it kept of files included, in bytes.
    pub memory_peak_bytes: Option<u64>,
    /// The most that checkout and home took of the disk when it was looked at, in bytes.
    pub disk_peak_bytes: Option<u64>,
    /// What an earlier build had kept for it, in bytes; absent where nothing was restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_bytes: Option<u64>,
}

impl Step {
    /// How long it took, in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        u64::try_from((self.ended_at - self.started_at).whole_milliseconds()).unwrap_or(0)
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clone => "clone",
            Self::Setup => "setup",
            Self::Build => "build",
            Self::Publish => "publish",
        })
    }
}
