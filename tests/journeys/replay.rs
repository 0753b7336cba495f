//! A long history in a real log, and the read model of it.

#[path = "../bench/log.rs"]
#[allow(dead_code, reason = "a measurement needs more of it")]
mod log;
#[path = "../bench/read_model.rs"]
#[allow(dead_code, reason = "a measurement needs more of it")]
mod read_model;

use journeys::{History, eventually};
use log::FilledLog;
use read_model::ReadModel;
use servers::postgres::Role;
use tokio_util::sync::CancellationToken;

const FACTS: u64 = 12_000;
const SITES: usize = 150;

#[tokio::test(flavor = "multi_thread")]
async fn made_anew_the_read_model_is_what_was_kept_up_to_date() {
    let log = FilledLog::new(History::new(3, FACTS, SITES)).await;
    let model = ReadModel::new(log.folder()).await;
    let (service, stop) = (log.log("projector").await, CancellationToken::new());
    let (store, following) = (model.store.clone(), service.clone());
    let projector = tokio::spawn({
        let stop = stop.clone();
        async move { projector::run(following, store, Role::Reader.name(), stop).await }
    });
    let live = model.store.live();
    let is_level = async || (live.position().await.unwrap() == FACTS).then_some(());
    eventually("the live model to be level with the log", is_level).await;
    stop.cancel();
    projector.await.unwrap();
    let kept = live.digest().await.unwrap();
    assert_eq!(live.failures(1).await.unwrap(), []);
    assert_eq!(live.sites(&projections::Sight::All, 1000, None).await.unwrap().len(), SITES);

    assert_eq!(projector::rebuild(&service, &model.store).await.unwrap(), FACTS);
    assert_eq!(live.digest().await.unwrap(), kept);
    model.stop().await;
    log.stop().await;
}
