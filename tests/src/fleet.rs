//! A fleet: every service as a process of its own, three servers of the log, a PostgreSQL and an object store, each of which
//! a story starts, stops and kills as it likes.

mod log_server;
mod plan;
mod postgres;
mod provisioning;
mod running;
mod service;

pub use service::Service;

use crate::child::{self, Child};
use crate::executable::{executable, older};
use crate::process::{self, Signal};
use crate::{Answer, Api, Delivery, Fact, Host, Ready, Repository, eventually, folder};
use depot::Depot;
use events::Recorded;
use plan::Plan;
use reqwest::Client;
use runtime::streams;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use storage::Storage;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Servers that keep the log together.
pub const MEMBERS: usize = 3;

/// A part of a fleet, to be started and stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// One of the log's servers.
    Nats(usize),
    /// The read model's server.
    Postgres,
    /// The object store, which is in the process of the story.
    Store,
    /// A service.
    Service(Service),
}

/// All of it. Nothing runs before it is started.
pub struct Fleet {
    services: BTreeMap<Service, Child>,
    /// Second processes of services, beside the first.
    seconds: BTreeMap<Service, Child>,
    nats: Vec<Option<running::Running>>,
    postgres: Option<running::Running>,
    store: Option<(CancellationToken, JoinHandle<Result<(), depot::Error>>)>,
    client: Client,
    plan: Plan,
    folder: TempDir,
}

impl Fleet {
    /// Chooses ports and secrets.
    pub async fn prepare() -> Self {
        Self::prepare_with(MEMBERS).await
    }

    /// The same with another number of servers of the log.
    pub async fn prepare_with(members: usize) -> Self {
        let folder = folder::temporary();
        let plan = Plan::make(folder.path(), members).await;
        let client = Client::builder().pool_max_idle_per_host(0).redirect(reqwest::redirect::Policy::none());
        Self {
            services: BTreeMap::new(),
            seconds: BTreeMap::new(),
            nats: (0..members).map(|_| None).collect(),
            postgres: None,
            store: None,
            client: client.build().unwrap(),
            plan,
            folder,
        }
    }

    /// Every server, in the order in which they are started.
    #[must_use]
    pub fn servers() -> Vec<Part> {
        Self::servers_with(MEMBERS)
    }

    fn servers_with(members: usize) -> Vec<Part> {
        (0..members).map(Part::Nats).chain([Part::Postgres, Part::Store]).collect()
    }

    /// Starts servers, makes in them what services expect, and starts every service.
    pub async fn start_all(&mut self) {
        for server in Self::servers_with(self.nats.len()) {
            self.start(server).await;
        }
        self.provision().await;
        for service in Service::ALL {
            self.start(Part::Service(service)).await;
        }
        self.all_fit().await;
    }

    /// Waits until every service says that it does what it is there for, and lives.
    ///
    /// # Panics
    /// If that takes too long.
    pub async fn all_fit(&self) {
        for service in Service::ALL {
            let fit = async || self.health(service).await.filter(|(status, _)| *status == 200);
            eventually(&format!("{} to be fit", service.name()), fit).await;
            assert!(self.runs(service), "{} lives", service.name());
        }
    }

    /// Starts one part on what it stored. A service runs then, but need not answer yet.
    ///
    /// # Panics
    /// If a server does not come up.
    pub async fn start(&mut self, part: Part) {
        match part {
            Part::Nats(member) => {
                self.nats[member] = Some(self.plan.log_server(member).start().await);
            }
            Part::Postgres => {
                // Processes of one that was killed take a moment to end.
                let again = async || self.plan.postgres().start().await;
                self.postgres = Some(eventually("PostgreSQL to start", again).await);
            }
            Part::Store => {
                let (depot, stop) = (Depot::bind(self.plan.depot()).await.unwrap(), CancellationToken::new());
                self.store = Some((stop.clone(), tokio::spawn(depot.run(stop))));
            }
            Part::Service(service) => {
                let child = self.spawn(service, service.name(), &self.plan.variables(service));
                self.services.insert(service, child);
            }
        }
    }

    /// Starts a service as an older version, which does not know some types of facts.
    pub fn start_older(&mut self, service: Service) {
        let output = self.output_of(&format!("older-{}", service.name()));
        let child = Child::start_older(&self.plan.arguments(service), &self.plan.variables(service), &output);
        self.services.insert(service, child);
    }

    /// Starts a second process of a service beside the first.
    pub fn start_second(&mut self, service: Service) {
        let child = self.spawn(service, &format!("second-{}", service.name()), &self.plan.second(service));
        self.seconds.insert(service, child);
    }

    /// Ends it in order.
    ///
    /// # Panics
    /// If there is none, or it does not end.
    pub async fn stop_second(&mut self, service: Service) {
        let child = self.seconds.remove(&service).unwrap();
        tokio::task::spawn_blocking(move || child.end(Signal::TERM)).await.unwrap();
    }

    fn spawn(&self, service: Service, name: &str, variables: &[(String, String)]) -> Child {
        Child::start(&self.plan.arguments(service), variables, &self.output_of(name))
    }

    fn output_of(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.output"))
    }

    /// All that the processes of a service have said.
    pub fn said(&self, service: Service) -> String {
        std::fs::read_to_string(self.output_of(service.name())).unwrap_or_default()
    }

    /// Waits until a process has said something; `name` is the service's, or begins with `older-` or `second-`.
    pub async fn says(&self, name: &str, text: &str) {
        let output = self.output_of(name);
        let said = || std::fs::read_to_string(&output).unwrap_or_default().contains(text);
        eventually(&format!("{name} to say `{text}`"), || std::future::ready(said().then_some(()))).await;
    }

    /// Ends one part by a signal and waits until it has ended; the object store always ends in order.
    ///
    /// # Panics
    /// If it does not run, or does not end.
    pub async fn stop(&mut self, part: Part, signal: Signal) {
        match part {
            Part::Nats(member) => {
                let mut server = self.nats[member].take().unwrap();
                process::signal(server.pid(), signal);
                eventually("the end of a server of the log", || {
                    let ended = !server.is_running();
                    async move { ended.then_some(()) }
                })
                .await;
            }
            Part::Postgres => {
                let mut server = self.postgres.take().unwrap();
                process::signal_tree(server.pid(), signal);
                eventually("the end of PostgreSQL", || {
                    let ended = !server.is_running();
                    async move { ended.then_some(()) }
                })
                .await;
            }
            Part::Store => {
                let (stop, running) = self.store.take().unwrap();
                stop.cancel();
                running.await.unwrap().unwrap();
            }
            Part::Service(service) => {
                let child = self.services.remove(&service).unwrap();
                // It may take a while to finish its work, and the object store of this process must answer meanwhile.
                tokio::task::spawn_blocking(move || child.end(signal)).await.unwrap();
            }
        }
    }

    /// How a service says that it is: the status and the body, if it answers.
    pub async fn health(&self, service: Service) -> Option<(u16, Value)> {
        let answer = Answer::to(self.client.get(self.plan.healthz(service))).await.ok()?;
        Some((answer.status, answer.json()))
    }

    /// Whether a service's process lives.
    ///
    /// # Panics
    /// If it was not started.
    #[must_use]
    pub fn runs(&self, service: Service) -> bool {
        self.services[&service].status().is_none()
    }

    /// Fills the only server of the log, which is provisioned and does not run, with a history.
    ///
    /// # Panics
    /// If that cannot be done.
    pub async fn fill(&self, history: impl Iterator<Item = Recorded>) -> u64 {
        crate::fill(&self.plan.log_server(0).folder, history).await
    }

    /// The object store, as a service reaches it.
    #[must_use]
    pub fn storage_of(&self, service: Service) -> Storage {
        Storage::connect(&self.plan.storage(service.name()))
    }

    /// The process of a part, if it runs; the object store is in this one.
    #[must_use]
    pub fn pid(&self, part: Part) -> Option<u32> {
        match part {
            Part::Nats(member) => Some(self.nats[member].as_ref()?.pid()),
            Part::Postgres => Some(self.postgres.as_ref()?.pid()),
            Part::Store => None,
            Part::Service(service) => Some(self.services.get(&service)?.pid()),
        }
    }

    /// Where the fold of a service stands, once it has taken in a fact.
    pub async fn position(&self, service: Service) -> Option<u64> {
        let answer = Answer::to(self.client.get(self.plan.metrics(service))).await.ok()?;
        let text = answer.text();
        // A rebuild is a fold beside that of its service.
        let own = format!("=\"{}\"", service.name());
        let line = text.lines().find(|line| line.starts_with("pagefold_fold_position{") && line.contains(&own))?;
        line.rsplit(' ').next()?.parse::<f64>().ok().map(|position| position as u64)
    }

    /// Where everything is.
    #[must_use]
    pub const fn ready(&self) -> &Ready {
        &self.plan.ready
    }

    /// Its API.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::new(self.client.clone(), self.ready())
    }

    /// The API of the second web.
    #[must_use]
    pub fn second_api(&self) -> Api {
        Api::new(self.client.clone(), &self.plan.second_ready())
    }

    /// The read model, as its owner.
    ///
    /// # Panics
    /// If Postgres does not let it in.
    pub async fn read_model(&self) -> projections::Store {
        projections::Store::connect(&self.ready().postgres.clone().into(), 1).await.unwrap()
    }

    /// Has PostgreSQL do now what it puts off, such as after much was written.
    ///
    /// # Panics
    /// If it refuses.
    pub fn settle_postgres(&self) {
        self.plan.postgres().settle();
    }

    /// The log, as an operator reaches it.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn log(&self) -> runtime::Connection {
        runtime::Connection::open(&self.plan.access("ctl")).await.unwrap()
    }

    /// How a service reaches the log.
    #[must_use]
    pub fn access(&self, service: Service) -> runtime::connection::Config {
        self.plan.access(service.name())
    }

    /// What an operator's command prints.
    ///
    /// # Panics
    /// If it fails.
    #[must_use]
    pub fn operator(&self, arguments: &[&str]) -> String {
        self.printed(&executable(), arguments)
    }

    /// What the same command of an older version prints.
    ///
    /// # Panics
    /// If it fails.
    #[must_use]
    pub fn older_operator(&self, arguments: &[&str]) -> String {
        self.printed(&older(), arguments)
    }

    fn printed(&self, executable: &Path, arguments: &[&str]) -> String {
        let operator = self.plan.operator();
        let output = tokio::task::block_in_place(|| child::run_as(executable, arguments, &operator));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The server that leads the stream of facts.
    pub async fn leader(&self) -> Part {
        let log = self.log().await;
        let leader =
            eventually("the log to have a leader", || async { streams::leader(&log).await.ok().flatten() }).await;
        let member = (0..MEMBERS).find(|member| plan::name_of(*member) == leader);
        Part::Nats(member.unwrap())
    }

    /// A host below its sites' domain.
    #[must_use]
    pub fn host(&self, label: &str) -> Host {
        Host::new(self.client.clone(), self.ready(), label)
    }

    /// Makes a git repository.
    #[must_use]
    pub fn repository(&self, name: &str) -> Repository {
        Repository::create(&self.folder.path().join("repositories"), name)
    }

    /// Delivers a webhook again and again until it is taken in, as a git host does.
    pub async fn deliver(&self, delivery: &Delivery) {
        let taken = async || delivery.send(&self.client, self.ready()).await.is_ok_and(|answer| answer.status == 202);
        eventually("a delivery to be taken in", async || taken().await.then_some(())).await;
    }

    /// Every fact in the log, oldest first.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let arguments = ["events", "list", "--limit", "1000000", "--format", "json"];
        self.operator(&arguments).lines().rev().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Where everything is kept.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.services.values().chain(self.seconds.values()).for_each(|child| println!("{}", child.told()));
        }
        // Killed, not drained: what a story has to say about the end, it says itself.
        self.services.values().chain(self.seconds.values()).for_each(|child| child.signal(Signal::KILL));
    }
}
