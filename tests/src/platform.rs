//! A platform: `pagefold up` as a process of its own, with a folder of its own.

use crate::child::{self, Child};
use crate::process::{self, Process, Signal};
use crate::{Answer, Api, DEADLINE, Delivery, Fact, Host, Ready, Repository, Site, eventually, folder, hold};
use reqwest::Client;
use serde_json::Value;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// A variable in the environment of every platform, as an operator's shell may have one. No build may see it.
pub const OPERATORS_SECRET: (&str, &str) = ("OPERATORS_API_KEY", "correcthorsebatterystaple0123");

static SHARED: OnceCell<Platform> = OnceCell::const_new();
/// What has been seen on the shelf of the shared platform.
static KNOWN: Mutex<String> = Mutex::new(String::new());
/// Facts that a story that waits in vain shows.
const LAST_FACTS: usize = 15;

/// A running platform. When its story has gone well, it has nothing parked and ends in order.
#[derive(Debug)]
pub struct Platform {
    child: Child,
    ready: Ready,
    client: Client,
    options: Vec<String>,
    variables: Vec<(String, String)>,
    files: Option<u64>,
    folder: TempDir,
}

/// A story's stay on the platform that it shares with others. It leaves nothing parked.
#[derive(Debug)]
pub struct Visit(&'static Platform);

impl Platform {
    /// A platform for one story alone.
    pub async fn start() -> Self {
        Self::start_with(&["--sandbox", "bubblewrap"]).await
    }

    /// The same with other options.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn start_with(options: &[&str]) -> Self {
        Self::start_within(None, &[], options).await
    }

    /// The same with more variables in its environment.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn start_with_variables(variables: &[(&str, &str)], options: &[&str]) -> Self {
        Self::start_within(None, variables, options).await
    }

    /// The same where at most `files` may be open at the same time.
    pub async fn start_with_files(files: u64) -> Self {
        Self::start_within(Some(files), &[], &["--sandbox", "bubblewrap"]).await
    }

    async fn start_within(files: Option<u64>, variables: &[(&str, &str)], options: &[&str]) -> Self {
        let folder = folder::temporary();
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (child, ready) = up(folder.path(), files, &variables, &options).await;
        // Stories end, and their connections with them: none may be left to the next one.
        let client = Client::builder().pool_max_idle_per_host(0).redirect(reqwest::redirect::Policy::none());
        Self { child, ready, client: client.build().unwrap(), options, variables, files, folder }
    }

    /// The platform of all stories that do it no harm. Each has sites of its own.
    pub async fn shared() -> Visit {
        let start = || async {
            folder::sweep();
            Self::start_with(&["--sandbox", "bubblewrap", "--slots", "8"]).await
        };
        Visit(SHARED.get_or_init(start).await)
    }

    /// Ends it as a power cut would.
    pub fn crash(&self) {
        self.child.end(Signal::KILL);
    }

    /// Starts it again on what it stored.
    pub async fn start_again(&mut self) {
        (self.child, self.ready) = up(self.folder.path(), self.files, &self.variables, &self.options).await;
    }

    /// Signals one of its servers.
    ///
    /// # Panics
    /// If the server does not run.
    pub fn signal(&self, process: Process, signal: Signal) {
        process::signal_tree(self.pid_of(process).unwrap_or_else(|| panic!("{process:?} does not run")), signal);
    }

    /// The process of one of its servers.
    #[must_use]
    pub fn pid_of(&self, process: Process) -> Option<u32> {
        process.below(self.child.pid())
    }

    /// Its own process, while it lives.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.status().is_none().then(|| self.child.pid())
    }

    /// The memory that its own process holds, its servers aside, in bytes.
    ///
    /// # Panics
    /// If the process has ended.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Where it keeps everything.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for what belongs to the story.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it tells its owner.
    #[must_use]
    pub const fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Its API.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::new(self.client.clone(), &self.ready)
    }

    /// Makes a git repository.
    #[must_use]
    pub fn repository(&self, name: &str) -> Repository {
        Repository::create(&self.folder.path().join("repositories"), name)
    }

    /// Creates a site with these settings and those that every story has.
    pub async fn site(&self, name: &str, settings: Value) -> Site<'_> {
        Site::create(self, name, settings).await
    }

    /// A host below its sites' domain.
    #[must_use]
    pub fn host(&self, label: &str) -> Host {
        Host::new(self.client.clone(), &self.ready, label)
    }

    /// Delivers a webhook.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn deliver(&self, delivery: &Delivery) -> Answer {
        delivery.send(&self.client, &self.ready).await.unwrap()
    }

    /// How it says that it is.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn health(&self) -> Answer {
        Answer::to(self.client.get(format!("{}/healthz", self.ready.web))).await.unwrap()
    }

    /// Waits for a fact, whether it is in the log or still to come.
    pub async fn until(&self, name: &str, wanted: impl Fn(&Fact) -> bool) -> Fact {
        self.until_of(None, name, wanted).await
    }

    pub(crate) async fn until_of(&self, site: Option<&str>, name: &str, wanted: impl Fn(&Fact) -> bool) -> Fact {
        let (api, filter) = (self.api(), site.map_or_else(String::new, |site| format!("&site={site}")));
        let mut seen: Vec<Fact> = Vec::new();
        let found = async {
            loop {
                let after = seen.last().map_or(0, Fact::sequence);
                let Ok(mut messages) = api.follow(&format!("/events/live?after={after}{filter}"), None).await else {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                };
                while let Some(message) = messages.next().await {
                    let fact: Fact = serde_json::from_str(&message.data).unwrap();
                    seen.push(fact.clone());
                    if fact.name() == name && wanted(&fact) {
                        return fact;
                    }
                }
            }
        };
        match tokio::time::timeout(DEADLINE, found).await {
            Ok(fact) => fact,
            Err(_) => {
                let last: String = seen.iter().rev().take(LAST_FACTS).rev().map(|fact| format!("\n{fact}")).collect();
                panic!("no `{name}` as wanted came in {} seconds; the last facts are{last}", DEADLINE.as_secs());
            }
        }
    }

    /// Every fact in the log, oldest first.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let listed = self.operator(&["events", "list", "--limit", "1000000", "--format", "json"]);
        listed.lines().rev().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until the read model has everything that is in the log now.
    ///
    /// # Panics
    /// If the log is empty.
    pub async fn read_model_has_caught_up(&self) {
        let before_last = self.facts().last().unwrap().sequence() - 1;
        let (api, last) = (self.api(), format!("/events?limit=1&after={before_last}"));
        let is_there = async || api.try_get(&last).await.is_ok_and(|answer| answer.text().contains("\"specversion\""));
        eventually("the read model", async || is_there().await.then_some(())).await;
    }

    /// What an operator's command prints.
    ///
    /// # Panics
    /// If the command fails.
    #[must_use]
    pub fn operator(&self, arguments: &[&str]) -> String {
        let output = self.try_operator(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// How an operator's command ends.
    #[must_use]
    pub fn try_operator(&self, arguments: &[&str]) -> Output {
        let data = self.data();
        child::run(&[arguments, &["--data", data.to_str().unwrap()]].concat())
    }

    /// How a command of somebody ends who keeps what they signed in to below `home`, and says `input`.
    #[must_use]
    pub fn as_user(&self, home: &Path, arguments: &[&str], input: &str) -> Output {
        child::run_by(home, arguments, input)
    }

    /// The address of the dashboard.
    #[must_use]
    pub fn web(&self) -> &str {
        &self.ready.web
    }

    /// The operator's token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.ready.token
    }

    fn parked(&self) -> String {
        self.operator(&["parked", "list", "--json"])
    }
}

/// Starts the executable below `folder`, and waits until it says that it is ready.
async fn up(folder: &Path, files: Option<u64>, variables: &[(String, String)], options: &[String]) -> (Child, Ready) {
    let data = folder.join("data");
    let anywhere = ["--web", "--edge", "--s3"].into_iter().flat_map(|name| [name, "127.0.0.1:0"]);
    let sources = ["--local-repositories", folder.to_str().unwrap()];
    let arguments = ["up", "--data", data.to_str().unwrap()].into_iter().chain(anywhere).chain(sources);
    let arguments = arguments.map(str::to_owned);
    let arguments: Vec<String> = arguments.chain(options.iter().cloned()).collect();
    let secret = (OPERATORS_SECRET.0.to_owned(), OPERATORS_SECRET.1.to_owned());
    let variables = [&[secret, hold::variable(folder)], variables].concat();
    let output = folder.join("output");
    let child = match files {
        Some(files) => Child::start_with_files(files, &arguments, &variables, &output),
        None => Child::start(&arguments, &variables, &output),
    };
    let ready = eventually("the platform to be ready", || {
        assert!(child.status().is_none(), "the platform did not come up\n{}", child.told());
        let ready = Ready::of(&data, child.pid());
        async { ready }
    });
    let ready = ready.await;
    (child, ready)
}

impl Drop for Platform {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.child.told());
            return;
        }
        let parked = self.parked();
        assert!(parked.is_empty(), "something is parked: {parked}\n{}", self.child.told());
        let status = self.child.end(Signal::TERM);
        assert!(status.success(), "the platform ended with {status}\n{}", self.child.told());
    }
}

impl Deref for Visit {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        self.0
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.0.child.told());
            return;
        }
        // What one story has left there is not the fault of the next.
        let parked = self.0.parked();
        let known = std::mem::replace(&mut *KNOWN.lock().unwrap_or_else(PoisonError::into_inner), parked.clone());
        assert!(parked == known, "something is parked: {parked}\n{}", self.0.child.told());
    }
}
