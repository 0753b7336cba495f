//! One notice, from its first try to its end. Others of the same receiver wait for it, those of other receivers do not.

use crate::NAME;
use crate::desk::Job;
use crate::office::Office;
use crate::tried::{Tried, Why};
use events::event::Noticed;
use events::receiver::{Kind, Occasion};
use events::{Cause, Notice, NoticeId, Recorded, notice};
use runtime::{Error, ExecuteError, clock, telemetry};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The rest when the log cannot be asked. It counts for nothing.
const LOG_AGAIN: Duration = Duration::from_secs(1);

/// How a notice ended.
struct End {
    kind: Kind,
    arrived: bool,
    tries: u32,
    why: Why,
    elapsed: Duration,
}

/// Tells it, however often that takes, and says what came of it. Answers up to where the log must be known before the next.
pub(crate) async fn run(office: &Office, job: Job) -> u64 {
    loop {
        match settled(office, &job).await {
            Ok(known_until) => return known_until,
            Err(error) => {
                tracing::warn!(error = runtime::error::chain(&error), "a notice waits for the log");
                sleep(LOG_AGAIN).await;
            }
        }
    }
}

async fn settled(office: &Office, job: &Job) -> Result<u64, Error> {
    let log = &office.log;
    let end = log.last_sequence();
    let Some(fact) = log.fact(job.fact).await? else { return end.await };
    let Some(End { kind, arrived, tries, why, elapsed }) = told(office, job, &fact).await? else { return end.await };
    let Some(occasion) = Occasion::of(&fact.event) else { return end.await };
    let noticed = Noticed {
        site: job.site,
        receiver: job.receiver,
        sequence: job.fact,
        occasion,
        tries,
        status: why.status,
        reason: why.reason,
        duration_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
    };
    telemetry::metrics::notice_settled(kind.as_str(), (!arrived).then_some("failed"), elapsed);
    // What a person asked for follows from their asking.
    let asked = if job.asked == job.fact { Some(fact.clone()) } else { log.fact(job.asked).await? };
    let cause = Cause::from_fact(&asked.unwrap_or_else(|| fact.clone()), NAME);
    let (id, command) = (NoticeId::of(job.receiver, &fact), notice::Command::Settle { noticed, arrived });
    loop {
        match log.execute::<Notice>(&id.to_string(), &command, &cause).await {
            Ok(recorded) => match recorded.last() {
                Some(Recorded { sequence, .. }) => return Ok(*sequence),
                None => return log.last_sequence().await,
            },
            Err(ExecuteError::Refused(refusal)) => {
                tracing::debug!(%refusal, "a notice was settled by another");
                return log.last_sequence().await;
            }
            // It was told: only that must be said again.
            Err(ExecuteError::Failed(error)) => {
                tracing::warn!(
                    error = runtime::error::chain(&error),
                    "a notice was told and the log does not know yet"
                );
                sleep(LOG_AGAIN).await;
            }
        }
    }
}

/// None if nobody wants to know any more.
async fn told(office: &Office, job: &Job, fact: &Recorded) -> Result<Option<End>, Error> {
    let (timing, started) = (office.config.timing, Instant::now());
    let is_old = job.asked == job.fact && clock::now() - fact.envelope.time > timing.age_max;
    let (mut tries, mut pause) = (0, timing.again_first);
    loop {
        tries += 1;
        let Some((kind, tried)) = office.tell(job, fact).await? else { return Ok(None) };
        let ended = |arrived, why| Ok(Some(End { kind, arrived, tries, why, elapsed: started.elapsed() }));
        match tried {
            Tried::Arrived(status) => return ended(true, Why { status, reason: String::new() }),
            Tried::Never(why) => return ended(false, why),
            Tried::Later(why) if is_old || started.elapsed() + pause > timing.patience => return ended(false, why),
            Tried::Later(Why { reason, .. }) => {
                tracing::debug!(receiver = %job.receiver, fact = job.fact, tries, reason, "a receiver is told later");
                sleep(pause).await;
                pause = (pause * 2).min(timing.again_max);
            }
        }
    }
}
