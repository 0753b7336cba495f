//! A server of one's own, provisioned, and the ways into it.

use events::repository::{Change, Delivery};
use events::{
    Actor, Alias, AliasName, BuildId, Cause, DeployId, OrganizationId, Recorded, Site, SiteEngine, SiteId,
    SiteSettings, alias, ids, organization, repository, site, subject,
};
use futures::StreamExt;
use runtime::connection::Config;
use runtime::{Connection, Log, streams};
use secrecy::ExposeSecret;
use servers::nats::{self, Server};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;

/// How long anything may take before a test says that it never came.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) struct World {
    server: Option<Server>,
    folder: TempDir,
    port: u16,
}

impl World {
    pub(crate) async fn start() -> Self {
        let world = Self::unprovisioned().await;
        let operator = world.connection("ctl").await;
        streams::provision(&operator, 1).await.unwrap();
        operator.close().await;
        world
    }

    pub(crate) async fn unprovisioned() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), 0).await.unwrap();
        let port = server.port();
        Self { server: Some(server), folder, port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn config(&self, user: &str, port: u16) -> Config {
        nats::access(self.folder.path(), user, nats::url(port)).unwrap()
    }

    pub(crate) async fn connection(&self, user: &str) -> Connection {
        Connection::open(&self.config(user, self.port)).await.unwrap()
    }

    /// The log as a process of `user` sees it.
    pub(crate) async fn log(&self, user: &str) -> Log {
        Log::new(self.connection(user).await)
    }

    /// A bare client, and what the server refuses it.
    pub(crate) async fn raw(&self, user: &str) -> (async_nats::Client, mpsc::UnboundedReceiver<String>) {
        let config = self.config(user, self.port);
        let (errors, refused) = mpsc::unbounded_channel();
        let options = async_nats::ConnectOptions::with_user_and_password(
            config.user.clone(),
            config.password.expose_secret().to_owned(),
        );
        let options = options.add_root_certificates(config.certificate.unwrap());
        let options = options.custom_inbox_prefix(format!("_INBOX_{user}")).event_callback(move |event| {
            if let async_nats::Event::ServerError(error) = event {
                let _ = errors.send(error.to_string());
            }
            std::future::ready(())
        });
        (options.connect(config.url).await.unwrap(), refused)
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.server.as_ref().unwrap().pid().unwrap();
        assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
    }

    /// Kills the server as a crash would.
    pub(crate) async fn kill(&mut self) {
        self.signal("-KILL");
        let dead = self.server.take().unwrap();
        within(async {
            while dead.is_running() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// A copy of what the dead server stored.
    pub(crate) fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        replace(&self.folder.path().join("store"), &copy.path().join("store"));
        copy
    }

    /// Puts a copy in the place of what the dead server stored.
    pub(crate) fn put_back(&self, copy: &TempDir) {
        replace(&copy.path().join("store"), &self.folder.path().join("store"));
    }

    /// Starts the dead server again on another port.
    pub(crate) async fn move_away(&mut self) {
        let server = Server::start(self.folder.path(), 0).await.unwrap();
        self.port = server.port();
        self.server = Some(server);
    }

    pub(crate) async fn revive(&mut self) {
        self.server = Some(Server::start(self.folder.path(), self.port).await.unwrap());
    }
}

fn replace(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// What happens in time.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("it did not happen in time"))
}

/// The log's facts up to its present end.
pub(crate) async fn history(log: &Log) -> Vec<Recorded> {
    let end = usize::try_from(log.last_sequence().await.unwrap()).unwrap();
    let facts = log.follow(0).take(end).map(|entry| entry.fact.unwrap());
    within(facts.collect()).await
}

pub(crate) fn cause() -> Cause {
    Cause::new(Actor("token:test".to_owned()))
}

pub(crate) fn settings() -> SiteSettings {
    SiteSettings {
        repository: "https://example.org/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        demo_branch: None,
        engine: SiteEngine::Static,
        building: events::Building::default(),
        serving: events::event::Serving::default(),
    }
}

pub(crate) fn create(organization: &str) -> site::Command {
    let organization = OrganizationId(ids::of_delivery("test", organization));
    site::Command::Create(site::New {
        name: "docs".parse().unwrap(),
        organization,
        settings: settings(),
        passwords: Default::default(),
    })
}

/// What an organization that was created answers with nothing.
pub(crate) fn found() -> organization::Command {
    organization::Command::Create { name: "acme".parse().unwrap() }
}

/// What a repository answers with a fact, once for each delivery.
pub(crate) fn push(delivery: &str) -> repository::Command {
    let (repository, branch) = ("https://example.org/docs".parse().unwrap(), "main".parse().unwrap());
    let change = Change::Pushed {
        commit: "1".repeat(40).parse().unwrap(),
        summary: "Fix the title".to_owned(),
        skip: false,
        paths: None,
    };
    repository::Command::Receive(Delivery {
        id: delivery.to_owned(),
        repository,
        branch,
        before: None,
        change,
        site: None,
        pull_request: None,
    })
}

/// States a fact of its own: a site comes into being.
pub(crate) async fn site(log: &Log, name: &str) -> Recorded {
    log.execute::<Site>(name, &create("acme"), &cause()).await.unwrap().remove(0)
}

pub(crate) fn alias_id() -> String {
    subject::alias_id(SiteId(uuid::Uuid::nil()), &AliasName::Live)
}

pub(crate) fn promote(number: u64) -> alias::Command {
    alias::Command::Promote {
        site: SiteId(uuid::Uuid::nil()),
        alias: AliasName::Live,
        deploy: DeployId::of(BuildId(uuid::Uuid::from_u128(number.into()))),
        number,
        source_sequence: number,
        claim: alias::Claim::Built,
    }
}

/// Promotes build `number`; answers how many facts that took, or none if it was refused.
pub(crate) async fn promoted(log: &Log, number: u64) -> Option<Vec<Recorded>> {
    match log.execute::<Alias>(&alias_id(), &promote(number), &cause()).await {
        Ok(recorded) => Some(recorded),
        Err(runtime::ExecuteError::Refused(_)) => None,
        Err(runtime::ExecuteError::Failed(error)) => panic!("{error:?}"),
    }
}
