//! A model made anew beside the live one, and swapped in under readers.

use crate::apply::whole_story;
use crate::database::{Database, connect, facts, place};
use crate::fixture::{Story, site_id};
use projections::{Applied, Error, Readiness, Rebuild, Store};
use servers::postgres::Role;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

#[tokio::test]
async fn rebuilt_from_empty_it_is_what_was_live() {
    let database = Database::new().await;
    let batch = facts(&whole_story());
    for item in &batch {
        database.live().apply(std::slice::from_ref(item)).await.unwrap();
    }
    let live = database.live().digest().await.unwrap();
    let mut rebuild = Rebuild::begin(&database.store).await.unwrap();
    for part in batch.chunks(5) {
        rebuild.apply(part).await.unwrap();
    }
    rebuild.finish_indexes().await.unwrap();
    assert_eq!(rebuild.model().digest().await.unwrap(), live);
    assert_eq!(rebuild.swap().await.unwrap(), 13);
    assert_eq!(database.live().digest().await.unwrap(), live);
    assert_eq!(schemas(&database).await, ["pagefold"]);
    assert_eq!(indexes(&database).await, 21);
}

/// A cause told twice, and a number that no column holds: what only Postgres or the last moment can tell.
#[tokio::test]
async fn what_postgres_cannot_hold_is_found_when_a_rebuild_begins_again() {
    let database = Database::new().await;
    let mut story = Story::default();
    let builds = [(); 4].map(|()| story.next_build());
    let batch = facts(&[
        story.site_created("docs"),
        story.queued("docs", builds[0], 1),
        story.queued("docs", builds[1], 1),
        story.queued("docs", builds[2], u64::MAX),
        story.queued("docs", builds[3], 2),
    ]);
    database.live().apply(&batch).await.unwrap();
    let live = database.live().digest().await.unwrap();
    let mut rebuild = Rebuild::begin(&database.store).await.unwrap();
    assert!(rebuild.apply(&batch).await.unwrap_err().is_of_the_fact());
    assert!(matches!(rebuild.apply(&batch).await, Err(Error::RebuildFailed)), "half of it is not gone on with");
    assert!(matches!(rebuild.swap().await, Err(Error::RebuildFailed)), "nor shown");
    rebuild.begin_again().await.unwrap();
    rebuild.apply(&batch).await.unwrap();
    assert_eq!(rebuild.swap().await.unwrap(), 5);
    assert_eq!(database.live().digest().await.unwrap(), live);
    assert_eq!(indexes(&database).await, 21);
}

/// More rows than are kept in memory while a model is made, and facts about all of them again and again.
#[tokio::test]
async fn rows_that_left_memory_are_changed_all_the_same() {
    const BUILDS: usize = 100;
    let (mut story, mut log) = (Story::default(), Vec::new());
    let builds = [(); BUILDS].map(|()| story.next_build());
    for (number, build) in (1..).zip(builds) {
        let site = format!("site-{number}");
        log.push(story.site_created(&site));
        log.push(story.queued(&site, build, number));
        log.push(story.synced(&site, build, number));
        log.push(story.promoted(&site, build, number));
    }
    for (number, build) in (1..).zip(builds) {
        let site = format!("site-{number}");
        log.push(story.mirrored(&site, build));
        log.push(story.archived(&site, build));
        log.push(story.removed(&site, build));
        log.push(story.site(&site, events::SiteEvent::Deleted {}));
    }
    let (database, log) = (Database::new().await, facts(&log));
    database.live().apply(&log).await.unwrap();
    let live = database.live().digest().await.unwrap();
    let mut rebuild = Rebuild::begin(&database.store).await.unwrap();
    for part in log.chunks(7) {
        rebuild.apply(part).await.unwrap();
    }
    rebuild.swap().await.unwrap();
    assert_eq!(database.live().digest().await.unwrap(), live);
}

/// Readers ask several tables of one pool with prepared statements while models are swapped and facts applied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_never_fail_while_models_are_swapped() {
    const SWAPS: u64 = 12;
    let database = Database::new().await;
    let mut log = facts(&whole_story()[..10]);
    database.live().apply(&log).await.unwrap();
    let (over, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let readers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(read_on(database.url(Role::Reader), Arc::clone(&over), Arc::clone(&reads))))
        .collect();
    for sequence in 11..=10 + SWAPS {
        let mut rebuild = begin(&database).await;
        rebuild.apply(&log).await.unwrap();
        rebuild.finish_indexes().await.unwrap();
        // The live projector goes on during the swap: it comes to the lock before it or after it.
        log.push(Applied::Unknown { position: place(sequence), type_name: "later".to_owned() });
        let (live, next) = (database.live(), log.last().map(std::slice::from_ref).unwrap());
        let (swapped, applied) = tokio::join!(rebuild.swap(), live.apply(next));
        assert_eq!(applied.unwrap(), sequence);
        if let Err(error) = swapped {
            assert!(matches!(error, Error::Behind { .. }), "{error:?}");
            rebuild.apply(&log).await.unwrap();
            rebuild.swap().await.unwrap();
        }
    }
    over.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(reads.load(Ordering::Relaxed) > 100, "{reads:?} reads prove little");
}

async fn read_on(url: secrecy::SecretString, over: Arc<AtomicBool>, reads: Arc<AtomicU64>) {
    let store = Store::connect(&url, 1).await.unwrap();
    let (model, docs) = (store.live(), site_id("docs"));
    let mut seen = 0;
    while !over.load(Ordering::Relaxed) {
        assert_eq!(model.sites(&projections::Sight::All, "", 10, None).await.unwrap().len(), 1);
        assert_eq!(model.builds(docs, 10, None).await.unwrap().len(), 2);
        assert_eq!(model.deploys(docs, 10, None).await.unwrap().len(), 1);
        let position = model.position().await.unwrap();
        assert!(position >= seen, "from {seen} back to {position}");
        seen = position;
        reads.fetch_add(4, Ordering::Relaxed);
    }
}

/// The projector waits for the table of the model that is about to go, and must go on with the one that came.
#[tokio::test]
async fn a_projector_that_waited_for_a_swap_goes_on_with_the_new_model() {
    let database = Database::new().await;
    let batch = facts(&whole_story());
    database.live().apply(&batch[..4]).await.unwrap();
    let mut rebuild = Rebuild::begin(&database.store).await.unwrap();
    rebuild.apply(&batch[..9]).await.unwrap();
    rebuild.finish_indexes().await.unwrap();

    // Hold the live position until swap and projector both wait for it, in this order.
    let mut holder = connect(&database.url(Role::Owner)).await;
    sqlx::raw_sql("BEGIN; LOCK TABLE pagefold.position IN EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
    let live = database.live();
    let release = async {
        sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    };
    let swap_then_apply = async {
        let waits = |count| waiting(&database, count);
        tokio::join!(rebuild.swap(), async {
            waits(1).await;
            tokio::join!(live.apply(&batch[4..]), async {
                waits(2).await;
                release.await;
            })
            .0
        })
    };
    let (swapped, applied) = swap_then_apply.await;
    assert_eq!((swapped.unwrap(), applied.unwrap()), (9, 13));
    let whole = Database::new().await;
    whole.live().apply(&batch).await.unwrap();
    assert_eq!(database.live().digest().await.unwrap(), whole.live().digest().await.unwrap());
}

/// Returns when `count` sessions wait for a lock on a table.
async fn waiting(database: &Database, count: i64) {
    let mut connection = connect(&database.url(Role::Administrator)).await;
    for _ in 0..2000 {
        let sql = "SELECT count(*) FROM pg_locks JOIN pg_database base ON base.oid = database
                   WHERE NOT granted AND datname = current_database()";
        if sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut connection).await.unwrap() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{count} sessions never waited");
}

#[tokio::test]
async fn a_rebuild_that_is_behind_is_not_swapped_in() {
    let database = Database::new().await;
    let batch = facts(&whole_story());
    database.live().apply(&batch[..5]).await.unwrap();
    let mut rebuild = Rebuild::begin(&database.store).await.unwrap();
    rebuild.apply(&batch[..3]).await.unwrap();
    let refused = rebuild.swap().await.unwrap_err();
    assert!(matches!(refused, Error::Behind { next: 3, live: 5 }), "{refused:?}");
    rebuild.apply(&batch[3..]).await.unwrap();
    assert_eq!(rebuild.swap().await.unwrap(), 13);
}

#[tokio::test]
async fn only_one_rebuild_runs_and_an_abandoned_one_is_cleared() {
    let database = Database::new().await;
    let batch = facts(&whole_story());
    let mut first = Rebuild::begin(&database.store).await.unwrap();
    first.apply(&batch).await.unwrap();
    assert!(matches!(Rebuild::begin(&database.store).await, Err(Error::RebuildRunning)));
    drop(first);
    let second = begin(&database).await;
    assert_eq!(second.model().position().await.unwrap(), 0);
}

#[tokio::test]
async fn an_older_live_model_is_stale_until_it_is_rebuilt_and_a_newer_one_is_refused() {
    let database = Database::new().await;
    database.run("UPDATE pagefold.version SET number = 1; ALTER TABLE pagefold.builds DROP COLUMN lane").await;
    let mut story = Story::default();
    assert_eq!(database.store.prepare(None).await.unwrap(), Readiness::Stale { found: 1 });
    let mut rebuild = Rebuild::begin(&database.store).await.unwrap();
    rebuild.apply(&facts(&[story.site_created("docs")])).await.unwrap();
    rebuild.swap().await.unwrap();
    assert_eq!(database.store.prepare(None).await.unwrap(), Readiness::Ready);
    database.run("UPDATE pagefold.version SET number = 99").await;
    assert!(matches!(database.store.prepare(None).await, Err(Error::Newer { found: 99, .. })));
}

async fn schemas(database: &Database) -> Vec<String> {
    let sql = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'pagefold%' ORDER BY 1";
    sqlx::query_scalar(sql).fetch_all(&mut connect(&database.url(Role::Owner)).await).await.unwrap()
}

async fn indexes(database: &Database) -> i64 {
    let sql = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'pagefold' AND indexname NOT LIKE '%_pkey'";
    sqlx::query_scalar(sql).fetch_one(&mut connect(&database.url(Role::Owner)).await).await.unwrap()
}

/// Begins as soon as the connection of the rebuild before is gone: Postgres notices that in its own time.
pub(crate) async fn begin(database: &Database) -> Rebuild {
    loop {
        match Rebuild::begin(&database.store).await {
            Ok(rebuild) => break rebuild,
            Err(Error::RebuildRunning) => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(error) => panic!("{error:?}"),
        }
    }
}
