//! How long a reader waits for what was pushed.

use journeys::bench::median;
use journeys::{Platform, Repository, Site};
use serde_json::json;
use std::time::{Duration, Instant};

const FILES: usize = 10;
/// Pushes of one round, one after the other.
const PUSHES: usize = 5;
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A site of ten files, all of which each push changes.
pub(super) struct Pushes<'p> {
    platform: &'p Platform,
    site: Site<'p>,
}

impl<'p> Pushes<'p> {
    pub(super) async fn new(platform: &'p Platform) -> Self {
        let site = platform.site("small", json!({ "engine": "static" })).await;
        Self { platform, site }
    }

    /// From the delivery of a push to the first answer that shows it, in seconds.
    pub(super) async fn seconds(&self, round: usize) -> f64 {
        let mut taken = Vec::new();
        for index in 0..PUSHES {
            taken.push(self.one(&format!("version {round} {index}")).await);
        }
        median(taken)
    }

    async fn one(&self, version: &str) -> f64 {
        let delivery = write(&self.site.repository, version);
        let started = Instant::now();
        let _taken = self.platform.deliver(&delivery).await.expect(202);
        while !self.site.live().get("/").await.text().contains(version) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        started.elapsed().as_secs_f64()
    }
}

fn write(repository: &Repository, version: &str) -> journeys::Delivery {
    let names: Vec<String> = (1..FILES).map(|index| format!("page-{index}.html")).collect();
    let text = format!("<p>{version}</p>");
    let files = names.iter().map(|name| (&**name, &*text)).chain([("index.html", &*text)]);
    repository.push("main", files)
}
