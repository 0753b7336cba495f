//! A long history in a real log, and the read model of it.

#[path = "../bench/log.rs"]
#[allow(dead_code, reason = "a measurement needs more of it")]
mod log;
#[path = "../bench/read_model.rs"]
#[allow(dead_code, reason = "a measurement needs more of it")]
mod read_model;

use events::{BuildEvent, Event, Recorded};
use journeys::{History, eventually};
use log::FilledLog;
use read_model::ReadModel;
use servers::postgres::Role;
use tokio_util::sync::CancellationToken;

/// So few that an empty model follows them: a longer past would be a rebuild from the start.
const FACTS: u64 = 9_000;
const SITES: usize = 150;

#[tokio::test(flavor = "multi_thread")]
async fn made_anew_the_read_model_is_what_was_kept_up_to_date() {
    let model = followed_and_made_anew(History::new(3, FACTS, SITES)).await;
    assert_eq!(model.failures, [0; 0]);
    assert_eq!(model.sites, SITES);
}

/// A build of a source that no column can hold, which is seen when its row is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_postgres_cannot_hold_is_found_by_a_rebuild_too() {
    let mut spoiled = 0;
    let history = History::new(4, 2_000, 20).map(|mut fact| {
        if let Event::Build(BuildEvent::Queued { source_sequence, .. }) = &mut fact.event
            && fact.sequence > 1_000
            && spoiled == 0
        {
            *source_sequence = u64::MAX;
            spoiled = fact.sequence;
        }
        fact
    });
    let model = followed_and_made_anew(history.collect::<Vec<_>>().into_iter()).await;
    assert_eq!(model.failures, [spoiled]);
}

/// What there is to see of a model.
struct Seen {
    sites: usize,
    failures: Vec<u64>,
}

/// Follows a history, makes the model anew, and compares the two.
async fn followed_and_made_anew(history: impl Iterator<Item = Recorded>) -> Seen {
    let log = FilledLog::new(history).await;
    let model = ReadModel::new(log.folder()).await;
    let (service, stop) = (log.log("projector").await, CancellationToken::new());
    let (store, following) = (model.store.clone(), service.clone());
    let projector = tokio::spawn({
        let stop = stop.clone();
        async move { projector::run(following, store, Role::Reader.name(), stop).await }
    });
    let (live, end) = (model.store.live(), service.last_sequence().await.unwrap());
    let is_level = async || (live.position().await.unwrap() == end).then_some(());
    eventually("the live model to be level with the log", is_level).await;
    stop.cancel();
    projector.await.unwrap();
    let kept = live.digest().await.unwrap();

    assert_eq!(projector::rebuild(&service, &model.store).await.unwrap(), end);
    assert_eq!(live.digest().await.unwrap(), kept);
    let failures = live.failures(10).await.unwrap().iter().map(|failure| failure.sequence).collect();
    let sites = live.sites(&projections::Sight::All, "", 1000, None).await.unwrap().len();
    model.stop().await;
    log.stop().await;
    Seen { sites, failures }
}
