//! Pushes that come more than once, or while another is built.

use super::proof;
use super::stage::Stage;

/// A git host that is not sure delivers again, at the same time.
pub(super) async fn three_deliveries(stage: &mut Stage) {
    let reader = stage.reader(false);
    let (delivery, page) = stage.commit();
    let sent = [stage.send(&delivery), stage.send(&delivery), stage.send(&delivery)];
    let mut pushes = Vec::new();
    for sent in sent {
        pushes.push(stage.taken(sent, &delivery).await);
    }
    assert!(pushes.iter().all(|push| *push == pushes[0]), "one fact for all: {pushes:?}");
    reader.shows(page).await;
    stage.told(&pushes[0]).await;
    proof::one_page(stage, &pushes[0]);
    proof::whole(stage).await;
    assert_eq!(reader.checked(), page);
}

/// The build of the first push is about to end when two more come.
pub(super) async fn two_pushes_while_one_builds(stage: &mut Stage) {
    let reader = stage.reader(false);
    let hold = stage.arm("before-build.finished");
    let (first, _) = stage.commit();
    let first = stage.deliver(&first).await;
    hold.reached().await;
    let (second, _) = stage.commit();
    let second = stage.deliver(&second).await;
    let (third, page) = stage.commit();
    let third = stage.deliver(&third).await;
    drop(hold);
    reader.shows(page).await;
    stage.told(&third).await;
    for push in [&first, &second] {
        stage.until(push, "build.log_archived").await;
        let promoted = proof::count(&proof::story(stage, push), "alias.promoted");
        assert!(promoted <= 1, "an older push is shown once at most");
    }
    proof::one_page(stage, &third);
    proof::whole(stage).await;
    assert_eq!(reader.checked(), page);
}

/// The build of an older push ends when a newer one is live.
pub(super) async fn late_older_build(stage: &mut Stage) {
    let reader = stage.reader(false);
    let hold = stage.arm("before-build.finished");
    let (older, _) = stage.commit();
    let older = stage.deliver(&older).await;
    hold.reached().await;
    let (newer, page) = stage.commit();
    let newer = stage.deliver(&newer).await;
    reader.shows(page).await;
    drop(hold);
    stage.told(&newer).await;
    stage.until(&older, "build.log_archived").await;
    proof::one_page(stage, &newer);
    proof::whole(stage).await;
    assert_eq!(proof::count(&proof::story(stage, &older), "alias.promoted"), 0, "the older push is never shown");
    assert_eq!(reader.checked(), page);
}
