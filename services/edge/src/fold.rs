//! Follows the log and keeps the table in service up to date: the only writer of both the table and its snapshot.

use crate::content::Content;
use crate::error::Error;
use crate::prefetch::Loading;
use crate::routes::{Routes, Waiting};
use crate::snapshot::Store;
use arc_swap::ArcSwapOption;
use futures::{Stream, StreamExt as _, stream};
use runtime::telemetry::metrics;
use runtime::{Connection, Entry, Log, connection};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

const NAME: &str = "edge";
/// Entries taken before the table is swapped.
const BATCH: usize = 256;
/// How long a change of the table may go unsaved, and how long a mere change of position may.
const SAVE_CHANGE: Duration = Duration::from_secs(1);
const SAVE_POSITION: Duration = Duration::from_secs(60);
const SWEEP_EVERY: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What requests are answered by. None before the edge has heard anything, ever.
pub(crate) type InService = Arc<ArcSwapOption<Table>>;

pub(crate) struct Table {
    /// The sequence of the last fact in it.
    pub(crate) sequence: u64,
    pub(crate) routes: Arc<Routes>,
}

pub(crate) struct Fold {
    content: Arc<Content>,
    store: Store,
    table: InService,
    sequence: u64,
    routes: Arc<Routes>,
    loading: Loading,
    /// While the fold starts from zero: where it must be before its table is worth showing.
    hold_until: Option<u64>,
    save_at: Option<Instant>,
    swept_at: Instant,
}

enum Heard {
    /// The log is there and ends at this sequence.
    End(u64),
    Entries(Vec<Entry>),
}

impl Fold {
    /// The fold as it was last, with its table in service.
    pub(crate) async fn open(data_dir: &Path, content: Arc<Content>) -> Self {
        let store = Store::new(data_dir);
        let last = store.load().await;
        let hold_until = last.is_none().then_some(u64::MAX);
        let (sequence, routes) = last.unwrap_or_default();
        let (table, loading) = (InService::default(), Loading::new(Arc::clone(&content)));
        let mut fold = Self {
            content,
            store,
            table,
            sequence,
            routes,
            loading,
            hold_until,
            save_at: None,
            swept_at: Instant::now(),
        };
        fold.publish(false);
        fold.sweep().await;
        fold
    }

    pub(crate) fn table(&self) -> InService {
        Arc::clone(&self.table)
    }

    /// Follows until `stop`, and keeps the table once more.
    pub(crate) async fn run(mut self, log: connection::Config, stop: CancellationToken) -> Result<(), Error> {
        self.loading.load(self.routes.waiting());
        let mut heard = Box::pin(hear(log, self.sequence));
        loop {
            let save_at = self.save_at;
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = sleep_until(save_at.unwrap_or_else(Instant::now)), if save_at.is_some() => {
                    if let Err(error) = self.save().await {
                        tracing::error!(error = &error as &dyn std::error::Error, "failed to keep the route table");
                    }
                }
                Some(loaded) = self.loading.next() => self.admit(&loaded),
                Some(heard) = heard.next() => match heard {
                    Heard::End(end) => self.meet(end),
                    Heard::Entries(entries) => self.apply(entries),
                },
            }
        }
        self.save().await
    }

    /// The log is there. One that ends before our position is not the one we followed.
    fn meet(&mut self, end: u64) {
        if end < self.sequence {
            tracing::error!(
                position = self.sequence,
                end,
                "the log ends before the position of the kept route table: it is another log, starting from zero"
            );
            (self.sequence, self.routes) = (0, Arc::default());
            self.hold_until = Some(end);
            self.loading.load(std::iter::empty());
        }
        self.hold_until = self.hold_until.map(|_| end);
        self.publish(false);
    }

    fn apply(&mut self, entries: Vec<Entry>) {
        let (mut is_changed, mut behind) = (false, 0);
        for Entry { sequence, pending, fact } in entries {
            (self.sequence, behind) = (sequence, pending);
            match fact {
                Ok(recorded) if Routes::concerns(&recorded.event) => {
                    Arc::make_mut(&mut self.routes).apply(&recorded);
                    is_changed = true;
                }
                Ok(_) => {}
                Err(error) if error.is_unknown_type() => tracing::debug!(sequence, %error, "passed over a fact"),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(sequence, error, "passed over a fact that cannot be read");
                }
            }
        }
        metrics::fold_position(NAME, self.sequence, behind);
        self.save_within(if is_changed { SAVE_CHANGE } else { SAVE_POSITION });
        self.publish(is_changed);
    }

    fn admit(&mut self, loaded: &[Waiting]) {
        let routes = Arc::make_mut(&mut self.routes);
        loaded.iter().for_each(|waiting| routes.admit(waiting));
        self.save_within(SAVE_CHANGE);
        self.publish(false);
    }

    /// Puts the table in service, in one step, unless it is still behind what it will replace.
    fn publish(&mut self, is_changed: bool) {
        if self.hold_until.is_some_and(|until| self.sequence < until) {
            return;
        }
        if self.hold_until.take().is_some() || is_changed {
            let routes = Arc::make_mut(&mut self.routes);
            routes.enter_service();
            self.loading.load(routes.waiting());
        }
        self.table.store(Some(Arc::new(Table { sequence: self.sequence, routes: Arc::clone(&self.routes) })));
    }

    fn save_within(&mut self, delay: Duration) {
        let at = Instant::now() + delay;
        self.save_at = Some(self.save_at.map_or(at, |earlier| earlier.min(at)));
    }

    async fn save(&mut self) -> Result<(), Error> {
        self.save_at = None;
        if self.hold_until.is_some() {
            return Ok(());
        }
        self.store.save(self.sequence, &self.routes).await?;
        if self.swept_at.elapsed() > SWEEP_EVERY {
            self.sweep().await;
        }
        Ok(())
    }

    /// Removes kept manifests that nothing shows any more.
    async fn sweep(&mut self) {
        self.swept_at = Instant::now();
        let (kept, routes) = (self.content.kept().clone(), Arc::clone(&self.routes));
        let swept = tokio::task::spawn_blocking(move || kept.sweep(&routes)).await;
        if let Err(error) = swept {
            tracing::debug!(%error, "kept manifests were not swept");
        }
    }
}

/// The log from `position` on; from its start if it ends before that.
fn hear(config: connection::Config, position: u64) -> impl Stream<Item = Heard> {
    stream::once(connect(config)).flat_map(move |(log, end)| {
        let after = if end < position { 0 } else { position };
        let entries = log.follow(after).ready_chunks(BATCH).map(Heard::Entries);
        stream::iter([Heard::End(end)]).chain(entries)
    })
}

/// The log and its present end, however long it takes to come up.
async fn connect(config: connection::Config) -> (Log, u64) {
    let mut pause = FIRST_PAUSE;
    loop {
        match reach(&config).await {
            Ok(reached) => return reached,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "cannot reach the log, serving what is known and trying again");
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn reach(config: &connection::Config) -> Result<(Log, u64), runtime::Error> {
    let log = Log::new(Connection::open(config).await?);
    let end = log.last_sequence().await?;
    Ok((log, end))
}
