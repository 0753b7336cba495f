//! Where a case is played: a platform with one site, whose page tells the number of its push.

use super::reader::{self, Reader};
use crate::{
    Answer, Delivery, Fact, Fleet, Hold, Host, Part, Platform, Ready, Repository, Service, Signal, eventually,
};
use reqwest::{Client, Method};
use serde_json::json;
use std::fmt;
use std::path::Path;
use tokio::task::{JoinHandle, block_in_place};

const SITE: &str = "story";

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// `pagefold up` with all in it.
    Up,
    /// The log's only server.
    Nats,
    /// The read model's server.
    Postgres,
    /// A service that is a process of its own.
    Service(Service),
}

enum Parts {
    Fleet(Box<Fleet>),
    Up(Box<Platform>),
}

pub(super) struct Stage {
    parts: Parts,
    client: Client,
    repository: Repository,
    /// The number of the newest push.
    newest: u32,
}

impl Stage {
    /// Starts what the target is a part of, with a site that shows its first push.
    pub(super) async fn set(target: Option<Target>) -> Self {
        let parts = if target == Some(Target::Up) {
            Parts::Up(Box::new(Platform::start().await))
        } else {
            let mut fleet = Fleet::prepare_with(1).await;
            fleet.start_all().await;
            Parts::Fleet(Box::new(fleet))
        };
        let repository = match &parts {
            Parts::Fleet(fleet) => fleet.repository(SITE),
            Parts::Up(platform) => platform.repository(SITE),
        };
        let client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
        let mut stage = Self { parts, client, repository, newest: 0 };
        stage.is_well().await;
        let body = json!({ "name": SITE, "organization": SITE, "repository": stage.repository.url() });
        let api = match &stage.parts {
            Parts::Fleet(fleet) => fleet.api(),
            Parts::Up(platform) => platform.api(),
        };
        let _ = api.send(Method::POST, "/sites", &body).await.expect(201);
        let (delivery, page) = stage.commit();
        let push = stage.deliver(&delivery).await;
        for path in reader::PATHS {
            stage.host().serves(path, &reader::line(page)).await;
        }
        stage.told(&push).await;
        stage
    }

    /// Whether it has what is to be killed.
    pub(super) fn fits(&self, target: Option<Target>) -> bool {
        matches!(self.parts, Parts::Up(_)) == (target == Some(Target::Up))
    }

    /// The fleet, for what only a fleet can do.
    pub(super) fn fleet(&mut self) -> &mut Fleet {
        match &mut self.parts {
            Parts::Fleet(fleet) => fleet,
            Parts::Up(_) => panic!("this story needs a fleet"),
        }
    }

    pub(super) fn ready(&self) -> &Ready {
        match &self.parts {
            Parts::Fleet(fleet) => fleet.ready(),
            Parts::Up(platform) => platform.ready(),
        }
    }

    fn folder(&self) -> &Path {
        match &self.parts {
            Parts::Fleet(fleet) => fleet.folder(),
            Parts::Up(platform) => platform.folder(),
        }
    }

    fn host(&self) -> Host {
        Host::new(self.client.clone(), self.ready(), SITE)
    }

    /// Reads the site from now on.
    pub(super) fn reader(&self, may_miss: bool) -> Reader {
        Reader::start(self.host(), self.newest, may_miss)
    }

    /// The same reader, where the platform answers now.
    pub(super) fn reader_after(&self, reader: Reader, may_miss: bool) -> Reader {
        reader.moved(self.host(), may_miss)
    }

    pub(super) fn arm(&self, point: &str) -> Hold {
        Hold::arm(self.folder(), point)
    }

    /// Commits and pushes the next page; answers what a git host tells of it, and the page's number.
    pub(super) fn commit(&mut self) -> (Delivery, u32) {
        self.newest += 1;
        let text = reader::page(self.newest);
        let files = [("index.html", &*text), ("second.html", &*text)];
        (block_in_place(|| self.repository.push("main", files)), self.newest)
    }

    /// Delivers once, beside whatever comes.
    pub(super) fn send(&self, delivery: &Delivery) -> JoinHandle<reqwest::Result<Answer>> {
        let (client, ready, delivery) = (self.client.clone(), self.ready().clone(), delivery.clone());
        tokio::spawn(async move { delivery.send(&client, &ready).await })
    }

    /// The fact that a delivery is on record as: if it was not answered so, it is delivered again, as people do.
    pub(super) async fn taken(&self, sent: JoinHandle<reqwest::Result<Answer>>, delivery: &Delivery) -> String {
        match sent.await.unwrap() {
            Ok(answer) if answer.status == 202 => self.recorded(delivery).await,
            Ok(_) | Err(_) => self.deliver(delivery).await,
        }
    }

    /// Delivers until it is taken in; answers the fact that it is on record as.
    pub(super) async fn deliver(&self, delivery: &Delivery) -> String {
        let (client, ready) = (&self.client, self.ready());
        let taken = async || delivery.send(client, ready).await.ok().filter(|answer| answer.status == 202);
        let _ = eventually("a delivery to be taken in", taken).await;
        self.recorded(delivery).await
    }

    /// An answer names no fact if an earlier one, which may be lost, has done so; the log knows it at any rate.
    async fn recorded(&self, delivery: &Delivery) -> String {
        let push = |fact: &Fact| fact.name() == "repository.push_received" && fact.data["delivery"] == *delivery.id;
        eventually("the push in the log", async || self.facts().into_iter().find(push)).await.id
    }

    pub(super) async fn kill(&mut self, target: Target) {
        match &mut self.parts {
            Parts::Fleet(fleet) => fleet.stop(part(target), Signal::KILL).await,
            Parts::Up(platform) => block_in_place(|| platform.crash()),
        }
    }

    pub(super) async fn start(&mut self, target: Target) {
        match &mut self.parts {
            Parts::Fleet(fleet) => fleet.start(part(target)).await,
            Parts::Up(platform) => platform.start_again().await,
        }
    }

    /// Waits until all that runs says that it is well.
    pub(super) async fn is_well(&self) {
        match &self.parts {
            Parts::Fleet(fleet) => {
                for service in Service::ALL {
                    assert!(fleet.runs(service), "{} has ended", service.name());
                    let well = async || fleet.health(service).await.filter(|(status, _)| *status == 200);
                    eventually(&format!("{} to be well", service.name()), well).await;
                }
            }
            Parts::Up(platform) => {
                let well = async || (platform.health().await.status == 200).then_some(());
                eventually("the platform to be well", well).await;
            }
        }
    }

    /// What an operator's command prints.
    pub(super) fn operator(&self, arguments: &[&str]) -> String {
        block_in_place(|| match &self.parts {
            Parts::Fleet(fleet) => fleet.operator(arguments),
            Parts::Up(platform) => platform.operator(arguments),
        })
    }

    /// Every fact in the log.
    pub(super) fn facts(&self) -> Vec<Fact> {
        block_in_place(|| match &self.parts {
            Parts::Fleet(fleet) => fleet.facts(),
            Parts::Up(platform) => platform.facts(),
        })
    }

    /// Waits until the story of a push has been told to its end.
    pub(super) async fn told(&self, push: &str) {
        for last in ["build.log_archived", "deploy.mirrored"] {
            self.until(push, last).await;
        }
    }

    /// Waits for a fact of a push's story.
    pub(super) async fn until(&self, push: &str, name: &str) -> Fact {
        let there = async || self.facts().into_iter().find(|fact| fact.correlation == push && fact.name() == name);
        eventually(&format!("`{name}` of the push"), there).await
    }
}

const fn part(target: Target) -> Part {
    match target {
        // A fleet has no whole; whoever kills all of it kills the log first.
        Target::Up | Target::Nats => Part::Nats(0),
        Target::Postgres => Part::Postgres,
        Target::Service(service) => Part::Service(service),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Nats => "nats-server",
            Self::Postgres => "PostgreSQL",
            Self::Service(service) => service.name(),
        })
    }
}
