//! Keeps services running: one that ends by itself is started again, and none takes another down with it.

use anyhow::{Result, anyhow};
use runtime::Health;
use runtime::health::Need;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The pause before a service is started again; it doubles from time to time.
const AGAIN_FIRST: Duration = Duration::from_millis(500);
/// The longest pause.
const AGAIN_MAX: Duration = Duration::from_secs(30);
/// A service that ran so long is not one that cannot start: the next pause is the first again.
const STEADY: Duration = Duration::from_secs(60);

/// The services of this process.
pub(super) struct Supervisor {
    health: Health,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Supervisor {
    pub(super) fn new(health: Health) -> Self {
        Self { health, stop: CancellationToken::new(), tasks: TaskTracker::new() }
    }

    pub(super) fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs what `start` begins, again whenever it ends, fails or panics, until all are asked to end.
    pub(super) fn keep<F, S>(&self, name: &'static str, mut start: F)
    where
        F: FnMut(CancellationToken) -> S + Send + 'static,
        S: Future<Output = Result<()>> + Send + 'static,
    {
        let (part, stop) = (self.health.part(name, Need::Must), self.stop.clone());
        self.tasks.spawn(async move {
            let mut pause = AGAIN_FIRST;
            loop {
                let started = Instant::now();
                part.ok();
                // A task of its own, so that a panic ends it alone.
                let ended = tokio::spawn(start(stop.clone())).await;
                if stop.is_cancelled() {
                    return;
                }
                let error = match ended {
                    Ok(Ok(())) => anyhow!("it has ended by itself"),
                    Ok(Err(error)) => error,
                    Err(panic) => panic.into(),
                };
                if started.elapsed() >= STEADY {
                    pause = AGAIN_FIRST;
                }
                let error = format!("{error:#}");
                tracing::error!(service = name, error, ?pause, "a service has ended, starting it again");
                part.failing(error);
                if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                    return;
                }
                pause = (pause * 2).min(AGAIN_MAX);
            }
        });
    }

    /// Asks every service to end and waits until all have, or their time is over.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        let longest = runtime::shutdown::DRAIN_DEADLINE + Duration::from_secs(5);
        if tokio::time::timeout(longest, self.tasks.wait()).await.is_err() {
            tracing::warn!("some services did not end in time");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn a_service_that_fails_or_panics_is_started_again_and_the_others_run_on() {
        let (supervisor, starts) = (Supervisor::new(Health::default()), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&starts);
        supervisor.keep("steady", |stop| async move {
            stop.cancelled().await;
            Ok(())
        });
        supervisor.keep("shaky", move |stop| {
            let start = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                match start {
                    0 => Err(anyhow!("what it needs is away")),
                    1 => panic!("a fault of its own"),
                    _ => {
                        stop.cancelled().await;
                        Ok(())
                    }
                }
            }
        });
        let third = async {
            while starts.load(Ordering::SeqCst) < 3 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), third).await.unwrap();
        assert!(supervisor.health.report().is_fit());
        supervisor.stop().await;
        assert_eq!(starts.load(Ordering::SeqCst), 3);
    }
}
