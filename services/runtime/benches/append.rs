//! What a durable append costs on this machine, alone and in a crowd, with and without group commit.
//!
//! Figures are for ratios: they compare one way with another on one machine, and say nothing about another machine.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails has nothing to say")]

use async_nats::HeaderMap;
use events::{Actor, Cause, OrganizationId, Site, SiteEngine, SiteSettings, site};
use futures::{StreamExt, stream};
use runtime::connection::Config;
use runtime::server::Server;
use runtime::{Connection, Log, streams};
use secrecy::ExposeSecret;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const ALONE: usize = 500;
const CROWD: usize = 20_000;
const IN_FLIGHT: usize = 64;
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), 0).await.unwrap();
    let config =
        |user: &str| Config { url: server.url(), user: user.to_owned(), password: server.password(user).unwrap() };
    streams::provision(&Connection::open(&config("ctl")).await.unwrap(), 1).await.unwrap();
    let log = Log::new(Connection::open(&config("web")).await.unwrap());
    let web = config("web");
    let options = async_nats::ConnectOptions::with_user_and_password(web.user, web.password.expose_secret().to_owned());
    let bare = options.custom_inbox_prefix("_INBOX_web").connect(&web.url).await.unwrap();

    let fsync = fsync(folder.path());
    let alone = median(alone(&log).await);
    let mut rates: [Vec<f64>; 2] = Default::default();
    for round in 0..ROUNDS {
        rates[0].push(crowd(round, async |name| create(&log, &name).await).await);
        rates[1].push(crowd(round, async |name| publish(&bare, &name).await).await);
    }
    let [together, one_by_one] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[ROUNDS / 2]
    });
    println!("fsync of 1 KiB                    {:>9.2} ms", millis(fsync));
    println!(
        "one append, alone                 {:>9.2} ms  ({:.1} fsyncs)",
        millis(alone),
        alone.div_duration_f64(fsync)
    );
    println!("{IN_FLIGHT} in flight, one by one          {one_by_one:>9.0} appends/s");
    println!("{IN_FLIGHT} in flight, group commit        {together:>9.0} appends/s  ({:.1} x)", together / one_by_one);
    server.stop().await;
}

fn fsync(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("fsync")).unwrap();
    let once = |_| {
        let started = Instant::now();
        file.write_all(&[0; 1024]).unwrap();
        file.sync_data().unwrap();
        started.elapsed()
    };
    median((0..ALONE).map(once).collect())
}

async fn alone(log: &Log) -> Vec<Duration> {
    let mut taken = Vec::new();
    for index in 0..ALONE {
        let started = Instant::now();
        create(log, &format!("alone-{index}")).await;
        taken.push(started.elapsed());
    }
    taken
}

/// Appends per second.
async fn crowd(round: usize, append: impl AsyncFn(String)) -> f64 {
    let started = Instant::now();
    let names = (0..CROWD).map(|index| format!("crowd-{round}-{index}"));
    stream::iter(names).for_each_concurrent(IN_FLIGHT, |name| append(name)).await;
    CROWD as f64 / started.elapsed().as_secs_f64()
}

async fn create(log: &Log, name: &str) {
    let settings = SiteSettings {
        repository: "https://example.org/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        demo_branch: None,
        engine: SiteEngine::Static,
    };
    let (called, organization) = ("docs".parse().unwrap(), OrganizationId(uuid::Uuid::nil()));
    let command = site::Command::Create(site::New { name: called, organization, settings });
    let cause = Cause::new(Actor("token:bench".to_owned()));
    log.execute::<Site>(name, &command, &cause).await.unwrap();
}

/// What an append is on the wire, without the runtime's reading before it and its grouping.
async fn publish(bare: &async_nats::Client, name: &str) {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", name);
    headers.insert("Nats-Expected-Last-Subject-Sequence", "0");
    headers.insert("ce-padding", "x".repeat(600));
    let payload = "x".repeat(130).into();
    let answer = bare.request_with_headers(format!("events.site.bare-{name}"), headers, payload).await.unwrap();
    assert!(!answer.payload.windows(7).any(|window| window == b"\"error\""));
}

fn median(mut taken: Vec<Duration>) -> Duration {
    taken.sort_unstable();
    taken[taken.len() / 2]
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
