//! A start that is hindered: what is there already is served, and nothing ends.

use journeys::{Child, Platform, Process, Ready, Signal, eventually, workspace};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// It has been waited for longer than a server usually takes.
const STILL_WAITING: &str = "nats-server lives and does not answer yet, waiting seconds=30";

/// A nats-server that begins only when a file is there, as one does that has much to read.
struct Slow {
    folder: PathBuf,
}

impl Slow {
    fn server(below: &Path) -> Self {
        let folder = below.join("slow");
        fs::create_dir(&folder).unwrap();
        let (script, gate) = (folder.join("nats-server"), folder.join("gate"));
        let wait = format!("until [ -e '{}' ]; do sleep 0.05; done", gate.display());
        let text = format!("#!/bin/sh\n[ \"$1\" = --version ] || {wait}\nexec '{}' \"$@\"\n", Self::real().display());
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn real() -> PathBuf {
        let path = std::env::var_os("PATH").unwrap();
        let folders = std::env::split_paths(&path).chain([workspace().join(".tools/venv/bin")]);
        folders.map(|folder| folder.join("nats-server")).find(|program| program.exists()).unwrap()
    }

    fn variable(&self) -> (String, String) {
        let path = std::env::var("PATH").unwrap();
        ("PATH".to_owned(), format!("{}:{path}", self.folder.display()))
    }

    fn begins(&self) {
        fs::write(self.folder.join("gate"), "").unwrap();
    }
}

/// An address that nobody listens on.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Starts the platform again on what it stored, and does not wait for it.
fn start(platform: &Platform, edge: &str, admin: &str, variables: &[(String, String)]) -> Child {
    let data = platform.data();
    let anywhere = "127.0.0.1:0";
    let arguments =
        ["up", "--data", data.to_str().unwrap(), "--sandbox", "bubblewrap", "--web", anywhere, "--s3", anywhere];
    let sources = ["--local-repositories", platform.folder().to_str().unwrap(), "--edge", edge, "--admin", admin];
    let arguments: Vec<String> = arguments.into_iter().chain(sources).map(str::to_owned).collect();
    Child::start(&arguments, variables, &platform.folder().join("again.output"))
}

async fn says(platform: &Platform, text: &str) {
    let output = platform.folder().join("again.output");
    let said = || fs::read_to_string(&output).unwrap_or_default().contains(text);
    eventually(&format!("`{text}`"), || std::future::ready(said().then_some(()))).await;
}

async fn health(admin: &str) -> Option<(u16, Value)> {
    let answer = reqwest::get(format!("http://{admin}/healthz")).await.ok()?;
    Some((answer.status().as_u16(), answer.json().await.ok()?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sites_are_served_while_log_and_read_model_take_their_time_to_start() {
    let mut platform = Platform::start().await;
    let site = platform.site("early", json!({})).await;
    let promoted = site.publish(1, [("index.html", "kept")]).await;
    site.serves("/", "kept").await;
    let table = || fs::read_to_string(platform.data().join("edge/routes.jsonl")).unwrap_or_default();
    let deploy = promoted.data["deploy"].as_str().unwrap();
    eventually("the edge to keep its table", || std::future::ready(table().contains(deploy).then_some(()))).await;
    let (edge, admin) = (free_address(), free_address());
    let (live, repository) = (site.live().at(&format!("http://{edge}")), site.repository.clone());
    platform.crash();

    let (slow, cluster) = (Slow::server(platform.folder()), platform.data().join("postgres/cluster"));
    fs::rename(cluster.join("PG_VERSION"), cluster.join("away")).unwrap();
    let child = start(&platform, &edge, &admin, &[slow.variable()]);
    live.serves("/", "kept").await;
    let slow_one = eventually("a nats-server", async || Process::Nats.below(child.pid())).await;
    says(&platform, STILL_WAITING).await;
    assert_eq!(Process::Nats.below(child.pid()), Some(slow_one), "it is waited for, not started again");
    let (status, told) = health(&admin).await.unwrap();
    assert_eq!(status, 503);
    for (part, wanted) in [("nats_server", "failing"), ("log", "failing"), ("postgresql", "failing"), ("edge", "ok")] {
        assert_eq!(told["parts"][part]["status"], wanted, "{part}: {told:#}");
    }
    let why = told["parts"]["nats_server"]["detail"].as_str().unwrap();
    assert!(why.contains("reads what it stores"), "{why}");
    assert!(Ready::of(&platform.data(), child.pid()).is_none(), "it is not ready yet");
    let _ = live.get("/").await.expect(200);

    slow.begins();
    fs::rename(cluster.join("away"), cluster.join("PG_VERSION")).unwrap();
    eventually("all to be well", async || health(&admin).await.filter(|(status, _)| *status == 200)).await;
    eventually("it to be ready", async || Ready::of(&platform.data(), child.pid())).await;
    assert!(child.end(Signal::TERM).success(), "{}", child.told());
    platform.start_again().await;
    let site = journeys::Site::again("early", repository, &platform).await;
    site.publish(2, [("index.html", "fresh")]).await;
    site.serves("/", "fresh").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_cannot_write_down_where_it_is_serves_and_tries_again() {
    let mut platform = Platform::start().await;
    let site = platform.site("unsaid", json!({})).await;
    site.publish(1, [("index.html", "served")]).await;
    site.serves("/", "served").await;
    let (edge, admin) = (free_address(), free_address());
    let live = site.live().at(&format!("http://{edge}"));
    platform.crash();

    // As on a full disk, no file can be made there.
    let obstacle = platform.data().join("ready.json.new");
    fs::create_dir(&obstacle).unwrap();
    let child = start(&platform, &edge, &admin, &[]);
    says(&platform, "ready.json cannot be written, trying again").await;
    live.serves("/", "served").await;
    fs::remove_dir(&obstacle).unwrap();
    eventually("it to be written", async || Ready::of(&platform.data(), child.pid())).await;
    assert!(child.end(Signal::TERM).success(), "{}", child.told());
    platform.start_again().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_warns_of_nothing() {
    let platform = Platform::start().await;
    let site = platform.site("calm", json!({})).await;
    site.publish(1, [("index.html", "calm")]).await;
    site.serves("/", "calm").await;
    let output = fs::read_to_string(platform.folder().join("output")).unwrap();
    assert!(output.contains(" INFO "), "{output}");
    let warned: Vec<&str> = output.lines().filter(|line| line.contains(" WARN ") || line.contains(" ERROR ")).collect();
    assert!(warned.is_empty(), "{warned:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_platform_on_the_same_folder_says_so_and_leaves_the_first_alone() {
    let platform = Platform::start().await;
    let site = platform.site("alone", json!({})).await;
    site.publish(1, [("index.html", "first")]).await;
    let second = start(&platform, &free_address(), &free_address(), &[]);
    let status = eventually("the second one to end", async || second.status()).await;
    assert!(!status.success());
    assert!(second.told().contains("a platform runs with the data directory"), "{}", second.told());
    assert!(Ready::of(&platform.data(), platform.pid().unwrap()).is_some(), "the first is still where it says");
    site.publish(2, [("index.html", "second")]).await;
    site.serves("/", "second").await;
}
