//! Group commit: appends that arrive while one is being written are written together.
//!
//! A single durable append costs one fsync and an atomic batch six, however long it is, so a burst is as cheap as a few
//! appends, while a lone append waits for nobody.

use crate::connection::Connection;
use crate::error::Error;
use crate::publish::{self, Outgoing, Rejection};
use crate::read::{self, Stored};
use crate::{codec, telemetry};
use events::subject;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Messages in one atomic batch at most; the server's own limit is 1000.
pub const GROUP_MAX: usize = 200;
/// Appends that go faster each by itself: the server stores a batch by six flushes of the disk, and one message by one.
const APART_MAX: usize = 4;
/// Appends waiting at most; further callers wait before they enter.
pub const QUEUE_MAX: usize = 4096;
/// How long an append is pursued, counted from when it was asked for.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long it rests between two tries.
const AGAIN: Duration = Duration::from_millis(200);
const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";

/// Facts of one aggregate that belong together.
pub(crate) struct Append {
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
    /// A fact of this identity is in the log already, stated from an earlier decision.
    Known,
    /// The world failed.
    Failed(Error),
}

struct Pending {
    append: Append,
    deadline: Instant,
    reply: oneshot::Sender<Outcome>,
}

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
        let pending = Pending { append, deadline: Instant::now() + DEADLINE, reply };
        self.0.send(pending).await.map_err(|_| gone())?;
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
        waiting = expire(waiting);
        let group = take_group(&mut waiting);
        if !group.is_empty() {
            commit(&connection, group).await;
        }
    }
}

/// Answers those that have waited too long, so that a long silence of the server is not followed by a longer one of ours.
fn expire(waiting: VecDeque<Pending>) -> VecDeque<Pending> {
    let now = Instant::now();
    let (late, waiting): (VecDeque<_>, VecDeque<_>) = waiting.into_iter().partition(|pending| pending.deadline <= now);
    for Pending { reply, .. } in late {
        let _ = reply.send(Err(NotAppended::Failed(Error::unavailable("append")("it waited too long to be sent"))));
    }
    waiting
}

/// What can go in one batch: one append per subject (the server checks one expectation per subject), oldest first.
fn take_group(waiting: &mut VecDeque<Pending>) -> Vec<Pending> {
    let mut subjects: HashSet<String> = HashSet::new();
    let mut messages = 0;
    let (mut group, mut later) = (Vec::new(), VecDeque::new());
    for pending in waiting.drain(..) {
        let subject = pending.append.messages.first().map(|message| message.subject.clone()).unwrap_or_default();
        let fits = group.is_empty() || messages + pending.append.messages.len() <= GROUP_MAX;
        if fits && subjects.insert(subject) {
            messages += pending.append.messages.len();
            group.push(pending);
        } else {
            later.push_back(pending);
        }
    }
    *waiting = later;
    group
}

/// Sends a group once. What is not stored by that is pursued beside the next groups: one append in trouble holds up no
/// other.
async fn commit(connection: &Connection, group: Vec<Pending>) {
    if group.len() <= APART_MAX && group.iter().all(|pending| pending.append.messages.len() == 1) {
        return apart(connection, group).await;
    }
    let messages: Vec<Outgoing> = group.iter().flat_map(|pending| prepared(&pending.append)).collect();
    let (count, started) = (messages.len() as u64, Instant::now());
    let rejection = match publish::publish(connection, messages).await {
        Ok(last) => {
            telemetry::metrics::sent(subject::EVENTS, count, started.elapsed(), None);
            return acknowledge(group, last);
        }
        Err(rejection) => rejection,
    };
    // Nobody knows which one spoiled a batch; of a single append the rejection says all.
    let mut rejection = (group.len() == 1).then_some(rejection);
    for pending in group {
        tokio::spawn(pursue(connection.clone(), pending, rejection.take()));
    }
}

/// Sends a few appends beside each other, each by itself.
async fn apart(connection: &Connection, group: Vec<Pending>) {
    let sent = group.into_iter().map(async |pending| {
        let started = Instant::now();
        match publish::publish(connection, prepared(&pending.append)).await {
            Ok(sequence) => {
                telemetry::metrics::sent(subject::EVENTS, 1, started.elapsed(), None);
                let _ = pending.reply.send(Ok(sequence));
            }
            Err(rejection) => drop(tokio::spawn(pursue(connection.clone(), pending, Some(rejection)))),
        }
    });
    futures::future::join_all(sent).await;
}

/// A batch is stored without gaps, so every sequence follows from the last.
fn acknowledge(group: Vec<Pending>, last: u64) {
    let mut sequence = last - group.iter().map(|pending| pending.append.messages.len() as u64).sum::<u64>();
    for Pending { append, reply, .. } in group {
        sequence += append.messages.len() as u64;
        // A caller that has gone away needs no answer.
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

async fn pursue(connection: Connection, pending: Pending, rejection: Option<Rejection>) {
    let started = Instant::now();
    let Pending { append, deadline, reply } = pending;
    let outcome = settle(&connection, &append, deadline, rejection).await;
    let error = match &outcome {
        Ok(_) => None,
        Err(NotAppended::Conflict) => Some("conflict"),
        Err(NotAppended::Known) => Some("duplicate"),
        Err(NotAppended::Failed(_)) => Some("unavailable"),
    };
    telemetry::metrics::sent(subject::EVENTS, append.messages.len() as u64, started.elapsed(), error);
    let _ = reply.send(outcome);
}

/// Sends one append until its fate is known. Whatever the server says but yes, the subject itself tells, as its leader
/// knows it: if its next fact is ours, an earlier try was stored; if it is another's, ours can never be.
///
/// A subject that has not moved although the server speaks of a conflict has a write in flight, perhaps our own: the next
/// try tells what became of it.
async fn settle(
    connection: &Connection,
    append: &Append,
    deadline: Instant,
    mut rejection: Option<Rejection>,
) -> Outcome {
    loop {
        let rejected = match rejection.take() {
            Some(rejected) => rejected,
            None => match publish::publish(connection, prepared(append)).await {
                Ok(sequence) => return Ok(sequence),
                Err(rejected) => rejected,
            },
        };
        let error = match (next_fact(connection, append).await, rejected) {
            (Ok(Next::Ours(sequence)), _) => return Ok(sequence),
            (Ok(_), Rejection::Refused(error)) => return Err(NotAppended::Failed(error)),
            (Ok(Next::None), Rejection::Duplicate(Some(sequence))) if sequence > append.expected => in_flight(),
            (Ok(_), Rejection::Duplicate(_)) => return Err(NotAppended::Known),
            (Ok(Next::Other), Rejection::Conflict | Rejection::Ambiguous(_)) => return Err(NotAppended::Conflict),
            (Ok(Next::None), Rejection::Conflict) => in_flight(),
            (Ok(Next::None), Rejection::Ambiguous(error)) | (Err(error), _) => error,
        };
        if Instant::now() + AGAIN >= deadline {
            return Err(NotAppended::Failed(error));
        }
        tracing::warn!(%error, "an append was not answered, trying again");
        tokio::time::sleep(AGAIN).await;
    }
}

/// What follows on a subject where an append was expected.
enum Next {
    /// The append; the sequence of its last message.
    Ours(u64),
    /// Something else.
    Other,
    /// Nothing yet.
    None,
}

fn in_flight() -> Error {
    Error::unavailable("append")("another write to the subject is in flight")
}

/// What is in the log where the append was expected. What another process derived from the same cause has the same
/// identity, and is ours only if it says the same.
async fn next_fact(connection: &Connection, append: &Append) -> Result<Next, Error> {
    let after = |first: &Outgoing| (first.subject.clone(), append.expected);
    let Some((subject, expected)) = append.messages.first().map(after) else { return Ok(Next::None) };
    let found = read::subject_after(connection, subject::EVENTS, &subject, expected).await?;
    let same = |(stored, sent): (&Stored, &Outgoing)| {
        ["id", "time"]
            .iter()
            .all(|name| codec::attribute(&stored.headers, name) == codec::attribute(&sent.headers, name))
            && stored.payload == sent.payload
    };
    if found.is_empty() {
        return Ok(Next::None);
    }
    let last = found.get(append.messages.len() - 1).map(|stored| stored.sequence);
    let ours = last.filter(|_| found.iter().zip(&append.messages).all(same));
    Ok(ours.map_or(Next::Other, Next::Ours))
}
