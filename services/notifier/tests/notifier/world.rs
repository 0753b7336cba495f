//! A log, a site in it, and a notifier.

use dialer::Dialer;
use events::address::Allowed;
use events::alias::{self, Claim};
use events::build::{self, Job, Report};
use events::event::{Noticed, Reception, Synced};
use events::receiver::{self, Kind, Occasion};
use events::{
    Actor, Alias, AliasName, Build, BuildId, Cause, Deploy, DeployId, Digest, Event, Lane, NoticeEvent, Outcome,
    ReceiverId, Receivers, Recorded, Site, SiteEngine, SiteId, SiteSettings, SitesUrl, deploy, site, subject,
};
use futures::StreamExt as _;
use github::App;
use mailer::Mailer;
use notifier::{Config, Timing};
use runtime::{Connection, Log, Owner, Vault, streams};
use servers::nats;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const KEY: [u8; 32] = [7; 32];
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const COMMIT: &str = "1111111111111111111111111111111111111111";

/// A log with a site called `docs`.
pub(crate) struct World {
    pub(crate) site: SiteId,
    pub(crate) web: Log,
    nats: nats::Server,
    _folder: tempfile::TempDir,
}

/// A notifier that runs until it is dropped.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl World {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let nats = nats::Server::start(&folder.path().join("nats"), 0).await.unwrap();
        streams::provision(&connect(&nats, "ctl").await, 1).await.unwrap();
        let web = Log::new(connect(&nats, "web").await);
        let site = SiteId(Uuid::now_v7());
        let new = site::New {
            name: "docs".parse().unwrap(),
            organization: events::OrganizationId(Uuid::nil()),
            settings: SiteSettings {
                repository: "https://git.test/acme/docs.git".parse().unwrap(),
                branch: "main".parse().unwrap(),
                demo_branch: None,
                engine: SiteEngine::Static,
                building: events::Building::default(),
                serving: events::event::Serving::default(),
            },
            passwords: Default::default(),
        };
        web.execute::<Site>(&site.to_string(), &site::Command::Create(new), &cause()).await.unwrap();
        Self { site, web, nats, _folder: folder }
    }

    /// A notifier that may connect to this machine.
    pub(crate) async fn notify(&self) -> Running {
        self.notify_with(Allowed { private: true, folders: Vec::new() }).await
    }

    /// The same, which sends mail by the server at `smtp`.
    pub(crate) async fn notify_by(&self, smtp: &str) -> Running {
        let mailer = Mailer::new(&smtp.into(), "pagefold@mail.test").unwrap();
        self.run(Allowed { private: true, folders: Vec::new() }, Some(mailer), None).await
    }

    pub(crate) async fn notify_with(&self, allowed: Allowed) -> Running {
        self.run(allowed, None, None).await
    }

    /// A notifier that is known to GitHub as an app.
    pub(crate) async fn notify_as(&self, app: Option<App>) -> Running {
        self.run(Allowed { private: true, folders: Vec::new() }, None, app).await
    }

    async fn run(&self, allowed: Allowed, mailer: Option<Mailer>, github: Option<App>) -> Running {
        let log = self.service("notifier").await;
        let timing = Timing {
            again_first: Duration::from_millis(50),
            again_max: Duration::from_millis(200),
            ..Timing::default()
        };
        let config = Config {
            key: KEY,
            dialer: Dialer { allowed, own: Vec::new() },
            mailer,
            github,
            web_url: "https://pagefold.test".to_owned(),
            sites_url: SitesUrl { scheme: "https".into(), base_domain: "pages.test".into(), port: None },
            timing,
        };
        let stop = CancellationToken::new();
        let running = notifier::run(log, config, stop.clone());
        let task = tokio::spawn(async move { running.await.unwrap() });
        Running { stop, task }
    }

    pub(crate) async fn service(&self, name: &str) -> Log {
        Log::new(connect(&self.nats, name).await)
    }

    /// Tells a webhook at `address` from now on.
    pub(crate) async fn receiver(&self, address: &str, wants: &[Occasion]) -> ReceiverId {
        self.receiver_with(Kind::Webhook, address, Some(SECRET), wants).await
    }

    /// Tells a receiver that believes whoever knows its address.
    pub(crate) async fn receiver_of(&self, kind: Kind, address: &str, wants: &[Occasion]) -> ReceiverId {
        self.receiver_with(kind, address, None, wants).await
    }

    pub(crate) async fn receiver_with(
        &self,
        kind: Kind,
        address: &str,
        secret: Option<&str>,
        wants: &[Occasion],
    ) -> ReceiverId {
        let vault = Vault::new(self.web.connection(), &KEY);
        let key = vault.introduce(Owner::Site(self.site)).await.unwrap();
        let receiver = ReceiverId(Uuid::now_v7());
        let reception = Reception {
            receiver,
            kind,
            name: "Team".parse().unwrap(),
            wants: wants.iter().copied().collect(),
            address: key.seal(address),
            secret: secret.map(|secret| key.seal(secret)),
        };
        self.ask(receiver::Command::Create(reception)).await;
        receiver
    }

    pub(crate) async fn ask(&self, command: receiver::Command) -> Recorded {
        let stated = self.web.execute::<Receivers>(&self.site.to_string(), &command, &cause()).await.unwrap();
        stated.into_iter().next().unwrap()
    }

    /// Queues a build.
    pub(crate) async fn queued(&self, number: u64) -> BuildId {
        let id = BuildId(Uuid::now_v7());
        let job = Job {
            site: self.site,
            number,
            source_sequence: number,
            repository: "https://git.test/acme/docs.git".parse().unwrap(),
            branch: "fix/it".parse().unwrap(),
            alias: "preview/fix/it".parse::<AliasName>().unwrap(),
            commit: Some(COMMIT.parse().unwrap()),
            engine: SiteEngine::Static,
            lane: Lane::High,
            summary: format!("Change number {number}"),
            upload: None,
            recipe: Default::default(),
            pull_request: None,
            cache_from: None,
        };
        self.build(id, build::Command::Queue(job)).await;
        id
    }

    /// Ends a build that was queued as a failure.
    pub(crate) async fn failed(&self, id: BuildId) {
        self.build(id, build::Command::Dispatch).await;
        self.build(id, build::Command::Start { worker: "launcher-1".into() }).await;
        let report = Report {
            attempt: 1,
            commit: Some(COMMIT.parse().unwrap()),
            outcome: Outcome::Failure,
            reason: "the script `pages` exited with 1".to_owned(),
            hint: Some("mend the script".to_owned()),
            artifact: None,
            duration_ms: 1234,
            steps: Vec::new(),
            resources: None,
        };
        self.build(id, build::Command::Finish(report)).await;
    }

    /// Shows what a build made, as the syncer does.
    pub(crate) async fn published(&self, build: BuildId, number: u64) {
        let (id, alias) = (DeployId::of(build), "preview/fix/it".parse::<AliasName>().unwrap());
        let synced = Synced {
            site: self.site,
            build,
            number,
            source_sequence: number,
            branch: "fix/it".parse().unwrap(),
            alias: alias.clone(),
            commit: COMMIT.parse().unwrap(),
            content: Digest::of(b"pages"),
            files: 1,
            bytes: 1,
            uploaded_files: 1,
            uploaded_bytes: 1,
            requests: 1,
        };
        let log = self.service("syncer").await;
        log.execute::<Deploy>(id.as_str(), &deploy::Command::Sync(synced), &cause()).await.unwrap();
        let (about, site, claim) = (subject::alias_id(self.site, &alias), self.site, Claim::Built);
        let promote = alias::Command::Promote { site, alias, deploy: id, number, source_sequence: number, claim };
        log.execute::<Alias>(&about, &promote, &cause()).await.unwrap();
    }

    /// Shows the older of two deploys again, as a person chooses.
    pub(crate) async fn rolled_back(&self, build: BuildId, number: u64) {
        let (site, alias) = (self.site, "preview/fix/it".parse::<AliasName>().unwrap());
        let (about, claim) = (subject::alias_id(site, &alias), Claim::Chosen { expected: None });
        let deploy = DeployId::of(build);
        let promote = alias::Command::Promote { site, alias, deploy, number, source_sequence: number, claim };
        self.web.execute::<Alias>(&about, &promote, &cause()).await.unwrap();
    }

    /// Shows nothing any more, as the scheduler decides when a branch is deleted.
    pub(crate) async fn taken_down(&self) {
        let (site, alias) = (self.site, "preview/fix/it".parse::<AliasName>().unwrap());
        let about = subject::alias_id(site, &alias);
        let log = self.service("scheduler").await;
        log.execute::<Alias>(&about, &alias::Command::Remove { site, alias }, &cause()).await.unwrap();
    }

    /// Locks the site.
    pub(crate) async fn lock(&self) {
        let (site, alias) = (self.site, AliasName::Live);
        let about = subject::alias_id(site, &alias);
        let lock = alias::Command::Lock { site, alias, reason: "audit".to_owned() };
        self.web.execute::<Alias>(&about, &lock, &cause()).await.unwrap();
    }

    async fn build(&self, id: BuildId, command: build::Command) {
        let log = self.service("scheduler").await;
        log.execute::<Build>(&id.to_string(), &command, &cause()).await.unwrap();
    }

    /// Waits until it is known what became of so many notices of a receiver.
    pub(crate) async fn settled(&self, receiver: ReceiverId, count: usize) -> Vec<(bool, Noticed)> {
        let settled = async {
            let (mut found, mut entries) = (Vec::new(), self.web.follow(0));
            while found.len() < count {
                let fact = entries.next().await.unwrap().fact.unwrap();
                let Event::Notice(notice) = fact.event else { continue };
                let (arrived, noticed) = match notice {
                    NoticeEvent::Delivered(noticed) => (true, noticed),
                    NoticeEvent::Failed(noticed) => (false, noticed),
                    NoticeEvent::Requested { .. } => continue,
                };
                if noticed.receiver == receiver {
                    found.push((arrived, noticed));
                }
            }
            found
        };
        within(settled).await
    }
}

impl Running {
    /// Ends in order.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        within(&mut self.task).await.unwrap();
    }

    /// Ends as a process does that is killed.
    pub(crate) fn kill(self) {
        self.task.abort();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn cause() -> Cause {
    Cause::new(Actor::operator("tester"))
}

async fn connect(nats: &nats::Server, user: &str) -> Connection {
    Connection::open(&nats.access(user).unwrap()).await.unwrap()
}

/// What comes in time.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it comes in time")
}
