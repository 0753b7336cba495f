//! How long a push waits until its build is in the queue, while others are being built.

use super::crowd::Sender;
use futures::future::join_all;
use journeys::{Delivery, Fact, Platform, Site};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Twenty sites that are pushed to once a second each.
const SITES: usize = 20;
const EVERY: Duration = Duration::from_millis(50);
/// Pushes of one round.
const PUSHES: usize = 400;

pub(super) struct Sites<'p> {
    platform: &'p Platform,
    sites: Vec<Site<'p>>,
    commits: Vec<String>,
}

impl<'p> Sites<'p> {
    pub(super) async fn new(platform: &'p Platform) -> Self {
        let (mut sites, mut commits) = (Vec::new(), Vec::new());
        for index in 0..SITES {
            let site = platform.site(&format!("busy-{index}"), json!({ "engine": "static" })).await;
            commits.push(site.push("main", [("index.html", "busy")]).await.commit);
            site.promoted(1).await;
            sites.push(site);
        }
        Self { platform, sites, commits }
    }

    /// From the delivery of a push to the news of its build, as whoever watches the live events has it: the time that one
    /// in a hundred takes at least, in milliseconds.
    pub(super) async fn p99(&self) -> f64 {
        let from = self.platform.facts().last().unwrap().sequence();
        let (tell, sent) = oneshot::channel();
        let (queued, ()) = tokio::join!(self.watch(from, sent), async {
            assert!(tell.send(self.send().await).is_ok());
        });
        let mut taken: Vec<f64> = queued.into_iter().map(|taken| taken.as_secs_f64() * 1000.0).collect();
        taken.sort_by(f64::total_cmp);
        taken[taken.len() * 99 / 100]
    }

    /// Sends pushes at their pace, whether or not the ones before are answered; answers when each was sent, by the fact that
    /// it became.
    async fn send(&self) -> BTreeMap<String, Instant> {
        let mut tick = tokio::time::interval(EVERY);
        let mut answers = Vec::new();
        for index in 0..PUSHES {
            tick.tick().await;
            let site = index % SITES;
            let commit = &self.commits[site];
            let delivery = Delivery::of_push(&self.sites[site].repository.url(), "main", commit, commit);
            let ready = self.platform.ready().clone();
            answers.push(tokio::spawn(async move {
                let mut sender = Sender::connect(&ready).await;
                let (request, sent) = (sender.request(&delivery, &ready), Instant::now());
                let answer: Value = serde_json::from_slice(&sender.send(request).await).unwrap();
                (answer["event"].as_str().unwrap().to_owned(), sent)
            }));
        }
        join_all(answers).await.into_iter().map(Result::unwrap).collect()
    }

    /// Follows the log until every push has its build.
    async fn watch(&self, from: u64, sent: oneshot::Receiver<BTreeMap<String, Instant>>) -> Vec<Duration> {
        let mut messages = self.platform.api().follow(&format!("/events/live?after={from}"), None).await.unwrap();
        let mut heard: BTreeMap<String, Instant> = BTreeMap::new();
        while heard.len() < PUSHES {
            let message = messages.next().await.unwrap();
            let now = Instant::now();
            let fact: Fact = serde_json::from_str(&message.data).unwrap();
            if fact.name() == "build.queued" {
                heard.insert(fact.correlation, now);
            }
        }
        let sent = sent.await.unwrap();
        sent.iter().map(|(push, sent)| heard[push].duration_since(*sent)).collect()
    }

    /// Waits until the last of their builds has ended.
    pub(super) async fn rest(&self) {
        for site in &self.sites {
            journeys::eventually("the builds to end", async || {
                let builds = site.builds().await;
                builds.first().is_some_and(|newest| newest.state == "success").then_some(())
            })
            .await;
        }
    }
}
