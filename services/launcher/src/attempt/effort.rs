//! What an attempt does and takes, noted while it goes on, for the fact that ends it.

use crate::sandbox::{Exit, Used};
use events::build::Report;
use events::event::{Resources, Step, StepName};
use runtime::clock;
use std::sync::{Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;

/// The notes of one attempt.
#[derive(Default)]
pub(super) struct Effort(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    steps: Vec<Step>,
    resources: Option<Resources>,
}

/// A container from its start to its end.
pub(super) struct Contained {
    pub(super) started_at: OffsetDateTime,
    /// When all that the build needs was there; none if it never was.
    pub(super) ready_at: Option<OffsetDateTime>,
    /// How it ended; none if the sandbox cannot tell.
    pub(super) exit: Option<Exit>,
}

impl Effort {
    /// Notes what is done from here to the end of `work`.
    pub(super) async fn step<T, E>(&self, name: StepName, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let started_at = clock::now();
        // What is dropped on the way was a step too.
        let mut open = Open { effort: self, name, started_at, exit_code: None };
        let done = work.await;
        open.exit_code = done.is_ok().then_some(0);
        done
    }

    /// Notes what was done in a container: until the build was ready to begin, and from then on.
    pub(super) fn contained(&self, contained: &Contained) {
        let Contained { started_at, ready_at, exit } = contained;
        let code = match exit {
            Some(Exit::Code(code)) => Some(*code),
            Some(Exit::OutOfMemory | Exit::Stopped) | None => None,
        };
        match ready_at {
            Some(ready_at) => {
                self.note(StepName::Setup, *started_at, *ready_at, Some(0));
                self.note(StepName::Build, *ready_at, clock::now(), code);
            }
            None => self.note(StepName::Setup, *started_at, clock::now(), code),
        }
    }

    /// What the container took.
    pub(super) fn used(&self, used: Used) {
        let mut noted = self.noted();
        let resources = noted.resources.get_or_insert_default();
        (resources.cpu_ms, resources.memory_peak_bytes) = (used.cpu_ms, used.memory_peak_bytes);
    }

    /// So much of the disk is taken now.
    pub(super) fn on_disk(&self, bytes: u64) {
        let mut noted = self.noted();
        let peak = &mut noted.resources.get_or_insert_default().disk_peak_bytes;
        *peak = (*peak).max(Some(bytes));
    }

    /// So much was restored of what earlier builds have left.
    pub(super) fn restored(&self, bytes: u64) {
        self.noted().resources.get_or_insert_default().cache_bytes = Some(bytes);
    }

    /// The sandbox was lost, and everything is done anew: what was done before led to nothing.
    pub(super) fn start_over(&self) {
        self.noted().steps.clear();
    }

    /// The report of the attempt, with all that was noted.
    pub(super) fn told(&self, report: Report) -> Report {
        let mut noted = self.noted();
        Report { steps: std::mem::take(&mut noted.steps), resources: noted.resources, ..report }
    }

    fn note(&self, name: StepName, started_at: OffsetDateTime, ended_at: OffsetDateTime, exit_code: Option<i64>) {
        // The machine's clock may have been set back meanwhile.
        let ended_at = ended_at.max(started_at);
        self.noted().steps.push(Step { name, started_at, ended_at, exit_code });
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Open<'a> {
    effort: &'a Effort,
    name: StepName,
    started_at: OffsetDateTime,
    exit_code: Option<i64>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.effort.note(self.name, self.started_at, clock::now(), self.exit_code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::fault;
    use events::Outcome;
    use time::Duration;

    fn told(effort: &Effort) -> Vec<(StepName, Option<i64>)> {
        let report = effort.told(fault::report(Outcome::Success, String::new(), None, None));
        report.steps.into_iter().map(|step| (step.name, step.exit_code)).collect()
    }

    #[tokio::test]
    async fn what_is_given_up_on_the_way_was_a_step_without_an_end_of_its_own() {
        let effort = Effort::default();
        effort.step(StepName::Clone, async { Ok::<_, ()>(()) }).await.unwrap();
        effort.step(StepName::Publish, async { Err::<(), _>(()) }).await.unwrap_err();
        drop(
            tokio::time::timeout(
                std::time::Duration::ZERO,
                effort.step(StepName::Publish, std::future::pending::<Result<(), ()>>()),
            )
            .await,
        );
        let steps = told(&effort);
        assert_eq!(steps, [(StepName::Clone, Some(0)), (StepName::Publish, None), (StepName::Publish, None)]);
    }

    #[test]
    fn a_container_is_setup_until_the_build_begins() {
        let (effort, started_at) = (Effort::default(), clock::now());
        let ready_at = Some(started_at + Duration::milliseconds(3));
        effort.contained(&Contained { started_at, ready_at, exit: Some(Exit::Code(3)) });
        assert_eq!(told(&effort), [(StepName::Setup, Some(0)), (StepName::Build, Some(3))]);
        effort.contained(&Contained { started_at, ready_at: None, exit: Some(Exit::Code(1)) });
        assert_eq!(told(&effort), [(StepName::Setup, Some(1))]);
        effort.contained(&Contained { started_at, ready_at, exit: Some(Exit::OutOfMemory) });
        effort.start_over();
        assert_eq!(told(&effort), []);
    }

    #[test]
    fn the_most_that_was_seen_of_the_disk_is_kept() {
        let effort = Effort::default();
        for bytes in [3, 9, 5] {
            effort.on_disk(bytes);
        }
        effort.restored(4);
        effort.used(Used { cpu_ms: Some(7), memory_peak_bytes: None });
        let report = effort.told(fault::report(Outcome::Failure, String::new(), None, None));
        let expected =
            Resources { cpu_ms: Some(7), memory_peak_bytes: None, disk_peak_bytes: Some(9), cache_bytes: Some(4) };
        assert_eq!(report.resources, Some(expected));
    }
}
