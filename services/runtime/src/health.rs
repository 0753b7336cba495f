//! How a process is, part by part: what its `/healthz` answers.
//!
//! Parts are looked at all the time, not when somebody asks: an answer costs nothing, however often it is asked for, and is
//! at most [`CHECK_EVERY`] and [`CHECK_MAX`] old.

use crate::clock;
use crate::connection::Connection;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often a part is looked at.
pub const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How often one is looked at that does not work, or of which nothing is known yet.
const CHECK_AGAIN: Duration = Duration::from_millis(100);
/// How long a part may take to answer before it counts as away.
pub const CHECK_MAX: Duration = Duration::from_secs(2);
/// How long one may be away from the start on before that is a warning: what comes up together with us may take its time.
const LATE: Duration = Duration::from_secs(10);

/// Whether a process is fit for its purpose without a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Without it, it is not.
    Must,
    /// It serves on without it, less well.
    May,
}

/// The parts of one process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, Part>>>);

/// Tells how one part is.
#[derive(Debug, Clone)]
pub struct Reporter {
    health: Health,
    name: &'static str,
}

#[derive(Debug)]
struct Part {
    need: Need,
    status: Status,
    detail: Option<String>,
    since: OffsetDateTime,
}

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing is known of it yet.
    Starting,
    /// It does what it is there for.
    Ok,
    /// It does not.
    Failing,
}

/// How a whole process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fitness {
    /// Every part does what it is there for.
    Ok,
    /// It does what it is there for, less well.
    Degraded,
    /// A part is away that it cannot do without.
    Unavailable,
}

/// The answer to how a process is.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The whole.
    pub status: Fitness,
    /// Its parts.
    pub parts: BTreeMap<&'static str, PartReport>,
}

/// How one part is, and since when.
#[derive(Debug, Clone, Serialize)]
pub struct PartReport {
    /// How it is.
    pub status: Status,
    /// Why, for an operator: it may name addresses and users, never a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When it became so.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

impl Health {
    /// Names a part, of which nothing is known yet. The same name again is the same part.
    #[must_use]
    pub fn part(&self, name: &'static str, need: Need) -> Reporter {
        let unknown = || Part { need, status: Status::Starting, detail: None, since: clock::now() };
        self.locked().entry(name).or_insert_with(unknown);
        Reporter { health: self.clone(), name }
    }

    /// Looks at the log by the name `log` until `stop` fires.
    pub fn watch_log(&self, need: Need, connection: &Connection, stop: &CancellationToken) {
        let connection = connection.clone();
        self.part("log", need).watch(stop, move || {
            let connection = connection.clone();
            async move { connection.check().await }
        });
    }

    /// How it is now.
    #[must_use]
    pub fn report(&self) -> Report {
        let parts = self.locked();
        let away = |need: Need| parts.values().any(|part| part.need == need && part.status != Status::Ok);
        let status = match (away(Need::Must), away(Need::May)) {
            (true, _) => Fitness::Unavailable,
            (false, true) => Fitness::Degraded,
            (false, false) => Fitness::Ok,
        };
        let told = |part: &Part| PartReport { status: part.status, detail: part.detail.clone(), since: part.since };
        Report { status, parts: parts.iter().map(|(name, part)| (*name, told(part))).collect() }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Report {
    /// Whether the process is fit for its purpose.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        self.status != Fitness::Unavailable
    }

    /// The same for everybody: without what only an operator should know.
    #[must_use]
    pub fn without_details(mut self) -> Self {
        self.parts.values_mut().for_each(|part| part.detail = None);
        self
    }
}

impl Reporter {
    /// The part does what it is there for.
    pub fn ok(&self) {
        if self.set(Status::Ok, None) == Some(Status::Failing) {
            tracing::info!(part = self.name, "a part of this process works again");
        }
    }

    /// It does not, because of `detail`.
    pub fn failing(&self, detail: impl Into<String>) {
        let detail = detail.into();
        if self.set(Status::Failing, Some(detail.clone())).is_some() {
            tracing::warn!(part = self.name, detail, "a part of this process does not work");
        }
    }

    /// Looks at the part by `check` again and again until `stop` fires. One that does not answer in time is away.
    pub fn watch<F, Fut>(self, stop: &CancellationToken, check: F)
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), String>> + Send,
    {
        let looking = async move {
            let (started, mut known, mut late) = (Instant::now(), false, false);
            loop {
                let silent = |_elapsed| Err(format!("no answer within {} s", CHECK_MAX.as_secs()));
                let pause = match tokio::time::timeout(CHECK_MAX, check()).await.unwrap_or_else(silent) {
                    Ok(()) => {
                        self.ok();
                        known = true;
                        CHECK_EVERY
                    }
                    Err(detail) => {
                        let waited = started.elapsed();
                        if known {
                            self.failing(detail);
                        } else if waited >= CHECK_MAX {
                            if waited >= LATE && !late {
                                late = true;
                                tracing::warn!(part = self.name, detail, "a part of this process does not come up");
                            }
                            self.set(Status::Failing, Some(detail));
                        }
                        CHECK_AGAIN
                    }
                };
                tokio::time::sleep(pause).await;
            }
        };
        tokio::spawn(stop.clone().run_until_cancelled_owned(looking));
    }

    /// Answers what it was before, if it was something else.
    fn set(&self, status: Status, detail: Option<String>) -> Option<Status> {
        let mut parts = self.health.locked();
        let part = parts.get_mut(self.name)?;
        part.detail = detail;
        let before = part.status;
        (before != status).then(|| {
            (part.status, part.since) = (status, clock::now());
            before
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_as_fit_as_the_parts_it_cannot_do_without() {
        let health = Health::default();
        let (log, store) = (health.part("log", Need::Must), health.part("object_store", Need::May));
        assert_eq!(health.report().status, Fitness::Unavailable, "nothing is known yet");
        log.ok();
        assert_eq!(health.report().status, Fitness::Degraded);
        store.ok();
        assert_eq!(health.report().status, Fitness::Ok);
        log.failing("no answer from `nats://127.0.0.1:4222`");
        let report = health.report();
        assert!(!report.is_fit());
        assert_eq!(report.parts["log"].status, Status::Failing);
        assert!(report.parts["log"].detail.as_ref().unwrap().contains("4222"));
        assert!(report.without_details().parts["log"].detail.is_none());
    }

    #[tokio::test]
    async fn a_part_that_does_not_answer_is_away() {
        let (health, stop) = (Health::default(), CancellationToken::new());
        health.part("log", Need::Must).watch(&stop, std::future::pending);
        let known = async {
            while health.report().parts["log"].status == Status::Starting {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(CHECK_MAX * 2, known).await.unwrap();
        assert_eq!(health.report().parts["log"].status, Status::Failing);
        stop.cancel();
    }
}
