//! Purges: what the edge keeps of some pages is held against the store once more. The pages are shown meanwhile, and while the
//! store is away, but no longer than a day: what it did not answer for by then is given up.
//!
//! What is still to be asked for stands in a file, so that a restart goes on with it.

use crate::content::{Content, Failure, Pages};
use crate::error::Error;
use crate::files;
use crate::fold::InService;
use crate::table::{Purged, Purges};
use answers::host;
use events::{DeployId, HostLabel};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use runtime::clock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long what was purged is shown while the store does not answer, in seconds.
const STALE_S: i64 = 24 * 60 * 60;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What is still to be asked for, and whoever does.
pub(crate) struct Purging {
    base_domain: String,
    path: PathBuf,
    content: Arc<Content>,
    table: InService,
    pending: BTreeMap<Purged, i64>,
    news: mpsc::UnboundedReceiver<BTreeMap<Purged, i64>>,
    ended: Counter<u64>,
}

/// A purge as it stands in the file.
#[derive(Serialize, Deserialize)]
struct Line {
    purged: Purged,
    at_s: i64,
}

impl Purging {
    /// Goes on with what was not done when the process before ended.
    pub(crate) async fn open(
        data_dir: &Path,
        base_domain: &str,
        content: Arc<Content>,
        table: InService,
    ) -> (Self, Purges) {
        let path = data_dir.join("purges.json");
        let pending = match read(&path).await {
            Ok(pending) => pending,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the purges of before are not known");
                BTreeMap::new()
            }
        };
        let ended = opentelemetry::global::meter("pagefold")
            .u64_counter("pagefold.edge.purges")
            .with_unit("{purge}")
            .with_description(
                "Purges that this edge is done with, and those that it gave up after a day without the store.",
            )
            .build();
        let (sender, news) = mpsc::unbounded_channel();
        let base_domain = base_domain.trim_matches('.').to_ascii_lowercase();
        (Self { base_domain, path, content, table, pending, news, ended }, sender)
    }

    /// Until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let _ = stop.run_until_cancelled(self.work()).await;
    }

    async fn work(&mut self) {
        let (mut pause, mut next) = (FIRST_PAUSE, Instant::now());
        loop {
            tokio::select! {
                biased;
                news = self.news.recv() => {
                    let Some(news) = news else { return std::future::pending().await };
                    self.pending.extend(news);
                    self.keep().await;
                    (pause, next) = (FIRST_PAUSE, Instant::now());
                }
                () = tokio::time::sleep_until(next), if !self.pending.is_empty() => {
                    self.ask_all().await;
                    (pause, next) = ((pause * 2).min(LONGEST_PAUSE), Instant::now() + pause);
                }
            }
        }
    }

    /// Asks for everything once.
    async fn ask_all(&mut self) {
        let before = self.pending.len();
        for (purged, at_s) in self.pending.clone() {
            if self.ask(&purged, at_s).await {
                self.pending.remove(&purged);
            }
        }
        if self.pending.len() < before {
            self.keep().await;
        }
    }

    /// Whether nothing is left to do.
    async fn ask(&self, purged: &Purged, at_s: i64) -> bool {
        let Purged { site, pages } = purged;
        let asked: Vec<Pages> = self
            .deploys(purged)
            .into_iter()
            .map(|deploy| Pages { site: *site, deploy, path: pages.path.clone() })
            .collect();
        match self.hold_against_store(&asked).await {
            Ok(given_up) => {
                tracing::info!(%site, ?pages, given_up, "purged");
                self.ended.add(1, &[KeyValue::new("outcome", "done")]);
                true
            }
            Err(_) if clock::now().unix_timestamp() >= at_s + STALE_S => {
                for pages in &asked {
                    self.content.give_up(pages).await;
                }
                tracing::warn!(%site, ?pages, "purged a day ago and the store does not answer: it is kept no longer");
                self.ended.add(1, &[KeyValue::new("outcome", "gave_up")]);
                true
            }
            Err(failure) => {
                let error = &failure as &dyn std::error::Error;
                tracing::warn!(error, %site, ?pages, "purged, and shown until the store answers");
                false
            }
        }
    }

    async fn hold_against_store(&self, asked: &[Pages]) -> Result<usize, Failure> {
        let mut given_up = 0;
        for pages in asked {
            given_up += self.content.purge(pages).await?;
        }
        Ok(given_up)
    }

    /// What is shown there now. A host that is not below the sites' domain shows what is live.
    fn deploys(&self, Purged { site, pages }: &Purged) -> Vec<DeployId> {
        let Some(table) = self.table.load_full() else { return Vec::new() };
        let prefix = pages.host.as_ref().map(|name| {
            let label = host::label(name.as_str(), &self.base_domain).and_then(HostLabel::parse);
            label.and_then(|label| label.prefix).unwrap_or_default()
        });
        table.routes.deploys_of(site, prefix.as_deref()).into_iter().collect()
    }

    async fn keep(&self) {
        let lines = self.pending.iter().map(|(purged, at_s)| Line { purged: purged.clone(), at_s: *at_s });
        let kept = match serde_json::to_vec(&lines.collect::<Vec<_>>()) {
            Ok(json) => files::write(self.path.clone(), json).await,
            Err(error) => Err(Error::file("encode", &self.path)(error.into())),
        };
        if let Err(error) = kept {
            tracing::error!(error = &error as &dyn std::error::Error, "purges are not kept, a restart forgets them");
        }
    }
}

async fn read(path: &Path) -> Result<BTreeMap<Purged, i64>, Error> {
    let Some(json) = files::read(path).await? else { return Ok(BTreeMap::new()) };
    let lines: Vec<Line> = serde_json::from_slice(&json).map_err(|error| Error::file("decode", path)(error.into()))?;
    Ok(lines.into_iter().map(|Line { purged, at_s }| (purged, at_s)).collect())
}
