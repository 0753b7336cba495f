//! Group commit: one thread takes every waiting change into one transaction, so that they share one flush to the disk.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use redb::Database;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::bodies::{Bodies, Guard};
use crate::error::{Error, Fault};
use crate::tables::{Files, Tables};

/// Bounds the memory of one transaction; requests wait for their answers, so the queue itself is bounded by them.
const MAX_GROUP: usize = 512;

type Job = Box<dyn FnOnce(&mut Tables<'_>) -> Outcome + Send>;
/// Answers a request, with whether its group was committed. A refusal waits too: it may rest on a change beside it.
type Answer = Box<dyn FnOnce(bool) + Send>;

struct Outcome {
    effect: Effect,
    answer: Answer,
}

#[derive(Clone, Copy)]
enum Effect {
    Changed,
    Refused,
    /// The transaction may be half changed and must not be committed.
    Broken,
}

pub(crate) struct Writer {
    queue: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    pub(crate) broken: CancellationToken,
}

impl Writer {
    pub(crate) fn start(database: Arc<Database>, bodies: Arc<Bodies>) -> Result<Self, Error> {
        let (queue, jobs) = channel();
        let broken = CancellationToken::new();
        let worker = Worker { database, bodies, broken: broken.clone(), runtime: Handle::current() };
        let thread = std::thread::Builder::new().name("depot-writer".into()).spawn(move || worker.run(&jobs));
        let thread = thread.map_err(|source| Error::Writer { source })?;
        Ok(Self { queue: Some(queue), thread: Some(thread), broken })
    }

    /// Applies `change` and returns when it is durable. It is applied even when the caller stops waiting.
    pub(crate) async fn write<T, F>(&self, change: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tables<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |tables| {
            let result = change(tables);
            let effect = match &result {
                Ok(_) => Effect::Changed,
                Err(fault) if fault.is_refusal() => Effect::Refused,
                Err(_) => Effect::Broken,
            };
            let answer = Box::new(move |committed: bool| {
                let is_lost = !committed && !matches!(effect, Effect::Broken);
                let _ = reply.send(if is_lost { Err(Fault::Stopping) } else { result });
            });
            Outcome { effect, answer }
        });
        let queue = self.queue.as_ref().ok_or(Fault::Stopping)?;
        queue.send(job).map_err(|_| Fault::Stopping)?;
        answer.await.unwrap_or(Err(Fault::Stopping))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    database: Arc<Database>,
    bodies: Arc<Bodies>,
    broken: CancellationToken,
    runtime: Handle,
}

impl Worker {
    fn run(self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let group = std::iter::once(first).chain(jobs.try_iter()).take(MAX_GROUP);
            let mut answers = Vec::new();
            let committed = match self.commit(group, &mut answers) {
                Ok(committed) => committed,
                Err(fault) => {
                    tracing::error!(error = &fault as &dyn std::error::Error, "index can no longer be written");
                    self.broken.cancel();
                    false
                }
            };
            for answer in answers {
                answer(committed);
            }
            if self.broken.is_cancelled() {
                return;
            }
        }
    }

    fn commit(&self, group: impl Iterator<Item = Job>, answers: &mut Vec<Answer>) -> Result<bool, Fault> {
        let transaction = self.database.begin_write().map_err(Fault::index)?;
        let mut tables = Tables::open(&transaction).map_err(Fault::index)?;
        let (mut has_changes, mut is_sound) = (false, true);
        for job in group {
            let Outcome { effect, answer } = job(&mut tables);
            answers.push(answer);
            match effect {
                Effect::Changed => has_changes = true,
                Effect::Refused => {}
                Effect::Broken => is_sound = false,
            }
        }
        let Files { arrived, freed } = std::mem::take(&mut tables.files);
        drop(tables);
        if !is_sound || !has_changes {
            // A group of refusals has changed nothing and owes the disk nothing.
            transaction.abort().map_err(Fault::index)?;
            return Ok(is_sound);
        }
        let outcome = transaction.commit().map_err(Fault::index);
        // A failed commit may yet turn out to be on the disk, so its files stay for the next start to judge.
        arrived.into_iter().for_each(Guard::keep);
        outcome?;
        self.remove(freed);
        Ok(true)
    }

    fn remove(&self, freed: Vec<Uuid>) {
        if freed.is_empty() {
            return;
        }
        let bodies = Arc::clone(&self.bodies);
        self.runtime.spawn_blocking(move || freed.into_iter().for_each(|id| bodies.remove(id)));
    }
}
