//! The operator's shelf: what cannot be done, why, and another chance.

use crate::consumer::{Process, brisk, work};
use crate::world::{World, cause, create, site, within};
use async_nats::HeaderMap;
use events::{Recorded, Site};
use runtime::consumer::{Consumer, Failure, run_with};
use runtime::parked::{self, Parked};
use runtime::{Connection, Error, ExecuteError, Log};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Waits until `count` messages are on the shelf.
async fn shelf(operator: &Connection, count: usize) -> Vec<Parked> {
    within(async {
        loop {
            let found = parked::list(operator).await.unwrap();
            if found.len() == count {
                return found;
            }
        }
    })
    .await
}

/// Parks everything until the world is `mended`; tells what it did.
fn parking(log: Log, mended: Arc<AtomicBool>) -> (Process, mpsc::UnboundedReceiver<Recorded>) {
    let (done, facts) = mpsc::unbounded_channel();
    let process = work(log, 1, brisk(), move |recorded| {
        let (mended, done) = (mended.load(Ordering::SeqCst), done.clone());
        async move {
            if !mended {
                return Err(Failure::Park("the bucket is \u{201c}gone\u{201d}\nfor good".into()));
            }
            done.send(recorded).unwrap();
            Ok(())
        }
    });
    (process, facts)
}

#[tokio::test]
async fn what_cannot_be_done_is_parked_at_once_with_its_reason() {
    let world = World::start().await;
    let operator = world.connection("ctl").await;
    let fact = site(&world.log("web").await, "docs").await;
    let (process, mut facts) = parking(world.log("syncer").await, Arc::default());
    let found = shelf(&operator, 1).await.remove(0);
    assert_eq!((found.consumer.as_str(), found.sequence, found.deliveries), ("syncer", 1, 1));
    assert_eq!((found.event_type, found.subject), (fact.event.type_name(), "docs".to_owned()));
    assert_eq!(found.reason, "the bucket is \u{201c}gone\u{201d}\nfor good");
    assert!((found.parked_at - fact.envelope.time).abs() < time::Duration::MINUTE);

    assert_eq!(parked::discard(&operator, found.id).await.unwrap().id, found.id);
    assert_eq!(parked::list(&operator).await.unwrap(), []);
    for gone in [found.id, 99] {
        assert!(matches!(parked::retry(&operator, gone).await, Err(Error::Rejected { code: 404, .. })));
        assert!(matches!(parked::discard(&operator, gone).await, Err(Error::Rejected { code: 404, .. })));
    }
    process.stop().await;
    assert!(facts.try_recv().is_err());
}

#[tokio::test]
async fn what_always_fails_is_parked_after_its_last_delivery() {
    let world = World::start().await;
    let operator = world.connection("ctl").await;
    site(&world.log("web").await, "docs").await;
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let process = work(world.log("syncer").await, 1, brisk(), move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Err(Failure::Retry(Error::Contended { subject: "x".to_owned() }.into())) }
    });
    let found = shelf(&operator, 1).await.remove(0);
    assert_eq!((found.deliveries, tries.load(Ordering::SeqCst)), (3, 3));
    assert_eq!(found.reason, "other writers kept changing `x`");
    process.stop().await;
}

#[tokio::test]
async fn a_fact_that_brings_every_worker_down_is_parked_too() {
    let world = World::start().await;
    let operator = world.connection("ctl").await;
    site(&world.log("web").await, "docs").await;
    let process = work(world.log("syncer").await, 1, brisk(), |_| async { panic!("the worker falls") });
    let found = shelf(&operator, 1).await.remove(0);
    assert!(found.reason.contains("fell silent"), "{found:?}");
    process.stop().await;
}

struct Other(mpsc::UnboundedSender<Recorded>);

impl Consumer for Other {
    const NAME: &'static str = "launcher";
    const HEARS: &'static [&'static str] = &["site"];

    async fn handle(&self, recorded: Recorded) -> Result<(), Failure> {
        self.0.send(recorded).unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn a_retry_reaches_only_the_consumer_that_could_not() {
    let world = World::start().await;
    let operator = world.connection("ctl").await;
    let fact = site(&world.log("web").await, "docs").await;
    let (heard, mut elsewhere) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let other = tokio::spawn(run_with(world.log("launcher").await, Other(heard), 1, brisk(), stop.clone()));
    assert_eq!(within(elsewhere.recv()).await.unwrap(), fact);
    let mended = Arc::new(AtomicBool::new(false));
    let (process, mut facts) = parking(world.log("syncer").await, mended.clone());
    let first = shelf(&operator, 1).await.remove(0);

    // Tried again too early it is on the shelf again, at once and with all that is known of it.
    parked::retry(&operator, first.id).await.unwrap();
    let second = within(async {
        loop {
            let found = shelf(&operator, 1).await.remove(0);
            if found.id != first.id {
                return found;
            }
        }
    })
    .await;
    assert_eq!(Parked { id: first.id, parked_at: first.parked_at, ..second.clone() }, first);

    mended.store(true, Ordering::SeqCst);
    parked::retry(&operator, second.id).await.unwrap();
    assert_eq!(within(facts.recv()).await.unwrap(), fact);
    assert_eq!(parked::list(&operator).await.unwrap(), []);
    process.stop().await;
    stop.cancel();
    within(other).await.unwrap().unwrap();
    assert!(elsewhere.try_recv().is_err());
    assert_eq!(world.log("web").await.last_sequence().await.unwrap(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_parked_and_stays_unreadable() {
    let world = World::start().await;
    let operator = world.connection("ctl").await;
    let (raw, _) = world.raw("web").await;
    let mut headers = HeaderMap::new();
    headers.insert("ce-type", "dev.pagefold.site.created.v1");
    headers.insert("ce-subject", "docs");
    raw.request_with_headers("events.site.docs", headers, "{}".into()).await.unwrap();
    let (process, mut facts) = parking(world.log("syncer").await, Arc::new(AtomicBool::new(true)));
    let first = shelf(&operator, 1).await.remove(0);
    assert_eq!(first.reason, "attribute `time` is missing");
    parked::retry(&operator, first.id).await.unwrap();
    let second = shelf(&operator, 1).await.remove(0);
    assert_eq!(Parked { id: first.id, parked_at: first.parked_at, ..second }, first);
    process.stop().await;
    assert!(facts.try_recv().is_err());
}

#[tokio::test]
async fn a_fact_of_a_newer_version_waits_for_it_and_holds_up_nobody() {
    let world = World::start().await;
    let (operator, web) = (world.connection("ctl").await, world.log("web").await);
    let known = site(&web, "docs").await;
    let (raw, _) = world.raw("web").await;
    let stored = async_nats::jetstream::new(raw.clone()).get_stream("EVENTS").await.unwrap();
    let mut headers = stored.direct_get(1).await.unwrap().headers;
    headers.insert("ce-type", "dev.pagefold.site.painted.v1");
    headers.insert("Nats-Msg-Id", "painted");
    raw.request_with_headers("events.site.blog", headers, "{}".into()).await.unwrap();
    let last = site(&web, "last").await;
    let (process, mut facts) = parking(world.log("syncer").await, Arc::new(AtomicBool::new(true)));
    assert_eq!(within(facts.recv()).await.unwrap(), known);
    assert_eq!(within(facts.recv()).await.unwrap(), last);
    // It is offered more often than a failing fact would be, and is neither done nor parked.
    let stream = async_nats::jetstream::new(world.raw("ctl").await.0).get_stream("EVENTS").await.unwrap();
    within(async {
        loop {
            let info = stream.consumer_info("syncer").await.unwrap();
            assert_eq!(info.ack_floor.stream_sequence, 1);
            if info.delivered.consumer_sequence > 2 + 2 * brisk().deliveries_max {
                return;
            }
        }
    })
    .await;
    assert_eq!(parked::list(&operator).await.unwrap(), []);
    process.stop().await;
    let refused = web.execute::<Site>("blog", &create("acme"), &cause()).await.unwrap_err();
    assert!(matches!(refused, ExecuteError::Failed(Error::Newer { .. })), "{refused:?}");
}

#[tokio::test]
async fn work_that_waited_for_a_newer_version_is_not_taken_for_work_that_fails() {
    let world = World::start().await;
    let operator = world.connection("ctl").await;
    let fact = site(&world.log("web").await, "docs").await;
    let waits = Arc::new(AtomicUsize::new(0));
    let counted = waits.clone();
    let older = work(world.log("syncer").await, 1, brisk(), move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Err(Failure::Wait("a newer version has to".into())) }
    });
    within(async {
        while waits.load(Ordering::SeqCst) < 5 {
            tokio::time::sleep(brisk().newer_max).await;
        }
    })
    .await;
    older.stop().await;
    // The newer version may fail as often as any.
    let tries = Arc::new(AtomicUsize::new(0));
    let (done, mut facts) = mpsc::unbounded_channel();
    let counted = tries.clone();
    let newer = work(world.log("syncer").await, 1, brisk(), move |recorded| {
        let (tried, done) = (counted.fetch_add(1, Ordering::SeqCst), done.clone());
        async move {
            if tried == 0 {
                return Err(Failure::Retry("not yet".into()));
            }
            done.send(recorded).unwrap();
            Ok(())
        }
    });
    assert_eq!(within(facts.recv()).await.unwrap(), fact);
    newer.stop().await;
    assert_eq!(parked::list(&operator).await.unwrap(), []);
}
