//! A fold and its log: gone on with where it is the same, started over where it is not, and never saved past the unknown.

use crate::world::{World, site, within};
use async_nats::HeaderMap;
use async_nats::jetstream::stream::{Config, Stream};
use events::{Position, Recorded};
use runtime::Log;
use runtime::error::BoxError;
use runtime::fold::{Fold, Following, Home, Kept, Memory, State, Step};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The sites in the order of their creation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Names(Vec<String>);

impl State for Names {
    const NAME: &'static str = "names";
    const VERSION: u32 = 1;
    const SAVE_AFTER: Duration = Duration::from_millis(50);

    fn apply(&mut self, recorded: &Recorded) -> bool {
        self.0.push(recorded.envelope.subject.clone());
        true
    }
}

/// A shelf that outlives the fold.
#[derive(Debug, Clone, Default)]
struct Shelf(Arc<Mutex<Option<Vec<u8>>>>);

impl Shelf {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone().unwrap_or_default()).unwrap()
    }

    fn put(&self, text: String) {
        *self.0.lock().unwrap() = Some(text.into());
    }
}

impl<S: State> Home<S> for Shelf {
    async fn read(&self) -> Result<Option<Kept<S>>, BoxError> {
        Ok(self.0.lock().unwrap().as_deref().and_then(Kept::from_json))
    }

    async fn write(&self, kept: Kept<S>) -> Result<u64, BoxError> {
        let text = kept.to_json()?;
        let bytes = text.len() as u64;
        *self.0.lock().unwrap() = Some(text);
        Ok(bytes)
    }
}

type NameFold = Following<Memory<Names, Shelf>>;

async fn follow(log: &Log, shelf: &Shelf) -> NameFold {
    Following::new(log.clone(), Memory::load(shelf.clone()).await.unwrap())
}

/// Follows until everything that is in the log is known; answers each step.
async fn level(names: &mut NameFold) -> Vec<Step> {
    within(async {
        let mut steps = Vec::new();
        loop {
            let Ok(step) = names.next().await;
            steps.push(step);
            if names.is_level() {
                return steps;
            }
        }
    })
    .await
}

fn known(names: &NameFold) -> Vec<&str> {
    names.fold().state().0.iter().map(String::as_str).collect()
}

async fn keep(names: NameFold) {
    names.into_fold().close().await.unwrap();
}

/// A shelf that holds the fold of these sites.
async fn kept(log: &Log, sites: &[&str]) -> Shelf {
    let shelf = Shelf::default();
    for name in sites {
        site(log, name).await;
    }
    let mut names = follow(log, &shelf).await;
    level(&mut names).await;
    keep(names).await;
    shelf
}

/// A fact of a type that nobody here knows.
async fn painted(world: &World, like: u64) {
    let (raw, _) = world.raw("web").await;
    let stored = async_nats::jetstream::new(raw.clone()).get_stream("EVENTS").await.unwrap();
    let known = stored.direct_get(like).await.unwrap().headers;
    let mut headers = HeaderMap::new();
    for (name, values) in known.iter().filter(|(name, _)| name.to_string().starts_with("ce-")) {
        headers.insert(name.clone(), values[0].clone());
    }
    headers.insert("ce-type", "dev.pagefold.site.painted.v1");
    headers.insert("ce-id", uuid::Uuid::now_v7().to_string());
    raw.request_with_headers("events.site.painted", headers, "{}".into()).await.unwrap();
}

#[tokio::test]
async fn a_new_fold_reads_everything_and_a_resumed_one_only_what_is_new() {
    let world = World::start().await;
    let log = world.log("web").await;
    let shelf = kept(&log, &["a", "b"]).await;
    let mut names = follow(&log, &shelf).await;
    assert_eq!(names.fold().position().sequence, 2);
    assert_eq!(level(&mut names).await, [Step::Reached]);
    assert_eq!(known(&names), ["a", "b"]);
    site(&log, "c").await;
    while names.fold().position().sequence < 3 {
        assert_eq!(within(names.next()).await.unwrap(), Step::Taken);
    }
    assert_eq!(known(&names), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_fold_of_an_empty_log_is_level() {
    let world = World::start().await;
    let mut names = follow(&world.log("web").await, &Shelf::default()).await;
    assert_eq!(level(&mut names).await, [Step::Reached]);
    assert_eq!(names.fold().position(), Position::START);
}

#[tokio::test]
async fn a_fold_behind_its_log_catches_up_and_saves_nothing_until_it_has() {
    let world = World::start().await;
    let log = world.log("web").await;
    let shelf = kept(&log, &["a"]).await;
    for index in 0..2500 {
        if index % 100 == 0 {
            let burst = (index..index + 100).map(async |index| site(&log, &format!("s{index}")).await);
            futures::future::join_all(burst).await;
        }
    }
    let before = shelf.text();
    let mut names = follow(&log, &shelf).await;
    assert_eq!(within(names.next()).await.unwrap(), Step::Reached);
    while !names.is_level() {
        assert_eq!(shelf.text(), before, "half a history is not kept");
        let Ok(_) = within(names.next()).await;
    }
    assert_eq!(known(&names).len(), 2501);
    // It is kept by itself once it is level.
    within(async {
        while shelf.text() == before {
            let _ = tokio::time::timeout(Duration::from_millis(20), names.next()).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_fold_ahead_of_its_log_starts_over() {
    let (long, short) = (World::start().await, World::start().await);
    let shelf = kept(&long.log("web").await, &["a", "b", "c"]).await;
    let log = short.log("web").await;
    site(&log, "x").await;
    let mut names = follow(&log, &shelf).await;
    assert!(level(&mut names).await.contains(&Step::StartedOver));
    assert_eq!(known(&names), ["x"]);
    keep(names).await;
    assert_eq!(follow(&log, &shelf).await.fold().position().sequence, 1);
}

#[tokio::test]
async fn a_fold_of_another_log_starts_over_though_the_sequences_fit() {
    let (one, other) = (World::start().await, World::start().await);
    let shelf = kept(&one.log("web").await, &["a", "b"]).await;
    let log = other.log("web").await;
    for name in ["x", "y", "z"] {
        site(&log, name).await;
    }
    let mut names = follow(&log, &shelf).await;
    assert_eq!(level(&mut names).await[0], Step::StartedOver);
    assert_eq!(known(&names), ["x", "y", "z"]);
}

#[tokio::test]
async fn a_log_that_is_put_back_while_it_is_followed_is_noticed() {
    let mut world = World::start().await;
    site(&world.log("web").await, "a").await;
    world.kill().await;
    let older = world.copy();
    world.revive().await;
    let log = world.log("web").await;
    site(&log, "b").await;
    let mut names = follow(&log, &Shelf::default()).await;
    level(&mut names).await;
    assert_eq!(known(&names), ["a", "b"]);
    world.kill().await;
    world.put_back(&older);
    world.revive().await;
    site(&world.log("web").await, "c").await;
    while within(names.next()).await.unwrap() != Step::StartedOver {}
    level(&mut names).await;
    while known(&names).len() < 2 {
        let Ok(_) = within(names.next()).await;
    }
    assert_eq!(known(&names), ["a", "c"]);
}

/// A log whose facts can be deleted, as ours denies: by a disk that lost some, say.
async fn torn(world: &World) -> (Log, Stream) {
    let (raw, _) = world.raw("ctl").await;
    let config = Config {
        name: "EVENTS".to_owned(),
        subjects: vec!["events.>".to_owned()],
        allow_direct: true,
        allow_atomic_publish: true,
        ..Config::default()
    };
    let stream = async_nats::jetstream::new(raw).create_stream(config).await.unwrap();
    (world.log("web").await, stream)
}

#[tokio::test]
async fn a_gap_after_what_was_kept_is_a_reason_to_start_over_once() {
    let world = World::unprovisioned().await;
    let (log, stream) = torn(&world).await;
    let shelf = kept(&log, &["a", "b"]).await;
    for name in ["c", "d", "e", "f", "g"] {
        site(&log, name).await;
    }
    for lost in [3, 4, 6] {
        stream.delete_message(lost).await.unwrap();
    }
    let mut names = follow(&log, &shelf).await;
    let steps = level(&mut names).await;
    assert_eq!(steps.iter().filter(|step| **step == Step::StartedOver).count(), 1, "{steps:?}");
    assert_eq!(known(&names), ["a", "b", "e", "g"]);
    keep(names).await;
    let mut names = follow(&log, &shelf).await;
    assert_eq!(level(&mut names).await, [Step::Reached], "what was kept since is of this log");
}

#[tokio::test]
async fn a_gap_in_what_is_read_from_the_start_is_passed_over() {
    let world = World::unprovisioned().await;
    let (log, stream) = torn(&world).await;
    for name in ["a", "b", "c", "d", "e"] {
        site(&log, name).await;
    }
    for lost in [1, 3, 4] {
        stream.delete_message(lost).await.unwrap();
    }
    let mut names = follow(&log, &Shelf::default()).await;
    let steps = level(&mut names).await;
    assert!(!steps.contains(&Step::StartedOver), "{steps:?}");
    assert_eq!(known(&names), ["b", "e"]);
}

#[tokio::test]
async fn an_unknown_fact_marks_the_snapshot_so_that_a_version_that_knows_it_starts_over() {
    let world = World::start().await;
    let log = world.log("web").await;
    let shelf = kept(&log, &["a"]).await;
    painted(&world, 1).await;
    site(&log, "b").await;
    let mut names = follow(&log, &shelf).await;
    level(&mut names).await;
    assert_eq!(known(&names), ["a", "b"], "what can be folded is");
    assert_eq!(names.fold().newer().unwrap().0, "dev.pagefold.site.painted.v1");
    keep(names).await;
    // The same version goes on.
    let mut names = follow(&log, &shelf).await;
    assert_eq!((names.fold().position().sequence, names.fold().newer().unwrap().1.sequence), (3, 2));
    assert_eq!(level(&mut names).await, [Step::Reached]);
    // One that knows the type does not, but shows what there is.
    shelf.put(shelf.text().replace("site.painted.v1", "site.created.v1"));
    let mut names = follow(&log, &shelf).await;
    assert_eq!(names.fold().position(), Position::START);
    assert_eq!(names.fold().last().unwrap().0, ["a", "b"]);
    level(&mut names).await;
    assert_eq!(known(&names), ["a", "b"]);
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_used_is_passed_over() {
    let world = World::start().await;
    let log = world.log("web").await;
    let shelf = kept(&log, &["a"]).await;
    let text = shelf.text();
    for unusable in [text.replace("\"version\":1", "\"version\":9"), text[..text.len() - 3].to_owned()] {
        shelf.put(unusable);
        let mut names = follow(&log, &shelf).await;
        assert_eq!(names.fold().position(), Position::START);
        level(&mut names).await;
        assert_eq!(known(&names), ["a"]);
    }
}
