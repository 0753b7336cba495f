use super::*;
use crate::fixture::{Story, site_id};

fn folded(history: &[Recorded]) -> BuildRow {
    history.iter().fold(None, BuildRow::fold).unwrap()
}

#[test]
fn a_build_is_shown_from_the_queue_to_its_deploy() {
    let mut story = Story::default();
    let id = story.next_build();
    let history = [
        story.queued("docs", id, 1),
        story.dispatched("docs", id),
        story.started("docs", id, 1),
        story.finished("docs", id, Outcome::Success),
        story.archived("docs", id),
        story.synced("docs", id, 1),
    ];
    let states: Vec<State> = (1..=history.len()).map(|upto| folded(&history[..upto]).state).collect();
    use State::{Dispatched, Queued, Started, Success};
    assert_eq!(
        states,
        [Queued, Dispatched, Started, Started, Started, Success],
        "no success before its pages are stored"
    );
    let row = folded(&history);
    assert_eq!((row.created_at, row.started_at), (history[0].envelope.time, Some(history[2].envelope.time)));
    assert_eq!((row.ended_at, row.duration_ms), (Some(history[3].envelope.time), Some(1200)));
    assert_eq!((row.log_bytes, row.deploy), (Some(4096), Some(DeployId::of(id))));
    assert_eq!(row.sequence, history[5].sequence);
}

#[test]
fn a_build_is_about_its_commit_once_that_is_checked_out() {
    let mut story = Story::default();
    let id = story.next_build();
    let commit: CommitId = "c".repeat(40).parse().unwrap();
    let (title, author) = ("Fix the title".to_owned(), Some(Author::Name("Ada".to_owned())));
    let source = events::event::Source { commit: commit.clone(), title: title.clone(), author: author.clone() };
    let checked_out = BuildEvent::CheckedOut { site: site_id("docs"), attempt: 1, source };
    let history = [story.queued("docs", id, 1), story.started("docs", id, 1), story.build(id, checked_out)];
    assert_ne!(folded(&history[..2]).summary, title);
    let row = folded(&history);
    assert_eq!((row.summary, row.author, row.commit, row.state), (title, author, Some(commit), State::Started));
}

#[test]
fn every_outcome_has_its_own_state() {
    let shown: Vec<State> = [Outcome::Success, Outcome::Failure, Outcome::Error, Outcome::Timeout, Outcome::Skipped]
        .map(State::from)
        .into();
    assert_eq!(shown, [State::Success, State::Failure, State::Error, State::Timeout, State::Skipped]);
    assert!(shown.into_iter().all(State::has_ended));
}

#[test]
fn a_second_attempt_replaces_worker_and_start() {
    let mut story = Story::default();
    let id = story.next_build();
    let history = [story.queued("docs", id, 1), story.started("docs", id, 1), story.started("docs", id, 2)];
    let row = folded(&history);
    assert_eq!((row.attempt, row.worker.as_deref()), (2, Some("worker-2")));
    assert_eq!(row.started_at, Some(history[2].envelope.time));
}

#[test]
fn an_interrupted_build_waits_for_a_launcher_and_says_why_until_the_next_attempt() {
    let mut story = Story::default();
    let id = story.next_build();
    let reason = "The object store did not take the artifact in time.".to_owned();
    let mut history = vec![story.queued("docs", id, 1), story.dispatched("docs", id), story.started("docs", id, 1)];
    history
        .push(story.build(id, BuildEvent::Interrupted { site: site_id("docs"), attempt: 1, reason: reason.clone() }));
    let row = folded(&history);
    assert_eq!((row.state, row.reason, row.attempt), (State::Dispatched, reason, 1));
    history.push(story.started("docs", id, 2));
    let row = folded(&history);
    assert_eq!((row.state, row.reason.as_str(), row.attempt), (State::Started, "", 2));
}

#[test]
fn an_ended_build_stays_as_it_ended() {
    let mut story = Story::default();
    let id = story.next_build();
    let history = [story.queued("docs", id, 1), story.canceled("docs", id), story.finished("docs", id, Outcome::Error)];
    let row = folded(&history);
    assert_eq!((row.state, row.ended_at), (State::Canceled, Some(history[1].envelope.time)));
}

#[test]
fn facts_about_a_build_nobody_queued_make_no_row() {
    let mut story = Story::default();
    let id = story.next_build();
    let history = [story.started("docs", id, 1), story.synced("docs", id, 1)];
    assert_eq!(history.iter().fold(None, BuildRow::fold), None);
}

#[test]
fn a_requested_build_is_shown_before_the_scheduler_has_heard_of_it() {
    let mut story = Story::default();
    let id = story.next_build();
    let branch = "fix".parse().unwrap();
    let requested = story.build(
        id,
        BuildEvent::Requested {
            site: site_id("docs"),
            branch,
            commit: None,
            upload: None,
            pull_request: None,
            clear_cache: false,
        },
    );
    let row = folded(std::slice::from_ref(&requested));
    assert_eq!((row.state, row.number, row.branch.as_str()), (State::Queued, None, "fix"));
    let row = folded(&[requested.clone(), story.queued("docs", id, 1)]);
    assert_eq!((row.number, row.created_at), (Some(1), requested.envelope.time));
}
