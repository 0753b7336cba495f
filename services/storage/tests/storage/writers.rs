//! Several writers of one plain tree, in every order, some of them killed: its mark never lies.

use super::line::{Line, Mode};
use super::{Server, manifest};
use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use storage::{Error, Manifest, Rhythm, SiteBucket, Storage};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Quick enough for many cases, slow enough for a busy machine.
const RHYTHM: Rhythm = Rhythm {
    renew_every: Duration::from_millis(60),
    trust: Duration::from_millis(300),
    takeover: Duration::from_millis(700),
};
const CASES: u32 = 24;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// One request of this writer goes through.
    Go(usize),
    /// The writer dies; its work is given out again in the end.
    Kill(usize),
    /// The alias shows another deploy, and a writer hears of it.
    Promote(usize),
    /// Time passes in which nobody's requests go through.
    Rest,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        16 => (0..2_usize).prop_map(Step::Go),
        2 => (0..2_usize).prop_map(Step::Kill),
        3 => (0..2_usize).prop_map(Step::Promote),
        1 => Just(Step::Rest),
    ];
    proptest::collection::vec(step, 4..50)
}

/// A tree, three deploys that differ in every way, and what the alias shows.
struct Scene {
    server: Server,
    site: SiteBucket,
    deploys: Vec<Manifest>,
    alias: AtomicUsize,
}

impl Scene {
    async fn set() -> Arc<Self> {
        let server = Server::start().await;
        let site = server.site().await;
        let mut deploys = Vec::new();
        let contents: [&[(&str, &[u8])]; 3] = [
            &[("index.html", b"1"), ("same.css", b"s"), ("a.js", b"1"), ("one.txt", b"1")],
            &[("index.html", b"2"), ("same.css", b"s"), ("a.js", b"2"), ("two.txt", b"2")],
            &[("index.html", b"3"), ("same.css", b"s"), ("a.js", b"1")],
        ];
        for (number, files) in (1..).zip(contents) {
            let manifest = manifest(&site, number, files).await;
            deploys.push(site.put_manifest(manifest, &[]).await.unwrap());
        }
        Arc::new(Self { server, site, deploys, alias: AtomicUsize::new(0) })
    }

    /// What a syncer does with `alias.promoted`, until it is acknowledged.
    async fn settle(self: Arc<Self>, storage: Storage) {
        let site = storage.site(events::SiteId(uuid::Uuid::nil()));
        loop {
            let shown = self.alias.load(Ordering::SeqCst);
            match site.mirror("site", &self.deploys[shown]).await {
                Ok(_) if self.alias.load(Ordering::SeqCst) == shown => return,
                Ok(_) => {}
                Err(error) => assert!(error.is_transient(), "{error:?}"),
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Which deploy the mark says is there, whole.
    async fn marked(&self) -> Option<usize> {
        let mark = self.site.objects("trees/site").await.unwrap();
        if mark.is_empty() {
            return None;
        }
        let mark = read(&self.server, "trees/site").await?;
        let named = |manifest: &Manifest| format!("shows {}", manifest.head().deploy).as_bytes() == mark;
        self.deploys.iter().position(named)
    }

    async fn tree(&self) -> BTreeMap<String, Bytes> {
        let mut tree = BTreeMap::new();
        for object in self.site.objects("site/").await.unwrap() {
            if let Some(content) = read(&self.server, &object.key).await {
                tree.insert(object.key["site/".len()..].to_owned(), content);
            }
        }
        tree
    }

    /// A mark that is the same before and after the tree is read must be true.
    async fn does_not_lie(&self) {
        let before = self.marked().await;
        let tree = self.tree().await;
        if let Some(marked) = before
            && self.marked().await == Some(marked)
        {
            assert_eq!(tree, self.expected(marked).await, "the mark says deploy {marked}");
        }
    }

    async fn expected(&self, deploy: usize) -> BTreeMap<String, Bytes> {
        let mut files = BTreeMap::new();
        for entry in self.deploys[deploy].iter() {
            files.insert(entry.path.clone(), self.site.blob(entry).await.unwrap());
        }
        files
    }
}

async fn read(server: &Server, key: &str) -> Option<Bytes> {
    let object = super::plain(server).get_object().bucket(super::BUCKET).key(key).send().await.ok()?;
    Some(object.body.collect().await.unwrap().into_bytes())
}

struct Writer {
    line: Line,
    storage: Storage,
    at_work: Vec<JoinHandle<()>>,
}

impl Writer {
    async fn start(scene: &Scene) -> Self {
        let line = Line::to(scene.server.address).await;
        line.set(Mode::Stepwise);
        let storage = storage(scene, &line);
        Self { line, storage, at_work: Vec::new() }
    }

    fn hears(&mut self, scene: &Arc<Scene>) {
        self.at_work.push(tokio::spawn(Arc::clone(scene).settle(self.storage.clone())));
    }

    /// Dies with everything in hand, and is a new process from then on. Returns how much was in hand.
    fn dies(&mut self, scene: &Scene) -> usize {
        let unfinished = self.at_work.drain(..).filter(|task| !task.is_finished());
        let left = unfinished.map(|task| task.abort()).count();
        self.storage = storage(scene, &self.line);
        left
    }
}

fn storage(scene: &Scene, line: &Line) -> Storage {
    let config = storage::Config { endpoint: line.endpoint(), ..scene.server.config.clone() };
    Storage::connect(&config).with_rhythm(RHYTHM)
}

async fn play(steps: Vec<Step>) {
    let scene = Scene::set().await;
    let mut writers = [Writer::start(&scene).await, Writer::start(&scene).await];
    let mut redeliveries = 0;
    writers[0].hears(&scene);
    for step in steps {
        match step {
            Step::Go(writer) => {
                // A writer that rests or waits for another asks for nothing.
                for _ in 0..40 {
                    if writers[writer].line.step() {
                        break;
                    }
                    sleep(Duration::from_millis(1)).await;
                }
                sleep(Duration::from_millis(3)).await;
            }
            Step::Kill(writer) => redeliveries += writers[writer].dies(&scene),
            Step::Promote(writer) => {
                let shown = scene.alias.load(Ordering::SeqCst);
                scene.alias.store((shown + 1 + writer) % 3, Ordering::SeqCst);
                writers[writer].hears(&scene);
            }
            Step::Rest => sleep(RHYTHM.trust).await,
        }
        scene.does_not_lie().await;
    }
    for writer in &writers {
        writer.line.set(Mode::Open);
    }
    for _ in 0..redeliveries {
        writers[1].hears(&scene);
    }
    for task in writers.iter_mut().flat_map(|writer| writer.at_work.drain(..)) {
        tokio::time::timeout(Duration::from_secs(30), task).await.unwrap().unwrap();
    }
    let shown = scene.alias.load(Ordering::SeqCst);
    assert_eq!(scene.marked().await, Some(shown), "the mark says what the alias shows");
    assert_eq!(scene.tree().await, scene.expected(shown).await);
}

#[test]
fn a_mark_never_lies_whoever_writes_and_dies_and_in_the_end_it_is_true() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cases = Cases { max_shrink_iters: 20, failure_persistence: None, ..Cases::with_cases(CASES) };
    let mut runner = TestRunner::new(cases);
    runner
        .run(&steps(), |steps| {
            let played = runtime.block_on(async { tokio::spawn(play(steps)).await });
            played.map_err(|error| TestCaseError::fail(error.to_string()))
        })
        .unwrap();
}

#[tokio::test]
async fn a_writer_that_is_cut_off_stops_before_another_takes_its_turn() {
    let scene = Scene::set().await;
    let (mut slow, mut next) = (Writer::start(&scene).await, Writer::start(&scene).await);
    slow.hears(&scene);
    // It has its turn, and its files wait at the line.
    while read(&scene.server, "trees/site").await.is_none_or(|mark| !mark.starts_with(b"writing")) {
        slow.line.step();
        sleep(Duration::from_millis(1)).await;
    }
    scene.alias.store(1, Ordering::SeqCst);
    next.line.set(Mode::Open);
    next.hears(&scene);
    next.at_work.pop().unwrap().await.unwrap();
    assert_eq!((scene.marked().await, scene.tree().await), (Some(1), scene.expected(1).await));
    slow.line.set(Mode::Open);
    slow.at_work.pop().unwrap().await.unwrap();
    assert_eq!((scene.marked().await, scene.tree().await), (Some(1), scene.expected(1).await));
}

#[tokio::test]
async fn who_comes_while_another_writes_is_told_so() {
    let scene = Scene::set().await;
    let mut first = Writer::start(&scene).await;
    first.hears(&scene);
    while read(&scene.server, "trees/site").await.is_none() {
        first.line.step();
        sleep(Duration::from_millis(1)).await;
    }
    let busy = scene.site.mirror("site", &scene.deploys[1]).await.unwrap_err();
    assert!(matches!(&busy, Error::Busy { .. }) && busy.is_transient(), "{busy}");
    let busy = scene.site.remove_tree("site").await.unwrap_err();
    assert_eq!(busy.to_string(), format!("another writer is at `trees/site` in bucket `{}`", super::BUCKET));
}
