//! Follows the log and keeps the table in service up to date: the only writer of the table.

use crate::content::Content;
use crate::error::Error;
use crate::journal::Journal;
use crate::prefetch::Loading;
use crate::routes::{Routes, Waiting};
use crate::table::{Purges, Table};
use arc_swap::ArcSwapOption;
use runtime::fold::{Fold as _, Following, Memory, Step};
use runtime::{Connection, Log, connection};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, interval_at, sleep};
use tokio_util::sync::CancellationToken;

const SWEEP_EVERY: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What requests are answered by. None before the edge has heard anything, ever.
pub(crate) type InService = Arc<ArcSwapOption<Shown>>;

/// A table as it was at one moment.
pub(crate) struct Shown {
    /// The sequence of the last fact in it.
    pub(crate) sequence: u64,
    pub(crate) routes: Routes,
}

type Kept = Memory<Table, Journal>;

pub(crate) struct Fold {
    content: Arc<Content>,
    table: InService,
    routes: Kept,
    loading: Loading,
    current: CancellationToken,
}

impl Fold {
    /// The fold as it was last, with its table in service.
    pub(crate) async fn open(data_dir: &Path, content: Arc<Content>) -> Self {
        let journal = Journal::new(data_dir);
        let routes = match Memory::load(journal.clone()).await {
            Ok(routes) => routes,
            Err(error) => {
                tracing::error!(error = &*error as &dyn std::error::Error, "the last route table is not used");
                Memory::empty(journal)
            }
        };
        tracing::info!(position = routes.position().sequence, "the last route table is read");
        let (table, loading) = (InService::default(), Loading::new(Arc::clone(&content)));
        if let Some(last) = routes.last() {
            let sequence = routes.position().sequence;
            table.store(Some(Arc::new(Shown { sequence, routes: last.routes().clone() })));
        }
        let fold = Self { content, table, routes, loading, current: CancellationToken::new() };
        sweep(&fold.content, &fold.table).await;
        fold
    }

    pub(crate) fn table(&self) -> InService {
        Arc::clone(&self.table)
    }

    /// Fires when all is in service that the log had when it was reached first.
    pub(crate) fn current(&self) -> CancellationToken {
        self.current.clone()
    }

    /// Follows until `stop`, and keeps the table once more. Tells of purges once the table is in service that they are about.
    pub(crate) async fn run(
        mut self,
        log: connection::Config,
        purges: Purges,
        stop: CancellationToken,
    ) -> Result<(), Error> {
        // What was read from the disk waits on, whether or not the log can be reached.
        load_news(&mut self.loading, &mut self.routes);
        let connected = tokio::select! {
            () = stop.cancelled() => None,
            log = connect(&log) => Some(log),
            () = self.admit_early() => None,
        };
        let Some(log) = connected else { return close(self.routes).await };
        let Self { content, table, routes, loading, current } = self;
        let live = Live { content, table, routes: Following::new(log, routes), loading, purges, current };
        close(live.run(&stop).await).await
    }

    /// What was promoted before and is loaded only now, while the log is away. Never ends.
    async fn admit_early(&mut self) {
        loop {
            let Some(loaded) = self.loading.next().await else { return std::future::pending().await };
            admit(&mut self.routes, &loaded);
            put(&self.table, &self.routes);
        }
    }
}

struct Live {
    content: Arc<Content>,
    table: InService,
    routes: Following<Kept>,
    loading: Loading,
    purges: Purges,
    current: CancellationToken,
}

impl Live {
    async fn run(mut self, stop: &CancellationToken) -> Kept {
        let mut sweeps = interval_at(Instant::now() + SWEEP_EVERY, SWEEP_EVERY);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return self.routes.into_fold(),
                Some(loaded) = self.loading.next() => self.admit(&loaded),
                Ok(step) = self.routes.next() => self.publish(step),
                _ = sweeps.tick() => sweep(&self.content, &self.table).await,
            }
        }
    }

    fn admit(&mut self, loaded: &[Waiting]) {
        admit(self.routes.fold_mut(), loaded);
        if self.routes.is_level() {
            self.put();
        }
    }

    /// Puts the table in service, in one step, unless it is still behind what it will replace.
    fn publish(&mut self, step: Step) {
        if step == Step::StartedOver {
            self.loading.clear();
        }
        if !self.routes.is_level() {
            return;
        }
        load_news(&mut self.loading, self.routes.fold_mut());
        self.put();
        self.tell_purges();
    }

    fn tell_purges(&mut self) {
        if !self.routes.fold().state().has_purges() {
            return;
        }
        let mut told = BTreeMap::new();
        self.routes.fold_mut().change(|table| told = table.purges());
        // Whoever hears them ends only with the edge.
        let _ = self.purges.send(told);
    }

    fn put(&self) {
        put(&self.table, self.routes.fold());
        if self.loading.is_idle() {
            self.current.cancel();
        }
    }
}

/// Shows what is new where nothing was shown, and loads what waits.
fn load_news(loading: &mut Loading, routes: &mut Kept) {
    if !routes.state().has_news() {
        return;
    }
    routes.change(|table| {
        for site in table.news() {
            table.routes_mut().enter_service(&site);
            loading.load(site, table.routes().waiting_of(&site));
        }
    });
}

fn admit(routes: &mut Kept, loaded: &[Waiting]) {
    routes.change(|table| loaded.iter().for_each(|waiting| table.routes_mut().admit(waiting)));
}

fn put(table: &InService, routes: &Kept) {
    let (sequence, routes) = (routes.position().sequence, routes.state().routes().clone());
    table.store(Some(Arc::new(Shown { sequence, routes })));
}

async fn close(routes: Kept) -> Result<(), Error> {
    routes.close().await.map_err(Error::Keep)
}

/// Removes kept manifests that nothing shows any more.
async fn sweep(content: &Content, table: &InService) {
    let (kept, table) = (content.kept().clone(), table.load_full());
    let routes = table.map(|table| table.routes.clone()).unwrap_or_default();
    let swept = tokio::task::spawn_blocking(move || kept.sweep(&routes)).await;
    if let Err(error) = swept {
        tracing::debug!(%error, "kept manifests were not swept");
    }
}

/// The log, however long it takes to come up.
async fn connect(config: &connection::Config) -> Log {
    let mut pause = FIRST_PAUSE;
    loop {
        match Connection::open(config).await {
            Ok(connection) => return Log::new(connection),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "cannot reach the log, serving what is known and trying again");
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
