//! What an attempt at a build did and took, as the API tells it.

use events::event::{self, StepName};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A part of an attempt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BuildStep)]
pub(super) struct Step {
    /// `clone`, `setup`, `build` or `publish`.
    #[schema(value_type = String)]
    name: StepName,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    started_at: OffsetDateTime,
    /// When it was over.
    #[serde(with = "time::serde::rfc3339")]
    ended_at: OffsetDateTime,
    /// 0 if it did its work, else what its program ended with; null where no program ended by itself.
    #[schema(required)]
    exit_code: Option<i64>,
}

/// What an attempt took. What the machine does not count is null.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BuildResources)]
pub(super) struct Resources {
    /// Time of processors in the container.
    #[schema(required)]
    cpu_seconds: Option<f64>,
    /// The most main memory that the container held at once, what it kept of files included.
    #[schema(required)]
    memory_peak_bytes: Option<u64>,
    /// The most that checkout and home took of the disk when it was looked at.
    #[schema(required)]
    disk_peak_bytes: Option<u64>,
    /// What an earlier build had kept for it; null where nothing was restored.
    #[schema(required)]
    cache_bytes: Option<u64>,
}

impl From<event::Step> for Step {
    fn from(step: event::Step) -> Self {
        let event::Step { name, started_at, ended_at, exit_code } = step;
        Self { name, started_at, ended_at, exit_code }
    }
}

impl From<event::Resources> for Resources {
    fn from(resources: event::Resources) -> Self {
        let event::Resources { cpu_ms, memory_peak_bytes, disk_peak_bytes, cache_bytes } = resources;
        #[expect(clippy::cast_precision_loss, reason = "no build takes so many thousand years")]
        let cpu_seconds = cpu_ms.map(|ms| ms as f64 / 1000.0);
        Self { cpu_seconds, memory_peak_bytes, disk_peak_bytes, cache_bytes }
    }
}
