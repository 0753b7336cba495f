//! Group commit: appends that arrive while one is being written are written together.
//!
//! A single durable append costs one fsync and an atomic batch of a hundred about four, so a burst is as cheap as a few
//! appends, while a lone append waits for nobody.

use crate::connection::Connection;
use crate::error::Error;
use crate::publish::{self, Outgoing, Rejection};
use crate::{codec, read, telemetry};
use events::{EventId, subject};
use std::collections::{HashSet, VecDeque};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Messages in one atomic batch at most; the server's own limit is 1000.
pub const GROUP_MAX: usize = 200;
/// Appends waiting at most; further callers wait before they enter.
pub const QUEUE_MAX: usize = 4096;
/// How long an append whose fate is unknown is pursued.
const SETTLE_DEADLINE: Duration = Duration::from_secs(30);
const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";

/// Facts of one aggregate that belong together.
pub(crate) struct Append {
    /// Identity of the first fact.
    pub(crate) id: EventId,
    /// Sequence of the subject's last fact that the decision knew; 0 for none.
    pub(crate) expected: u64,
    /// All on one subject.
    pub(crate) messages: Vec<Outgoing>,
}

/// What became of an append: the sequence of its last message, or why there is none.
pub(crate) type Outcome = Result<u64, NotAppended>;

/// Why an append did not happen.
#[derive(Debug)]
pub(crate) enum NotAppended {
    /// The subject has moved on: decide again.
    Conflict,
    /// The world failed.
    Failed(Error),
}

type Pending = (Append, oneshot::Sender<Outcome>);

/// The way in. Cloned freely; the task ends with its last clone.
#[derive(Clone)]
pub(crate) struct Appender(mpsc::Sender<Pending>);

impl Appender {
    pub(crate) fn spawn(connection: Connection) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(write(connection, receiver));
        Self(sender)
    }

    pub(crate) async fn append(&self, append: Append) -> Outcome {
        let gone = || NotAppended::Failed(Error::unavailable("append")("the writer has ended"));
        let (reply, outcome) = oneshot::channel();
        self.0.send((append, reply)).await.map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }
}

async fn write(connection: Connection, mut arriving: mpsc::Receiver<Pending>) {
    let mut waiting: VecDeque<Pending> = VecDeque::new();
    loop {
        if waiting.is_empty() {
            let Some(next) = arriving.recv().await else { return };
            waiting.push_back(next);
        }
        while waiting.len() < GROUP_MAX {
            let Ok(next) = arriving.try_recv() else { break };
            waiting.push_back(next);
        }
        let group = take_group(&mut waiting);
        commit(&connection, group).await;
    }
}

/// What can go in one batch: one append per subject (the server checks one expectation per subject), oldest first.
fn take_group(waiting: &mut VecDeque<Pending>) -> Vec<Pending> {
    let mut subjects: HashSet<String> = HashSet::new();
    let mut messages = 0;
    let (mut group, mut later) = (Vec::new(), VecDeque::new());
    for pending in waiting.drain(..) {
        let subject = pending.0.messages.first().map(|message| message.subject.clone()).unwrap_or_default();
        let fits = group.is_empty() || messages + pending.0.messages.len() <= GROUP_MAX;
        if fits && subjects.insert(subject) {
            messages += pending.0.messages.len();
            group.push(pending);
        } else {
            later.push_back(pending);
        }
    }
    *waiting = later;
    group
}

async fn commit(connection: &Connection, group: Vec<Pending>) {
    if group.len() > 1 {
        let messages: Vec<Outgoing> = group.iter().flat_map(|(append, _)| prepared(append)).collect();
        let (count, started) = (messages.len() as u64, Instant::now());
        if let Ok(last) = publish::atomic(&connection.client, messages).await {
            telemetry::metrics::sent(subject::EVENTS, count, started.elapsed(), None);
            return acknowledge(group, last);
        }
        // One of them spoiled the batch, or nobody knows: each is settled by itself.
    }
    for (append, reply) in group {
        let started = Instant::now();
        let outcome = settle(connection, &append).await;
        let error = match &outcome {
            Ok(_) => None,
            Err(NotAppended::Conflict) => Some("conflict"),
            Err(NotAppended::Failed(_)) => Some("unavailable"),
        };
        telemetry::metrics::sent(subject::EVENTS, append.messages.len() as u64, started.elapsed(), error);
        // A caller that has gone away needs no answer.
        let _ = reply.send(outcome);
    }
}

/// A batch is stored without gaps, so every sequence follows from the last.
fn acknowledge(group: Vec<Pending>, last: u64) {
    let mut sequence = last - group.iter().map(|(append, _)| append.messages.len() as u64).sum::<u64>();
    for (append, reply) in group {
        sequence += append.messages.len() as u64;
        let _ = reply.send(Ok(sequence));
    }
}

fn prepared(append: &Append) -> Vec<Outgoing> {
    let mut messages = append.messages.clone();
    if let Some(first) = messages.first_mut() {
        first.headers.insert(EXPECTED, append.expected.to_string());
    }
    messages
}

/// Sends one append until its fate is known. After silence or a conflict the subject itself tells: if its next fact is
/// ours, an earlier try was stored.
async fn settle(connection: &Connection, append: &Append) -> Outcome {
    let deadline = Instant::now() + SETTLE_DEADLINE;
    loop {
        let mut messages = prepared(append);
        let sent = match messages.pop() {
            Some(only) if messages.is_empty() => publish::single(&connection.client, only).await,
            Some(last) => {
                messages.push(last);
                publish::atomic(&connection.client, messages).await
            }
            None => return Ok(append.expected),
        };
        match sent {
            Ok(sequence) => return Ok(sequence),
            Err(Rejection::Conflict) => return stored(connection, append).await?.ok_or(NotAppended::Conflict),
            Err(Rejection::Refused(error)) => {
                return stored(connection, append).await?.ok_or(NotAppended::Failed(error));
            }
            Err(Rejection::Ambiguous(error)) => {
                if let Ok(Some(sequence)) = stored(connection, append).await {
                    return Ok(sequence);
                }
                if Instant::now() >= deadline {
                    return Err(NotAppended::Failed(error));
                }
                tracing::warn!(%error, "an append was not answered, trying again");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// The sequence of the append's last message, if it is in the log where it was expected.
async fn stored(connection: &Connection, append: &Append) -> Result<Option<u64>, NotAppended> {
    let Some(first) = append.messages.first() else { return Ok(None) };
    let after = (first.subject.as_str(), append.expected);
    let found = read::subject_after(connection, subject::EVENTS, after).await.map_err(NotAppended::Failed)?;
    let ours = found.first().and_then(|stored| codec::attribute(&stored.headers, "id"));
    let last = found.get(append.messages.len() - 1).map(|stored| stored.sequence);
    Ok(last.filter(|_| ours == Some(append.id.to_string())))
}
