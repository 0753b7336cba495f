//! The course of one build through this launcher: which attempt it is, its work, and what the log is told in the end.

use crate::attempt::{Attempt, Ending, Task};
use crate::given::Given;
use crate::interruption::Interruption;
use crate::launch::Launcher;
use crate::memory::Known;
use crate::record::Record;
use crate::terms;
use events::build::{Command, Report};
use events::event::Source;
use events::{Build, BuildId, Cause};
use runtime::{ExecuteError, Failure, build_log, clock, telemetry};
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often a build in hand is looked at, whether it is still ours. It must be over within a second when it is not.
const WATCH_EVERY: Duration = Duration::from_millis(250);
/// How long the end of a build is tried to be appended at least, however late it is.
const FINISH_MIN: Duration = Duration::from_secs(60);
/// How long an interruption is tried to be appended: a launcher that ends has not much longer.
const GIVE_BACK_MAX: Duration = Duration::from_secs(5);
/// How long a log that does not answer keeps a build from going on with its source.
const TELL_MAX: Duration = Duration::from_secs(2);
/// The rest between two tries.
const SAY_AGAIN: Duration = Duration::from_secs(1);

/// What is to be done about a dispatched build.
enum Next {
    /// Work on it.
    Work(Box<Task>),
    /// Say how an attempt of ours ended.
    Say(Box<Report>),
    /// It has ended, by somebody else or because too many launchers were lost with it.
    Nothing,
}

impl Launcher {
    /// Does what there is to do about a dispatched build.
    pub(crate) async fn see_to(&self, build: BuildId, cause: &Cause) -> Result<(), Failure> {
        match self.next(build, cause).await? {
            Next::Work(task) => {
                let _taken = self.slots.take();
                self.build(*task, cause).await
            }
            Next::Say(report) => self.finish(build, *report, cause, Instant::now()).await,
            Next::Nothing => {
                self.forget(build).await;
                Ok(())
            }
        }
    }

    /// Goes on with an attempt of this launcher whose work had not begun, or whose end is known; else takes the build for
    /// the next attempt.
    async fn next(&self, build: BuildId, cause: &Cause) -> Result<Next, Failure> {
        let state = self.log.load::<Build>(&build.to_string()).await?.state;
        let Some(job) = state.job() else { return Ok(Next::Nothing) };
        let ours = state.attempt_of(&self.worker);
        let known = match ours {
            Some(number) => self.memory.recall(build, number).await,
            None => Known::Begun,
        };
        if let Known::Ended(report) = known {
            return Ok(Next::Say(report));
        }
        // Whatever can fail or has to wait comes before the attempt, or it would use attempts up.
        let Given { name, variables, credentials } = self.given(job).await?;
        let sandbox = self.presence.sandbox().ok_or_else(|| Failure::Retry("no build sandbox works here".into()))?;
        if self.reserve.is_short().await {
            return Err(Failure::Retry("the launcher's disk is full".into()));
        }
        let work = |state: &Build, number| match state.job() {
            Some(job) => {
                let job = job.clone();
                let cause = cause.clone();
                Next::Work(Box::new(Task { build, number, job, site: name, variables, credentials, sandbox, cause }))
            }
            None => Next::Nothing,
        };
        if let (Some(number), Known::Nothing) = (ours, known) {
            return Ok(work(&state, number));
        }
        let command = Command::Start { worker: self.worker.clone() };
        match self.log.execute::<Build>(&build.to_string(), &command, &again(cause)).await {
            Ok(_) => {}
            Err(ExecuteError::Refused(refusal)) => {
                tracing::info!(%build, %refusal, "nothing to build");
                return Ok(Next::Nothing);
            }
            Err(ExecuteError::Failed(error)) => return Err(error.into()),
        }
        let state = self.log.load::<Build>(&build.to_string()).await?.state;
        Ok(state.attempt_of(&self.worker).map_or(Next::Nothing, |number| work(&state, number)))
    }

    async fn build(&self, task: Task, cause: &Cause) -> Result<(), Failure> {
        let (build, number) = (task.build, task.number);
        let (started, kind) = (Instant::now(), terms::engine(task.job.engine));
        let writer = build_log::Writer::open(self.log.connection(), build).await?;
        if let Err(error) = self.memory.begin(build, number).await {
            tracing::warn!(%build, %error, "the attempt is not counted if this process is lost with it");
        }
        let (record, written) = Record::start(writer);
        let gone = CancellationToken::new();
        let attempt = Attempt::new(self, task, record);
        let ending = tokio::select! {
            ending = attempt.run(&gone) => ending,
            never = self.watch(build, number, &gone) => match never {},
        };
        // Every line is in the log before the fact that ends the attempt.
        match ending {
            Ending::Ended(report) => {
                let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                let report = Report { attempt: number, duration_ms, ..*report };
                telemetry::metrics::build_ended(terms::result(report.outcome), kind, started.elapsed());
                if let Err(error) = self.memory.end(build, &report).await {
                    tracing::warn!(%build, %error, "the end of a build is remembered only as long as this process lives");
                }
                written.await;
                self.finish(build, report, cause, started + self.config.timeout).await
            }
            Ending::TakenAway => {
                written.await;
                self.forget(build).await;
                Ok(())
            }
            Ending::Interrupted(why) => {
                written.await;
                telemetry::metrics::build_interrupted(why.word());
                self.give_back(build, number, why, cause).await;
                Err(Failure::Retry(why.reason().into()))
            }
        }
    }

    /// States how an attempt ended. While the log is away it is tried again until the deadline; after that the end is still
    /// remembered, for the next delivery.
    async fn finish(&self, build: BuildId, report: Report, cause: &Cause, deadline: Instant) -> Result<(), Failure> {
        let deadline = deadline.max(Instant::now() + FINISH_MIN);
        let until = |failure: &Failure| {
            !matches!(failure, Failure::Park(_)) && !self.stop.is_cancelled() && Instant::now() < deadline
        };
        self.say(build, &Command::Finish(report), cause, until).await?;
        self.forget(build).await;
        Ok(())
    }

    /// States that an attempt is over and the build is not. The note of the attempt is removed first: if the log cannot be
    /// told, this launcher goes on with the same attempt.
    async fn give_back(&self, build: BuildId, attempt: u32, why: Interruption, cause: &Cause) {
        self.forget(build).await;
        let deadline = Instant::now() + GIVE_BACK_MAX;
        let command = Command::Interrupt { attempt, reason: why.reason().to_owned() };
        let until = |failure: &Failure| !matches!(failure, Failure::Park(_)) && Instant::now() < deadline;
        if let Err(failure) = self.say(build, &command, &again(cause), until).await {
            tracing::warn!(%build, error = runtime::error::chain(&failure), "that a build is given back could not be stated");
        }
    }

    /// Appends what follows from a command, again while `again` says so. A refusal means that somebody else ended the build.
    async fn say(
        &self,
        build: BuildId,
        command: &Command,
        cause: &Cause,
        again: impl Fn(&Failure) -> bool,
    ) -> Result<(), Failure> {
        loop {
            let failure = match self.log.execute::<Build>(&build.to_string(), command, cause).await {
                Ok(_) => return Ok(()),
                Err(ExecuteError::Refused(refusal)) => {
                    tracing::info!(%build, %refusal, "the build was ended by somebody else");
                    return Ok(());
                }
                Err(ExecuteError::Failed(error)) => Failure::from(error),
            };
            if !again(&failure) {
                return Err(failure);
            }
            tracing::warn!(%build, error = runtime::error::chain(&failure), "what became of a build waits for the log");
            tokio::time::sleep(SAY_AGAIN).await;
        }
    }

    /// States what an attempt builds. Nobody waits for it but whoever watches: a log that is away is not waited for.
    pub(crate) async fn tell_source(&self, build: BuildId, attempt: u32, source: Source, cause: &Cause) {
        let (command, cause) = (Command::CheckOut { attempt, source }, again(cause));
        match tokio::time::timeout(TELL_MAX, self.say(build, &command, &cause, |_| false)).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                tracing::warn!(%build, error = runtime::error::chain(&failure), "what is built could not be stated");
            }
            Err(_elapsed) => tracing::warn!(%build, "the log does not take what is built"),
        }
    }

    async fn forget(&self, build: BuildId) {
        if let Err(error) = self.memory.forget(build).await {
            tracing::warn!(%build, %error, "what is remembered of a build could not be removed");
        }
    }

    /// Fires `gone` when the build is no longer this attempt's: canceled, ended or taken over. The attempt then stops its
    /// container and ends by itself, so this never does.
    async fn watch(&self, build: BuildId, number: u32, gone: &CancellationToken) -> Infallible {
        let mut ticks = tokio::time::interval(WATCH_EVERY);
        loop {
            ticks.tick().await;
            let Ok(loaded) = self.log.load::<Build>(&build.to_string()).await else { continue };
            if loaded.state.running_attempt() != Some(number) {
                gone.cancel();
            }
        }
    }
}

/// The same cause for a fact that may follow from it more than once: each has an identity of its own.
fn again(cause: &Cause) -> Cause {
    Cause { id: Some(clock::new_id()), ..cause.clone() }
}
