//! One reader of the log for all browsers that watch it. Each is told the newest facts from a shared memory, and reads the
//! log itself only for what is older than that: what it has missed.

use events::Recorded;
use futures::{Stream, StreamExt, stream};
use runtime::{Entry, Log};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Facts in memory: a watcher that is behind by more reads the log.
const RECENT_MAX: usize = 1024;
/// The rest before the log is asked again how far it is.
const AGAIN: Duration = Duration::from_secs(1);

/// What stands at one sequence: a fact, unless it cannot be read here.
#[derive(Debug, Clone)]
struct Item {
    sequence: u64,
    fact: Option<Arc<Recorded>>,
}

impl From<Entry> for Item {
    fn from(entry: Entry) -> Self {
        Self { sequence: entry.sequence, fact: entry.fact.ok().map(Arc::new) }
    }
}

/// The newest items, without a gap.
#[derive(Debug, Default)]
struct Recent(VecDeque<Item>);

impl Recent {
    fn push(&mut self, item: Item) {
        if self.0.len() == RECENT_MAX {
            self.0.pop_front();
        }
        self.0.push_back(item);
    }

    /// The first item after `sequence`, unless one that has been forgotten is.
    fn after(&self, sequence: u64) -> Option<Item> {
        let oldest = self.0.front()?.sequence;
        let first = self.0.partition_point(|item| item.sequence <= sequence);
        self.0.get(first).filter(|_| oldest <= sequence.saturating_add(1)).cloned()
    }
}

/// The shared reader.
#[derive(Clone)]
pub(crate) struct News {
    log: Log,
    recent: Arc<Mutex<Recent>>,
    /// How far it has read.
    head: watch::Receiver<u64>,
}

impl News {
    /// Reads from now on until `stop` fires, as soon as there is a log.
    pub(crate) fn start(log: Log, stop: CancellationToken) -> Self {
        let (reached, head) = watch::channel(0);
        let recent = Arc::new(Mutex::new(Recent::default()));
        let news = Self { log: log.clone(), recent: Arc::clone(&recent), head };
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            let newest = newest(&log).await;
            let _ = reached.send(newest);
            let mut entries = log.follow(newest);
            while let Some(entry) = entries.next().await {
                let sequence = entry.sequence;
                recent.lock().unwrap_or_else(PoisonError::into_inner).push(entry.into());
                let _ = reached.send(sequence);
            }
        }));
        news
    }

    /// Every fact after the sequence `after` that can be read here, in order, each once; ends with the reader.
    pub(crate) fn after(&self, after: u64) -> impl Stream<Item = Arc<Recorded>> + Send + use<> {
        let watcher = Watcher { news: self.clone(), at: after, catching_up: None };
        stream::unfold(watcher, |mut watcher| async { watcher.next().await.map(|fact| (fact, watcher)) })
    }
}

struct Watcher {
    news: News,
    at: u64,
    /// The log, while what comes next has been forgotten here.
    catching_up: Option<Pin<Box<dyn Stream<Item = Entry> + Send>>>,
}

impl Watcher {
    async fn next(&mut self) -> Option<Arc<Recorded>> {
        loop {
            let at = self.at;
            self.news.head.wait_for(|head| *head > at).await.ok()?;
            let recent = self.news.recent.lock().unwrap_or_else(PoisonError::into_inner).after(at);
            let item = match recent {
                Some(item) => {
                    self.catching_up = None;
                    item
                }
                None => {
                    let log = &self.news.log;
                    self.catching_up.get_or_insert_with(|| Box::pin(log.follow(at))).next().await?.into()
                }
            };
            self.at = item.sequence;
            if let Some(fact) = item.fact {
                return Some(fact);
            }
        }
    }
}

async fn newest(log: &Log) -> u64 {
    loop {
        match log.last_sequence().await {
            Ok(sequence) => return sequence,
            Err(error) => tracing::debug!(error = runtime::error::chain(&error), "watchers wait for the log"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(sequences: impl IntoIterator<Item = u64>) -> Recent {
        let mut recent = Recent::default();
        sequences.into_iter().for_each(|sequence| recent.push(Item { sequence, fact: None }));
        recent
    }

    #[test]
    fn what_comes_next_is_known_unless_it_was_forgotten() {
        for (case, held, after, expected) in [
            ("nothing yet", vec![], 0, None),
            ("the first", vec![5, 6, 7], 4, Some(5)),
            ("one between", vec![5, 6, 7], 6, Some(7)),
            ("none newer", vec![5, 6, 7], 7, None),
            ("older than memory", vec![5, 6, 7], 3, None),
            ("the log skips", vec![5, 9], 6, Some(9)),
        ] {
            assert_eq!(recent(held).after(after).map(|item| item.sequence), expected, "{case}");
        }
    }

    #[test]
    fn memory_is_bounded_and_keeps_the_newest() {
        let end = RECENT_MAX as u64 + 10;
        let recent = recent(1..=end);
        assert_eq!(recent.0.len(), RECENT_MAX);
        assert!(recent.after(9).is_none() && recent.after(10).is_some() && recent.after(end - 1).is_some());
    }
}
