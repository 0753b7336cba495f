//! A newer build of a branch and the one that runs.

use super::*;
use events::{Building, CancelRunning};

fn choosing(story: &mut Story, cancel_running: CancelRunning) {
    let settings = SiteSettings {
        building: Building { cancel_running, ..Building::default() },
        ..settings("https://git.example/docs")
    };
    story.state(&site("docs").to_string(), SiteEvent::SettingsChanged { settings });
}

/// Two pushes of a branch, the second while a launcher works on the first: which ended, and by which the first was replaced.
fn pushed_twice(story: &mut Story, branch: &str) -> (BuildId, BuildId) {
    let first = story.push("docs", branch);
    story.settle(&Limits::default());
    story.build(first, &build::Command::Start { worker: "w".to_owned() });
    let second = story.push("docs", branch);
    (first, second)
}

#[test]
fn it_is_ended_for_a_preview_and_for_what_readers_see_only_if_the_site_wants_it() {
    for (choice, live, preview) in [
        (None, false, true),
        (Some(CancelRunning::Previews), false, true),
        (Some(CancelRunning::All), true, true),
        (Some(CancelRunning::None), false, false),
    ] {
        for (branch, is_ended) in [("main", live), ("fix", preview)] {
            let mut story = Story::new();
            story.site("docs", "acme");
            if let Some(choice) = choice {
                choosing(&mut story, choice);
            }
            let (first, second) = pushed_twice(&mut story, branch);
            story.settle(&Limits::default());
            assert_eq!(story.ended(first), is_ended, "{choice:?} {branch}");
            assert!(!story.ended(second), "{choice:?} {branch}");
        }
    }
}

#[test]
fn it_says_which_build_it_was_ended_for() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let (first, second) = pushed_twice(&mut story, "fix");
    // The first decision queues the newer build, the next one is about what runs.
    for decision in schedule(&story.queue, &Limits::default(), story.now) {
        let Decision::Build(id, command, _) = decision else { panic!("{decision:?}") };
        story.build(id, &command);
    }
    let decisions = schedule(&story.queue, &Limits::default(), story.now);
    let replaced = |decision: &Decision| {
        matches!(decision, Decision::Build(id, build::Command::Cancel { superseded_by, .. }, _)
            if *id == first && *superseded_by == Some(second))
    };
    assert!(decisions.iter().any(replaced), "{decisions:?}");
}

#[test]
fn a_push_that_is_not_built_ends_nothing_that_runs() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let first = story.push("docs", "fix");
    story.settle(&Limits::default());
    story.build(first, &build::Command::Start { worker: "w".to_owned() });
    let unwanted = RepositoryEvent::PushReceived {
        repository: "https://git.example/docs.git".parse().unwrap(),
        branch: "fix".parse().unwrap(),
        before: None,
        commit: "b".repeat(40).parse().unwrap(),
        summary: "typo [skip ci]".to_owned(),
        delivery: "unwanted".to_owned(),
        skip: true,
        paths: None,
        site: None,
        pull_request: None,
    };
    story.state("repository", unwanted);
    story.settle(&Limits::default());
    assert!(!story.ended(first));
}

#[test]
fn one_that_is_given_back_meanwhile_is_ended_all_the_same() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let (first, _) = pushed_twice(&mut story, "fix");
    for decision in schedule(&story.queue, &Limits::default(), story.now) {
        let Decision::Build(id, command, _) = decision else { panic!("{decision:?}") };
        story.build(id, &command);
    }
    story.build(first, &build::Command::Interrupt { attempt: 1, reason: "The store is away.".to_owned() });
    story.settle(&Limits::default());
    assert!(story.ended(first));
}
