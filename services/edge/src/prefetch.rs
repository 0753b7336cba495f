//! Loads the manifests of promoted deploys before they are shown, and again until it succeeds.

use crate::content::{Content, Failure};
use crate::routes::Waiting;
use events::{DeployId, SiteId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

/// Manifests fetched at the same time.
const AT_ONCE: usize = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The loads under way, one for each host that waits.
pub(crate) struct Loading {
    content: Arc<Content>,
    slots: Arc<Semaphore>,
    tasks: JoinSet<Waiting>,
    running: HashMap<SiteId, HashMap<String, (DeployId, AbortHandle)>>,
}

impl Loading {
    pub(crate) fn new(content: Arc<Content>) -> Self {
        Self { content, slots: Arc::new(Semaphore::new(AT_ONCE)), tasks: JoinSet::new(), running: HashMap::new() }
    }

    /// Loads exactly what is `waiting` of a site now: starts what is missing, gives up what was overtaken.
    pub(crate) fn load(&mut self, site: SiteId, waiting: Vec<Waiting>) {
        let mut overtaken = self.running.remove(&site).unwrap_or_default();
        let mut running = HashMap::new();
        for wanted in waiting {
            let same = overtaken.remove(&wanted.prefix).filter(|(deploy, task)| {
                let is_same = *deploy == wanted.deploy;
                if !is_same {
                    task.abort();
                }
                is_same
            });
            let (prefix, deploy) = (wanted.prefix.clone(), wanted.deploy.clone());
            let task = same.unwrap_or_else(|| {
                let load = load(Arc::clone(&self.content), Arc::clone(&self.slots), wanted);
                (deploy, self.tasks.spawn(load))
            });
            running.insert(prefix, task);
        }
        overtaken.into_values().for_each(|(_, task)| task.abort());
        if !running.is_empty() {
            self.running.insert(site, running);
        }
    }

    /// Gives up everything.
    pub(crate) fn clear(&mut self) {
        self.running.drain().flat_map(|(_, tasks)| tasks).for_each(|(_, (_, task))| task.abort());
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// All that are loaded by now, perhaps none after all; `None` if nothing is under way. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut ended = Some(self.tasks.join_next().await?);
        let mut loaded = Vec::new();
        while let Some(task) = ended {
            match task {
                Ok(waiting) => loaded.push(waiting),
                Err(error) if error.is_cancelled() => {}
                Err(error) => tracing::error!(%error, "loading a manifest failed unexpectedly"),
            }
            ended = self.tasks.try_join_next();
        }
        loaded.iter().for_each(|waiting| self.forget(waiting));
        Some(loaded)
    }

    fn forget(&mut self, loaded: &Waiting) {
        let Some(running) = self.running.get_mut(&loaded.site) else { return };
        if running.get(&loaded.prefix).is_some_and(|(deploy, _)| *deploy == loaded.deploy) {
            running.remove(&loaded.prefix);
        }
        if running.is_empty() {
            self.running.remove(&loaded.site);
        }
    }
}

async fn load(content: Arc<Content>, slots: Arc<Semaphore>, waiting: Waiting) -> Waiting {
    let mut pause = FIRST_PAUSE;
    loop {
        let slot = slots.acquire().await;
        let loaded = content.prefetch(&waiting.site, &waiting.deploy).await;
        drop(slot);
        let Err(failure) = loaded else { return waiting };
        report(&failure, &waiting);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn report(failure: &Failure, Waiting { site, prefix, deploy }: &Waiting) {
    let error = failure as &dyn std::error::Error;
    tracing::warn!(error, %site, prefix, %deploy, "cannot show a promoted deploy yet, trying again");
}
