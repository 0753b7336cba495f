//! What a durable append costs, alone and in a crowd, with and without group commit.

use crate::log::{self, FilledLog};
use events::{Actor, Cause, OrganizationId, Site, SiteEngine, SiteSettings, site};
use futures::{StreamExt, stream};
use journeys::bench::{Better, Row, median, side_by_side};
use runtime::Log;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

pub(crate) const ROWS: &[&str] = &["append_alone", "append_crowd"];

const ALONE: usize = 500;
const CROWD: usize = 20_000;
const IN_FLIGHT: usize = 64;

pub(crate) async fn measure() -> Vec<Row> {
    let world = FilledLog::new(std::iter::empty()).await;
    let (log, bare) = (world.log("web").await, world.bare("web").await);
    let (alone, fsync) = side_by_side(
        "append_alone",
        async |round| median(alone(&log, round).await.into_iter().map(millis).collect()),
        async |_| fsync(world.folder()),
    )
    .await;
    let (together, one_by_one) = side_by_side(
        "append_crowd",
        async |round| crowd(CROWD, round, async |name| create(&log, &name).await).await,
        async |round| crowd(CROWD, round, async |name| publish(&bare, &name).await).await,
    )
    .await;
    world.stop().await;
    vec![
        Row::new("append_alone", "ms", Better::Lower, alone).against("fsync of 1 KiB", fsync),
        Row::new("append_crowd", "appends/s", Better::Higher, together).against("published one by one", one_by_one),
    ]
}

fn fsync(folder: &Path) -> f64 {
    let mut file = File::create(folder.join("fsync")).unwrap();
    let once = |_| {
        let started = Instant::now();
        file.write_all(&[0; 1024]).unwrap();
        file.sync_data().unwrap();
        millis(started.elapsed())
    };
    median((0..ALONE).map(once).collect())
}

async fn alone(log: &Log, round: usize) -> Vec<Duration> {
    let mut taken = Vec::new();
    for index in 0..ALONE {
        let started = Instant::now();
        create(log, &format!("alone-{round}-{index}")).await;
        taken.push(started.elapsed());
    }
    taken
}

/// Appends per second.
pub(crate) async fn crowd(count: usize, round: impl std::fmt::Display, append: impl AsyncFn(String)) -> f64 {
    let started = Instant::now();
    let names = (0..count).map(|index| format!("crowd-{round}-{index}"));
    stream::iter(names).for_each_concurrent(IN_FLIGHT, |name| append(name)).await;
    count as f64 / started.elapsed().as_secs_f64()
}

async fn create(log: &Log, name: &str) {
    let settings = SiteSettings {
        repository: "https://example.org/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        demo_branch: None,
        engine: SiteEngine::Static,
        building: events::Building::default(),
        serving: events::event::Serving::default(),
    };
    let new = site::New {
        name: "docs".parse().unwrap(),
        organization: OrganizationId(Uuid::nil()),
        settings,
        passwords: Default::default(),
    };
    let cause = Cause::new(Actor("token:bench".to_owned()));
    log.execute::<Site>(name, &site::Command::Create(new), &cause).await.unwrap();
}

/// What an append is on the wire, without the runtime's reading before it and its grouping.
pub(crate) async fn publish(bare: &async_nats::Client, name: &str) {
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Msg-Id", name);
    headers.insert("Nats-Expected-Last-Subject-Sequence", "0");
    headers.insert("ce-padding", "x".repeat(600));
    let payload = "x".repeat(130).into();
    let answer = bare.request_with_headers(format!("events.site.bare-{name}"), headers, payload).await.unwrap();
    log::expect_stored(&answer);
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
