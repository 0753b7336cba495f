//! Batches: once, whole, in order, and never stopped by one bad fact.

use crate::database::{Database, connect, facts, place};
use crate::fixture::Story;
use events::{BuildEvent, Outcome, Recorded, SiteEvent};
use projections::Sight;
use projections::failures::Kind;
use projections::{Applied, Error, timeline};
use servers::postgres::Role;

/// A site, a build that succeeds and goes live, a build that is canceled, an alias that goes.
pub(crate) fn whole_story() -> Vec<Recorded> {
    let mut story = Story::default();
    let (one, two) = (story.next_build(), story.next_build());
    vec![
        story.site_created("docs"),
        story.queued("docs", one, 1),
        story.dispatched("docs", one),
        story.queued("docs", two, 2),
        story.started("docs", one, 1),
        story.canceled("docs", two),
        story.finished("docs", one, Outcome::Success),
        story.synced("docs", one, 1),
        story.promoted("docs", one, 1),
        story.archived("docs", one),
        story.mirrored("docs", one),
        story.removed("docs", one),
        story.promoted("docs", one, 1),
    ]
}

#[tokio::test]
async fn applying_twice_is_applying_once() {
    let database = Database::new().await;
    let model = database.live();
    let batch = facts(&whole_story());
    let last = u64::try_from(batch.len()).unwrap();
    assert_eq!(model.apply(&batch).await.unwrap(), last);
    let once = model.digest().await.unwrap();
    assert_eq!(model.apply(&batch).await.unwrap(), last);
    assert_eq!(model.apply(&batch[3..7]).await.unwrap(), last);
    assert_eq!(model.apply(&[]).await.unwrap(), last);
    assert_eq!(model.digest().await.unwrap(), once);
    assert_eq!(model.position().await.unwrap(), last);
}

#[tokio::test]
async fn a_batch_that_overlaps_the_position_adds_only_what_is_new() {
    let (whole, overlapping) = (Database::new().await, Database::new().await);
    let batch = facts(&whole_story());
    whole.live().apply(&batch).await.unwrap();
    overlapping.live().apply(&batch[..6]).await.unwrap();
    overlapping.live().apply(&batch[2..]).await.unwrap();
    assert_eq!(overlapping.live().digest().await.unwrap(), whole.live().digest().await.unwrap());
}

#[tokio::test]
async fn a_gap_is_refused_and_changes_nothing() {
    let database = Database::new().await;
    let model = database.live();
    let batch = facts(&whole_story());
    model.apply(&batch[..2]).await.unwrap();
    let before = model.digest().await.unwrap();
    let refused = model.apply(&batch[4..]).await.unwrap_err();
    assert!(matches!(refused, Error::Gap { expected: 3, found: 5 }), "{refused:?}");
    assert_eq!(model.digest().await.unwrap(), before);
}

/// A summary that no Postgres text can hold.
fn poisoned(mut recorded: Recorded) -> Recorded {
    if let events::Event::Build(BuildEvent::Queued { summary, .. }) = &mut recorded.event {
        *summary = "before\0after".to_owned();
    }
    recorded
}

#[tokio::test]
async fn poison_in_the_middle_is_recorded_and_the_rest_is_applied() {
    let database = Database::new().await;
    let model = database.live();
    let mut story = Story::default();
    let (one, two) = (story.next_build(), story.next_build());
    let mut batch = facts(&[
        story.site_created("docs"),
        story.queued("docs", one, 1),
        poisoned(story.queued("docs", two, 2)),
        story.started("docs", one, 1),
        story.tell("no-uuid", "service:launcher", BuildEvent::Dispatched { site: crate::fixture::site_id("docs") }),
        story.canceled("docs", two),
    ]);
    batch.push(Applied::Unknown { position: place(7), type_name: "dev.pagefold.site.renamed.v1".to_owned() });
    batch.push(Applied::Poison { position: place(8), reason: "malformed \0 payload".to_owned() });
    assert_eq!(model.apply(&batch).await.unwrap(), 8);

    let failures = model.failures(10).await.unwrap();
    let noted: Vec<(u64, Kind)> = failures.iter().map(|failure| (failure.sequence, failure.kind)).collect();
    assert_eq!(noted, [(8, Kind::Poison), (7, Kind::Unknown), (5, Kind::Poison), (3, Kind::Poison)]);
    assert_eq!(failures[2].reason, "subject `no-uuid` does not name a build");
    assert!(failures[3].reason.contains("Unicode"), "{}", failures[3].reason);

    let told = model.events(&timeline::Query { limit: 10, ..Default::default() }, &Sight::All).await.unwrap();
    assert_eq!(told.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2, 4, 6]);
    assert_eq!(model.build(one).await.unwrap().unwrap().attempt, 1);
    assert_eq!(model.build(two).await.unwrap(), None);
    let next = facts(&[story.site("docs", SiteEvent::Deleted {})]);
    assert!(matches!(model.apply(&next).await, Err(Error::Gap { expected: 9, found: 7 }) | Ok(8)));
}

#[tokio::test]
async fn what_is_poison_does_not_depend_on_the_cut() {
    let mut story = Story::default();
    let builds = [(); 9].map(|()| story.next_build());
    let batch: Vec<Applied> = (1..)
        .zip(builds)
        .map(|(number, id)| {
            let queued = story.queued("docs", id, number);
            Applied::Fact(if number % 4 == 0 { poisoned(queued) } else { queued })
        })
        .collect();
    let (whole, single) = (Database::new().await, Database::new().await);
    whole.live().apply(&batch).await.unwrap();
    for item in &batch {
        single.live().apply(std::slice::from_ref(item)).await.unwrap();
    }
    assert_eq!(whole.live().failures(10).await.unwrap().len(), 2);
    assert_eq!(single.live().digest().await.unwrap(), whole.live().digest().await.unwrap());
}

/// What only Postgres or the last moment can tell: a cause told twice, and a number that no column holds.
#[tokio::test]
async fn what_turns_out_late_to_be_poison_takes_nothing_with_it() {
    let database = Database::new().await;
    let model = database.live();
    let mut story = Story::default();
    let builds = [(); 4].map(|()| story.next_build());
    let batch = facts(&[
        story.queued("docs", builds[0], 1),
        story.queued("docs", builds[1], 1),
        story.queued("docs", builds[2], u64::MAX),
        story.queued("docs", builds[3], 2),
    ]);
    model.apply(&batch).await.unwrap();
    let noted: Vec<u64> = model.failures(10).await.unwrap().iter().map(|failure| failure.sequence).collect();
    assert_eq!(noted, [3, 2]);
    assert_eq!(model.builds(crate::fixture::site_id("docs"), 10, None).await.unwrap().len(), 2);
}

/// Read whole while it is short, a table would go on being read whole when it no longer is.
#[tokio::test]
async fn a_batch_never_reads_a_table_whole() {
    /// Each index of a table read it whole when it was made.
    const INDEXES_MAX: i64 = 5;
    let database = Database::new().await;
    let mut story = Story::default();
    for number in 1..=20 {
        let build = story.next_build();
        let batch = facts(&[
            story.site_created(&format!("site-{number}")),
            story.queued("docs", build, number),
            story.synced("docs", build, number),
            story.promoted("docs", build, number),
        ]);
        database.live().apply(&batch).await.unwrap();
    }
    // What a connection has counted is told when it ends.
    database.store.close().await;
    let mut asking = connect(&database.url(Role::Administrator)).await;
    let scans = "SELECT relname::text, seq_scan, idx_scan FROM pg_stat_user_tables
                 WHERE relname IN ('sites', 'builds', 'deploys', 'aliases') ORDER BY relname";
    let told: Vec<(String, i64, i64)> = loop {
        let told: Vec<(String, i64, i64)> = sqlx::query_as(scans).fetch_all(&mut asking).await.unwrap();
        if told.iter().all(|(_, whole, by_key)| whole + by_key >= 20) {
            break told;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    for (table, whole, _) in told {
        assert!(whole <= INDEXES_MAX, "`{table}` was read whole {whole} times");
    }
}

#[tokio::test]
async fn two_projectors_at_once_apply_each_fact_once() {
    let (raced, calm) = (Database::new().await, Database::new().await);
    let batch = facts(&whole_story());
    let (one, two) = (raced.live(), raced.live());
    let (first, second) = tokio::join!(one.apply(&batch), two.apply(&batch));
    assert_eq!((first.unwrap(), second.unwrap()), (13, 13));
    calm.live().apply(&batch).await.unwrap();
    assert_eq!(raced.live().digest().await.unwrap(), calm.live().digest().await.unwrap());
}

#[tokio::test]
async fn a_failure_of_postgres_is_no_poison() {
    let database = Database::new().await;
    let model = database.live();
    database.run("ALTER TABLE pagefold.builds RENAME TO hidden").await;
    let batch = facts(&whole_story());
    let refused = model.apply(&batch).await.unwrap_err();
    assert!(matches!(refused, Error::Query { .. }), "{refused:?}");
    database.run("ALTER TABLE pagefold.hidden RENAME TO builds").await;
    assert_eq!((model.position().await.unwrap(), model.failures(1).await.unwrap()), (0, vec![]));
    assert_eq!(model.apply(&batch).await.unwrap(), 13);
}
