//! A case of the table: a push is made, something is killed at a point of its story, and comes back at once.

use super::proof;
use super::stage::{Stage, Target};
use crate::Service;

pub(super) async fn killed(stage: &mut Stage, point: &str, target: Target) {
    // Whoever serves the pages cannot answer while it is dead.
    let may_miss = matches!(target, Target::Up | Target::Service(Service::Edge));
    let mut reader = stage.reader(may_miss);
    let hold = stage.arm(point);
    let (delivery, page) = stage.commit();
    let sent = stage.send(&delivery);
    hold.reached().await;
    stage.kill(target).await;
    // The killed writer is gone; any other goes on, and finds what is dead.
    drop(hold);
    stage.start(target).await;
    if target == Target::Up {
        reader = stage.reader_after(reader, may_miss);
    }
    let push = stage.taken(sent, &delivery).await;
    reader.shows(page).await;
    stage.told(&push).await;
    stage.is_well().await;
    proof::one_page(stage, &push);
    proof::whole(stage).await;
    assert_eq!(reader.checked(), page);
}
