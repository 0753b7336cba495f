use super::*;
use events::{Aggregate, Alias, Build, Deploy};
use std::collections::BTreeMap;

#[test]
fn the_same_seed_tells_the_same_facts() {
    let told = |seed| History::new(seed, 3000, 20).collect::<Vec<_>>();
    assert_eq!(told(1), told(1));
    assert_ne!(told(1), told(2));
}

#[test]
fn it_is_as_long_as_asked_and_has_no_gaps() {
    for facts in [0, 1, 12, 13, 100, 3001] {
        let sequences: Vec<u64> = History::new(1, facts, 20).map(|fact| fact.sequence).collect();
        assert_eq!(sequences, (1..=facts).collect::<Vec<_>>());
    }
}

/// The state of each aggregate, as its own rules fold it.
fn folded<A: Aggregate>(history: &[Recorded]) -> BTreeMap<&str, A> {
    let mut states: BTreeMap<&str, A> = BTreeMap::new();
    for fact in history.iter().filter(|fact| A::narrow(&fact.event).is_some()) {
        let state = states.entry(&fact.envelope.subject).or_default();
        *state = state.clone().fold(&fact.event);
    }
    states
}

#[test]
fn every_build_has_ended_and_what_is_shown_is_stored() {
    let history: Vec<Recorded> = History::new(7, 20_000, 50).collect();
    let (builds, deploys, aliases) = (folded::<Build>(&history), folded::<Deploy>(&history), folded::<Alias>(&history));
    assert!(builds.len() > 1500 && builds.values().all(|build| matches!(build, Build::Ended { .. })));
    assert!(aliases.len() > 100 && aliases.values().any(|alias| alias.deploy.is_none()), "previews go");
    for shown in aliases.values().filter_map(|alias| alias.deploy.as_ref()) {
        assert_ne!(deploys[shown.as_str()], Deploy::default());
    }
}
