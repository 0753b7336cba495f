//! A fleet with a long past: what grows with the past is seen on it.

use crate::shown::Shown;
use crate::{Fleet, Part, Repository, Service, Signal, eventually};
use events::Recorded;
use reqwest::Method;
use runtime::Log;
use serde_json::{Value, json};
use std::time::Duration;

/// The services that fold the log.
pub const FOLDS: [Service; 4] = [Service::Scheduler, Service::Projector, Service::Edge, Service::Notifier];
/// Those that react to it.
const REACTIONS: [Service; 2] = [Service::Launcher, Service::Syncer];
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A fleet that has come up on a log with a history.
pub struct Grown {
    /// The fleet, with one server of the log.
    pub fleet: Fleet,
    sites: Vec<Repository>,
    pushed: usize,
}

impl Grown {
    /// Puts a fleet up whose log holds `history`. Its folds begin.
    pub async fn start(history: impl Iterator<Item = Recorded>) -> Self {
        let mut fleet = Fleet::prepare_with(1).await;
        for part in [Part::Nats(0), Part::Postgres, Part::Store] {
            fleet.start(part).await;
        }
        fleet.provision().await;
        remember_reactions(&mut fleet).await;
        fleet.stop(Part::Nats(0), Signal::TERM).await;
        let mut shown = Shown::default();
        fleet.fill(history.inspect(|fact| shown.hear(fact))).await;
        shown.store(&fleet.storage_of(Service::Syncer)).await;
        fleet.start(Part::Nats(0)).await;
        let mut grown = Self { fleet, sites: Vec::new(), pushed: 0 };
        grown.start_services().await;
        grown
    }

    /// Starts every service.
    pub async fn start_services(&mut self) {
        for service in Service::ALL {
            self.fleet.start(Part::Service(service)).await;
        }
    }

    /// Ends every service in order.
    pub async fn stop_services(&mut self) {
        for service in Service::ALL {
            self.fleet.stop(Part::Service(service), Signal::TERM).await;
        }
    }

    /// States a fact that leads to nothing, and waits until every fold has it, however long that takes. Calls `look` again
    /// and again with the places where the folds stand.
    pub async fn level(&self, mut look: impl FnMut(&[Option<u64>])) -> u64 {
        let nothing = "0123456789012345678901234567890123456789";
        let stray = crate::Delivery::of_push("https://git.example.org/nobody/nothing", "main", nothing, nothing);
        self.fleet.deliver(&stray).await;
        let end = Log::new(self.fleet.log().await).last_sequence().await.unwrap();
        loop {
            let mut places = Vec::new();
            for fold in FOLDS {
                places.push(self.fleet.position(fold).await);
            }
            look(&places);
            if places.iter().all(|place| place.is_some_and(|place| place >= end)) {
                return end;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Creates sites whose repositories there are, and publishes each.
    ///
    /// # Panics
    /// If one is refused.
    pub async fn found(&mut self, count: usize) {
        for index in 0..count {
            let name = format!("founded-{index}");
            let repository = self.fleet.repository(&name);
            // Its first build finds it; nobody has to be told.
            let _delivery = repository.push("main", [("index.html", "founded")]);
            let body =
                json!({ "name": name, "organization": name, "repository": repository.url(), "engine": "static" });
            let _site: Value = self.fleet.api().send(Method::POST, "/sites", &body).await.expect(201).json();
            self.fleet.host(&name).serves("/", "founded").await;
            self.sites.push(repository);
        }
    }

    /// Pushes to each founded site in turn, at a pace, and waits until each shows what was pushed last.
    pub async fn push(&mut self, pushes: usize, every: Duration) {
        let (mut tick, sites) = (tokio::time::interval(every), self.sites.len());
        let numbers = self.pushed..self.pushed + pushes;
        self.pushed = numbers.end;
        for number in numbers.clone() {
            tick.tick().await;
            let text = format!("push {number}");
            let delivery = self.sites[number % sites].push("main", [("index.html", &*text)]);
            self.fleet.deliver(&delivery).await;
        }
        for last in numbers.rev().take(sites) {
            self.fleet.host(&format!("founded-{}", last % sites)).serves("/", &format!("push {last}")).await;
        }
    }

    /// The sequence after which the last life of a fold read on.
    ///
    /// # Panics
    /// If it has not said so.
    #[must_use]
    pub fn read_on_after(&self, fold: Service) -> u64 {
        let said = self.fleet.said(fold);
        let (_, last) = said.rsplit_once("position=").unwrap_or_else(|| panic!("{fold:?}: {said}"));
        let digits: String = last.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    }

    /// The number of facts in the log.
    pub async fn facts(&self) -> u64 {
        Log::new(self.fleet.log().await).last_sequence().await.unwrap()
    }

    /// Waits until so many facts have been stated in all.
    ///
    /// # Panics
    /// If that takes too long, or if there are more.
    pub async fn until(&self, facts: u64) {
        let stated = async || {
            let stated = self.facts().await;
            assert!(stated <= facts, "{stated} facts and not {facts}");
            (stated == facts).then_some(())
        };
        eventually(&format!("fact {facts}"), stated).await;
    }
}

/// Lets those that react make their places in the log, as they did before there was a past.
async fn remember_reactions(fleet: &mut Fleet) {
    for service in REACTIONS {
        fleet.start(Part::Service(service)).await;
    }
    for service in REACTIONS {
        fleet.says(service.name(), "listening").await;
        fleet.stop(Part::Service(service), Signal::TERM).await;
    }
}
