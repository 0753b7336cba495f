//! What a container takes, as its engine tells while it runs: an engine forgets that with the container's end.

use crate::sandbox::Used;
use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptions;
use futures::StreamExt as _;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How soon an engine is asked first, and how seldom in the end: what is short is looked at closely, and what is long costs little.
const FIRST: Duration = Duration::from_millis(25);
const RARELY: Duration = Duration::from_secs(1);
const NANOS_PER_MILLI: u64 = 1_000_000;

/// The greatest values that were told.
#[derive(Default)]
pub(super) struct Meter(Mutex<Used>);

impl Meter {
    /// Asks from time to time, for as long as anybody waits. A container that is not there yet has taken nothing.
    pub(super) async fn read(&self, client: &bollard::Docker, name: &str) -> Infallible {
        let mut pause = FIRST;
        loop {
            tokio::time::sleep(pause).await;
            let options = StatsOptions { stream: false, one_shot: true };
            if let Some(Ok(told)) = client.stats(name, Some(options)).next().await {
                self.take(&told);
            }
            pause = (pause * 2).min(RARELY);
        }
    }

    fn take(&self, told: &ContainerStatsResponse) {
        let cpu = told.cpu_stats.as_ref().and_then(|cpu| cpu.cpu_usage.as_ref()?.total_usage);
        // Version 1 of control groups remembers the peak itself.
        let memory = told.memory_stats.as_ref().and_then(|memory| memory.usage.max(memory.max_usage));
        // What is not counted is told as nothing at all.
        let counted = |value: Option<u64>| value.filter(|value| *value > 0);
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.cpu_ms = used.cpu_ms.max(counted(cpu).map(|nanos| nanos / NANOS_PER_MILLI));
        used.memory_peak_bytes = used.memory_peak_bytes.max(counted(memory));
    }

    pub(super) fn used(&self) -> Used {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
