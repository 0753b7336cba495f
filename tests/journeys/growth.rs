//! A platform with a past: what a push leads to and what it costs does not depend on how much has happened before.

use journeys::{FOLDS, Grown, History, Service};
use std::time::Duration;

const FACTS: u64 = 20_000;
const SITES: usize = 400;
const FOUNDED: usize = 4;
const PUSHES: usize = 12;
/// A push, and what is stated of it: queued, dispatched, started, checked out, finished, archived, synced, promoted, mirrored.
const FACTS_OF_A_PUSH: u64 = 10;
/// An organization and a site, the claims on their names, and a first build, which is what a push leads to without the push.
const FACTS_OF_A_SITE: u64 = 13;

#[tokio::test(flavor = "multi_thread")]
async fn a_long_past_changes_nothing_for_a_push_and_is_not_read_again() {
    let mut grown = Grown::start(History::new(5, FACTS, SITES)).await;
    // One fact more than the past: the one that tells when every fold is level. The scheduler has nothing to say to a past
    // in which everything has come to its end.
    assert_eq!(grown.level(|_| {}).await, FACTS + 1);
    let said = grown.fleet.said(Service::Projector);
    assert!(said.contains("made from the whole log"), "the projector followed a long past from nothing: {said}");
    grown.found(FOUNDED).await;
    let before = FACTS + 1 + FACTS_OF_A_SITE * FOUNDED as u64;
    grown.until(before).await;
    // One after the other at each site, or a newer push would take the place of a build that waits.
    for _ in 0..PUSHES / FOUNDED {
        grown.push(FOUNDED, Duration::from_millis(100)).await;
    }
    grown.until(before + FACTS_OF_A_PUSH * PUSHES as u64).await;
    grown.stop_services().await;
    grown.start_services().await;
    let end = grown.level(|_| {}).await;
    assert_eq!(end, before + FACTS_OF_A_PUSH * PUSHES as u64 + 1, "nobody has said anything again");
    for fold in FOLDS {
        assert!(grown.read_on_after(fold) >= FACTS, "{fold:?} read the past again");
    }
    grown.push(FOUNDED, Duration::from_millis(100)).await;
}
