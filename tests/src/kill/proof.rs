//! What must hold after every case.

use super::stage::Stage;
use crate::{Fact, eventually};
use projections::Store;
use std::collections::BTreeMap;

/// Attempts that one death may cost, and one more for the fact that was in somebody else's hands.
const ATTEMPTS_MAX: usize = 3;

/// A push that is the newest of its branch: taken in once, built to one end, live by one promotion.
pub(super) fn one_page(stage: &Stage, push: &str) {
    let story = story(stage, push);
    for once in ["repository.push_received", "build.queued", "deploy.synced", "alias.promoted"] {
        assert_eq!(count(&story, once), 1, "`{once}` in the story of the push: {}", told(&story));
    }
    let ends = story.iter().filter(|fact| fact.is_end()).count();
    assert_eq!(ends, 1, "ends of the build: {}", told(&story));
    let started = count(&story, "build.started");
    assert!((1..=ATTEMPTS_MAX).contains(&started), "{started} attempts: {}", told(&story));
}

/// The facts of a push's story.
pub(super) fn story(stage: &Stage, push: &str) -> Vec<Fact> {
    stage.facts().into_iter().filter(|fact| fact.correlation == push).collect()
}

pub(super) fn count(facts: &[Fact], name: &str) -> usize {
    facts.iter().filter(|fact| fact.name() == name).count()
}

/// The names of facts, for a person.
pub(super) fn told(facts: &[Fact]) -> String {
    facts.iter().map(Fact::name).collect::<Vec<_>>().join(", ")
}

/// The whole of the log so far: every build has ended once, nothing was promoted twice, nothing is parked, and the read
/// model says what one says that is made of the log from nothing.
pub(super) async fn whole(stage: &Stage) {
    let facts = stage.facts();
    for queued in facts.iter().filter(|fact| fact.name() == "build.queued") {
        let ends = facts.iter().filter(|fact| fact.is_end() && fact.subject == queued.subject).count();
        assert_eq!(ends, 1, "ends of the build {}", queued.data["number"]);
    }
    let mut promoted: BTreeMap<String, usize> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.name() == "alias.promoted") {
        *promoted.entry(format!("{} {}", fact.subject, fact.data["deploy"])).or_default() += 1;
    }
    assert!(promoted.values().all(|times| *times == 1), "promoted twice: {promoted:?}");
    let parked = stage.operator(&["parked", "list", "--json"]);
    assert!(parked.is_empty(), "something is parked: {parked}");
    same_when_made_anew(stage).await;
}

async fn same_when_made_anew(stage: &Stage) {
    let store = Store::connect(&stage.ready().postgres.clone().into(), 1).await.unwrap();
    let live = store.live();
    let both = async || {
        let last = stage.facts().last().unwrap().sequence();
        if live.position().await.ok()? < last {
            return None;
        }
        let followed = live.digest().await.unwrap();
        let told = stage.operator(&["projections", "rebuild"]);
        assert!(told.contains("is live"), "{told}");
        let made = live.digest().await.unwrap();
        // A fact that came between the two would tell them apart.
        (followed["position"] == made["position"]).then_some((followed, made))
    };
    let (followed, made) = eventually("the read model to be level with the log", both).await;
    assert_eq!(followed, made, "the live read model and one that is made anew");
    store.close().await;
}
