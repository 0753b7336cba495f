//! A reaction: acknowledged when its work is done, and given to another when it is not.

use crate::world::{World, history, site, within};
use events::Recorded;
use futures::future::BoxFuture;
use runtime::consumer::{Consumer, Failure, Timing, run_with};
use runtime::{Error, Log};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

type Work = Box<dyn Fn(Recorded) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Does with each fact what the test says.
struct Scripted(Work);

impl Consumer for Scripted {
    const NAME: &'static str = "syncer";
    const HEARS: &'static [&'static str] = &["site"];

    async fn handle(&self, recorded: Recorded) -> Result<(), Failure> {
        (self.0)(recorded).await
    }
}

/// A process that works.
pub(crate) struct Process {
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<Result<(), Error>>,
}

impl Process {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        within(self.task).await.unwrap().unwrap();
    }
}

pub(crate) fn brisk() -> Timing {
    Timing {
        ack_wait: Duration::from_millis(900),
        pull_expires: Duration::from_millis(200),
        retry_first: Duration::from_millis(50),
        retry_max: Duration::from_millis(200),
        newer_max: Duration::from_millis(200),
        deliveries_max: 3,
        drain: Duration::from_millis(500),
    }
}

pub(crate) fn work<F, R>(log: Log, slots: usize, timing: Timing, handle: F) -> Process
where
    F: Fn(Recorded) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let stop = CancellationToken::new();
    let consumer = Scripted(Box::new(move |recorded| Box::pin(handle(recorded))));
    let task = tokio::spawn(run_with(log, consumer, slots, timing, stop.clone()));
    Process { stop, task }
}

/// Tells the test what it hears, and finds no fault with it.
pub(crate) fn listen(log: Log, timing: Timing) -> (Process, mpsc::UnboundedReceiver<Recorded>) {
    let (heard, facts) = mpsc::unbounded_channel();
    let process = work(log, 1, timing, move |recorded| {
        heard.send(recorded).unwrap();
        async { Ok(()) }
    });
    (process, facts)
}

/// Facts that no worker has answered for.
async fn unanswered(world: &World) -> usize {
    let (raw, _) = world.raw("ctl").await;
    let stream = async_nats::jetstream::new(raw).get_stream("EVENTS").await.unwrap();
    let info = stream.consumer_info("syncer").await.unwrap();
    info.num_ack_pending + usize::try_from(info.num_pending).unwrap()
}

#[tokio::test]
async fn a_fact_is_acknowledged_when_its_work_is_done_and_not_before() {
    let world = World::start().await;
    let fact = site(&world.log("web").await, "docs").await;
    let (gate, (heard, mut facts)) = (Arc::new(Semaphore::new(0)), mpsc::unbounded_channel());
    let open = gate.clone();
    let process = work(world.log("syncer").await, 1, brisk(), move |recorded| {
        let (gate, heard) = (gate.clone(), heard.clone());
        async move {
            heard.send(recorded).unwrap();
            let _ = gate.acquire().await.unwrap();
            Ok(())
        }
    });
    assert_eq!(within(facts.recv()).await.unwrap(), fact);
    assert_eq!(unanswered(&world).await, 1);
    open.add_permits(1);
    within(async { while unanswered(&world).await > 0 {} }).await;
    process.stop().await;
    assert!(facts.try_recv().is_err());
}

/// Handles at once, and has something left to do that takes until the gate opens.
struct Unhurried {
    heard: mpsc::UnboundedSender<Recorded>,
    gate: Arc<Semaphore>,
}

impl Consumer for Unhurried {
    const NAME: &'static str = "syncer";
    const HEARS: &'static [&'static str] = &["site"];

    async fn handle(&self, recorded: Recorded) -> Result<(), Failure> {
        self.heard.send(recorded).unwrap();
        Ok(())
    }

    async fn follow_up(&self, _recorded: Recorded) -> Result<(), Failure> {
        let _ = self.gate.acquire().await.unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn what_is_left_to_do_about_a_fact_holds_no_slot_and_is_done_before_it_is_acknowledged() {
    let world = World::start().await;
    let log = world.log("web").await;
    let facts = [site(&log, "docs").await, site(&log, "blog").await];
    let (gate, (heard, mut handled)) = (Arc::new(Semaphore::new(0)), mpsc::unbounded_channel());
    let (consumer, stop) = (Unhurried { heard, gate: gate.clone() }, CancellationToken::new());
    let task = tokio::spawn(run_with(world.log("syncer").await, consumer, 1, brisk(), stop.clone()));
    for fact in facts {
        assert_eq!(within(handled.recv()).await.unwrap(), fact);
    }
    assert_eq!(unanswered(&world).await, 2);
    gate.add_permits(1);
    within(async { while unanswered(&world).await > 0 {} }).await;
    Process { stop, task }.stop().await;
    assert!(handled.try_recv().is_err());
}

#[tokio::test]
async fn long_work_is_not_taken_away() {
    let world = World::start().await;
    site(&world.log("web").await, "docs").await;
    let starts = Arc::new(AtomicUsize::new(0));
    let (done, mut finished) = mpsc::unbounded_channel();
    let processes: Vec<Process> = futures::future::join_all((0..2).map(|_| world.log("syncer")))
        .await
        .into_iter()
        .map(|log| {
            let (starts, done) = (starts.clone(), done.clone());
            work(log, 1, brisk(), move |_| {
                starts.fetch_add(1, Ordering::SeqCst);
                let done = done.clone();
                async move {
                    // Longer than the log waits for a sign of life.
                    tokio::time::sleep(brisk().ack_wait * 3).await;
                    done.send(()).unwrap();
                    Ok(())
                }
            })
        })
        .collect();
    within(finished.recv()).await.unwrap();
    within(async { while unanswered(&world).await > 0 {} }).await;
    assert_eq!(starts.load(Ordering::SeqCst), 1);
    futures::future::join_all(processes.into_iter().map(Process::stop)).await;
}

#[tokio::test]
async fn what_fails_comes_again_later_each_time() {
    let world = World::start().await;
    site(&world.log("web").await, "docs").await;
    let (heard, mut times) = mpsc::unbounded_channel();
    let process = work(world.log("syncer").await, 1, Timing { deliveries_max: 8, ..brisk() }, move |_| {
        heard.send(Instant::now()).unwrap();
        async { Err(Failure::Retry("the world failed".into())) }
    });
    let mut tries = Vec::new();
    for _ in 0..4 {
        tries.push(within(times.recv()).await.unwrap());
    }
    let delays: Vec<Duration> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (delay, least) in delays.iter().zip([50, 100, 200]) {
        assert!(*delay >= Duration::from_millis(least), "{delays:?}");
    }
    process.stop().await;
}

#[tokio::test]
async fn the_work_of_a_process_that_died_is_done_by_another() {
    let world = World::start().await;
    let fact = site(&world.log("web").await, "docs").await;
    let dying = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = world.config("syncer", world.port());
    let (heard, mut facts) = mpsc::unbounded_channel();
    dying.spawn(async move {
        let log = Log::new(runtime::Connection::open(&config).await.unwrap());
        let process = work(log, 1, brisk(), move |recorded| {
            heard.send(recorded).unwrap();
            std::future::pending()
        });
        process.task.await
    });
    assert_eq!(within(facts.recv()).await.unwrap(), fact);
    dying.shutdown_background();
    let (process, mut facts) = listen(world.log("syncer").await, brisk());
    assert_eq!(within(facts.recv()).await.unwrap(), fact);
    process.stop().await;
}

#[tokio::test]
async fn a_process_asked_to_end_finishes_what_it_has_in_hand() {
    let world = World::start().await;
    site(&world.log("web").await, "docs").await;
    let (heard, mut facts) = mpsc::unbounded_channel();
    let process = work(world.log("syncer").await, 1, brisk(), move |_| {
        heard.send(()).unwrap();
        async {
            tokio::time::sleep(brisk().drain / 2).await;
            Ok(())
        }
    });
    within(facts.recv()).await.unwrap();
    process.stop().await;
    assert_eq!(unanswered(&world).await, 0);
}

#[tokio::test]
async fn what_takes_longer_than_the_drain_is_given_back_at_once() {
    let world = World::start().await;
    let fact = site(&world.log("web").await, "docs").await;
    let slow = Timing { ack_wait: Duration::from_secs(60), ..brisk() };
    let (heard, mut facts) = mpsc::unbounded_channel();
    let process = work(world.log("syncer").await, 1, slow, move |_| {
        heard.send(()).unwrap();
        std::future::pending()
    });
    within(facts.recv()).await.unwrap();
    process.stop().await;
    let (process, mut facts) = listen(world.log("syncer").await, slow);
    let again = tokio::time::timeout(Duration::from_secs(5), facts.recv()).await;
    assert_eq!(again.unwrap().unwrap(), fact);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_the_work_and_do_nothing_twice() {
    let world = World::start().await;
    let web = world.log("web").await;
    let (heard, mut facts) = mpsc::unbounded_channel();
    let mut processes = Vec::new();
    for index in 0..2 {
        let heard = heard.clone();
        let log = world.log("syncer").await;
        processes.push(work(log, 4, Timing { ack_wait: Duration::from_secs(30), ..brisk() }, move |recorded| {
            let heard = heard.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(2)).await;
                heard.send((recorded.sequence, index)).unwrap();
                Ok(())
            }
        }));
    }
    for index in 0..100 {
        site(&web, &format!("site-{index}")).await;
    }
    let mut done = BTreeMap::new();
    for _ in 0..100 {
        let (sequence, by) = within(facts.recv()).await.unwrap();
        assert_eq!(done.insert(sequence, by), None, "{sequence} was done twice");
    }
    within(async { while unanswered(&world).await > 0 {} }).await;
    for process in processes {
        process.stop().await;
    }
    assert!(facts.try_recv().is_err());
    assert!((0..2).all(|index| done.values().any(|by| *by == index)), "both worked: {done:?}");
    assert_eq!(history(&web).await.len(), 100);
}

#[tokio::test]
async fn work_goes_on_after_a_crash_of_the_server() {
    let mut world = World::start().await;
    let web = world.log("web").await;
    let (process, mut facts) = listen(world.log("syncer").await, brisk());
    let first = site(&web, "first").await;
    assert_eq!(within(facts.recv()).await.unwrap(), first);
    world.kill().await;
    world.revive().await;
    let second = site(&web, "second").await;
    // The acknowledgement of the first may have been lost with the server.
    let heard = within(async {
        loop {
            let fact = facts.recv().await.unwrap();
            if fact != first {
                return fact;
            }
        }
    });
    assert_eq!(heard.await, second);
    process.stop().await;
}

#[tokio::test]
async fn a_consumer_deleted_by_an_operator_starts_over() {
    let world = World::start().await;
    let fact = site(&world.log("web").await, "docs").await;
    let (process, mut facts) = listen(world.log("syncer").await, brisk());
    assert_eq!(within(facts.recv()).await.unwrap(), fact);
    within(async { while unanswered(&world).await > 0 {} }).await;
    let (raw, _) = world.raw("ctl").await;
    let stream = async_nats::jetstream::new(raw).get_stream("EVENTS").await.unwrap();
    stream.delete_consumer("syncer").await.unwrap();
    assert_eq!(within(facts.recv()).await.unwrap(), fact);
    process.stop().await;
}
