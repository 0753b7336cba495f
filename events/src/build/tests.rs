use super::*;
use crate::aggregate::story::given;
use crate::event::Source;
use crate::{AliasName, Lane, SiteEngine};
use proptest::prelude::*;

fn job() -> Job {
    Job {
        site: SiteId(uuid::Uuid::nil()),
        number: 1,
        source_sequence: 7,
        repository: "https://github.com/acme/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        alias: AliasName::Live,
        commit: Some("a".repeat(40).parse().unwrap()),
        engine: SiteEngine::Static,
        lane: Lane::High,
        summary: "first".to_owned(),
        upload: None,
        recipe: Default::default(),
        pull_request: None,
        cache_from: None,
    }
}

fn site() -> SiteId {
    job().site
}

fn dispatched() -> BuildEvent {
    BuildEvent::Dispatched { site: site() }
}

fn start() -> Command {
    Command::Start { worker: "launcher-1".to_owned() }
}

fn report(attempt: u32) -> Report {
    Report {
        attempt,
        commit: None,
        outcome: Outcome::Success,
        reason: String::new(),
        hint: None,
        artifact: None,
        duration_ms: 7,
        steps: Vec::new(),
        resources: None,
    }
}

fn cancel() -> Command {
    Command::Cancel { reason: "asked".to_owned(), superseded_by: None }
}

fn canceled() -> BuildEvent {
    BuildEvent::Canceled { site: site(), reason: "asked".to_owned(), superseded_by: None }
}

#[test]
fn a_queued_build_waits_for_its_slot() {
    given::<Build>([queued(job())]).when(start()).refuses(Refusal::BuildNotDispatched);
    given::<Build>([queued(job())]).when(Command::Dispatch).then([dispatched()]);
}

#[test]
fn the_same_cause_queues_one_build() {
    given::<Build>([queued(job())]).when(Command::Queue(job())).then([]);
}

fn request() -> Command {
    Command::Request {
        site: site(),
        branch: job().branch,
        commit: None,
        upload: None,
        pull_request: None,
        clear_cache: false,
    }
}

fn requested() -> BuildEvent {
    BuildEvent::Requested {
        site: site(),
        branch: job().branch,
        commit: None,
        upload: None,
        pull_request: None,
        clear_cache: false,
    }
}

#[test]
fn a_requested_build_is_queued_once_and_can_be_canceled_before_that() {
    given::<Build>([]).when(request()).then([requested()]);
    given::<Build>([requested()]).when(request()).then([]);
    given::<Build>([requested()]).when(Command::Queue(job())).then([queued(job())]);
    given::<Build>([requested()]).when(cancel()).then([canceled()]);
    given::<Build>([requested(), canceled()]).when(Command::Queue(job())).then([]);
}

#[test]
fn a_build_that_is_not_worth_its_work_ends_as_it_is_queued() {
    let skip = || Command::Skip { job: job(), reason: "stale".to_owned() };
    let history = skipped(job(), "stale".to_owned());
    given::<Build>([]).when(skip()).then(history.clone());
    given::<Build>(history.clone()).when(skip()).then([]);
    given::<Build>(history).when(Command::Dispatch).refuses(Refusal::BuildEnded);
}

#[test]
fn a_lost_launcher_is_followed_by_the_next_attempt() {
    let first = started(site(), 1, "launcher-0");
    given::<Build>([queued(job()), dispatched(), first]).when(start()).then([started(site(), 2, "launcher-1")]);
}

#[test]
fn an_attempt_belongs_to_the_launcher_that_started_it() {
    let running = [queued(job()), dispatched(), started(site(), 2, "launcher-1")];
    let build = running.iter().fold(Build::default(), Build::evolve);
    assert_eq!((build.attempt_of("launcher-1"), build.attempt_of("launcher-2")), (Some(2), None));
    assert_eq!(build.evolve(&canceled()).attempt_of("launcher-1"), None);
}

fn interrupt(attempt: u32) -> Command {
    Command::Interrupt { attempt, reason: "the store is away".to_owned() }
}

fn interrupted(attempt: u32) -> BuildEvent {
    BuildEvent::Interrupted { site: site(), attempt, reason: "the store is away".to_owned() }
}

#[test]
fn what_an_attempt_builds_is_told_by_that_attempt_while_it_runs() {
    let source = Source { commit: "b".repeat(40).parse().unwrap(), title: "Fix it".to_owned(), author: None };
    let tell = |attempt| Command::CheckOut { attempt, source: source.clone() };
    let told = |attempt| BuildEvent::CheckedOut { site: site(), attempt, source: source.clone() };
    let running = || vec![queued(job()), dispatched(), started(site(), 2, "launcher-1")];
    given::<Build>(running()).when(tell(2)).then([told(2)]);
    given::<Build>(running()).when(tell(1)).refuses(Refusal::AttemptSuperseded { attempt: 1, current: 2 });
    given::<Build>([queued(job()), dispatched()]).when(tell(1)).then([]);
    given::<Build>([queued(job()), canceled()]).when(tell(1)).refuses(Refusal::BuildEnded);
    let states = [running(), [running(), vec![told(2)]].concat()]
        .map(|facts| facts.iter().fold(Build::default(), Build::evolve));
    assert_eq!(states[0], states[1], "nothing else follows from it");
}

#[test]
fn a_build_that_loses_its_launcher_again_and_again_ends_in_error() {
    let starts = (1..=LOST_MAX).map(|attempt| started(site(), attempt, "launcher-0"));
    let history: Vec<BuildEvent> = [queued(job()), dispatched()].into_iter().chain(starts).collect();
    given::<Build>(history).when(start()).then([finished(&job(), lost(LOST_MAX))]);
}

#[test]
fn a_build_that_is_interrupted_again_and_again_is_tried_again_and_again() {
    let attempts = (1..50).flat_map(|attempt| [started(site(), attempt, "launcher-0"), interrupted(attempt)]);
    let history: Vec<BuildEvent> = [queued(job()), dispatched()].into_iter().chain(attempts).collect();
    given::<Build>(history).when(start()).then([started(site(), 50, "launcher-1")]);
}

#[test]
fn an_interruption_neither_counts_as_a_lost_launcher_nor_makes_one_forgotten() {
    let mut history = vec![queued(job()), dispatched()];
    history.extend([1, 2, 3].map(|attempt| started(site(), attempt, "launcher-0")));
    history.push(interrupted(3));
    given::<Build>(history.clone()).when(start()).then([started(site(), 4, "launcher-1")]);
    history.push(started(site(), 4, "launcher-0"));
    given::<Build>(history).when(start()).then([finished(&job(), lost(4))]);
}

#[test]
fn only_the_attempt_that_runs_can_be_interrupted_and_only_once() {
    let history = [queued(job()), dispatched(), started(site(), 1, "a"), started(site(), 2, "b")];
    given::<Build>(history.clone()).when(interrupt(1)).refuses(Refusal::AttemptSuperseded { attempt: 1, current: 2 });
    given::<Build>(history.clone()).when(interrupt(2)).then([interrupted(2)]);
    let over: Vec<BuildEvent> = history.into_iter().chain([interrupted(2)]).collect();
    given::<Build>(over.clone()).when(interrupt(2)).then([]);
    given::<Build>(over.clone())
        .when(Command::Finish(report(2)))
        .refuses(Refusal::AttemptSuperseded { attempt: 2, current: 3 });
    given::<Build>(over).when(cancel()).then([canceled()]);
}

#[test]
fn a_launcher_that_was_taken_over_cannot_end_the_build() {
    let history = [queued(job()), dispatched(), started(site(), 1, "a"), started(site(), 2, "b")];
    given::<Build>(history.clone())
        .when(Command::Finish(report(1)))
        .refuses(Refusal::AttemptSuperseded { attempt: 1, current: 2 });
    given::<Build>(history).when(Command::Finish(report(2))).then([finished(&job(), report(2))]);
}

#[test]
fn a_canceled_build_refuses_to_start_and_to_finish() {
    let history = [queued(job()), dispatched(), started(site(), 1, "a"), canceled()];
    given::<Build>(history.clone()).when(start()).refuses(Refusal::BuildEnded);
    given::<Build>(history).when(Command::Finish(report(1))).refuses(Refusal::BuildEnded);
}

#[test]
fn a_finished_build_cannot_be_canceled_and_a_canceled_one_is_canceled_already() {
    given::<Build>([queued(job()), canceled()]).when(cancel()).then([]);
    given::<Build>([queued(job()), finished(&job(), report(0))]).when(cancel()).refuses(Refusal::BuildEnded);
}

#[test]
fn a_log_is_archived_once_and_only_after_the_end() {
    let archive = || Command::ArchiveLog { key: "logs/1".to_owned(), bytes: 9 };
    let archived = BuildEvent::LogArchived { site: site(), key: "logs/1".to_owned(), bytes: 9 };
    given::<Build>([queued(job())]).when(archive()).refuses(Refusal::BuildNotEnded);
    given::<Build>([queued(job()), canceled()]).when(archive()).then([archived.clone()]);
    given::<Build>([queued(job()), canceled(), archived]).when(archive()).then([]);
}

#[test]
fn nothing_can_be_asked_of_a_build_nobody_queued() {
    for command in [Command::Dispatch, start(), interrupt(1), Command::Finish(report(1)), cancel()] {
        given::<Build>([]).when(command).refuses(Refusal::BuildNotFound);
    }
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(request()),
        Just(Command::Queue(job())),
        Just(Command::Skip { job: job(), reason: "stale".to_owned() }),
        Just(Command::Dispatch),
        Just(start()),
        (1u32..4).prop_map(interrupt),
        (0u32..4).prop_map(|attempt| Command::Finish(report(attempt))),
        Just(cancel()),
        Just(Command::ArchiveLog { key: "logs/1".to_owned(), bytes: 9 }),
    ]
}

proptest! {
    #[test]
    fn whatever_is_asked_a_build_ends_at_most_once_and_in_order(commands in proptest::collection::vec(any_command(), 1..40)) {
        let mut build = Build::default();
        let mut history: Vec<BuildEvent> = Vec::new();
        for command in commands {
            let ended = matches!(build, Build::Ended { .. });
            for fact in build.decide(&command).unwrap_or_default() {
                prop_assert!(!ended || matches!(fact, BuildEvent::LogArchived { .. }), "{fact:?} after the end");
                build = build.evolve(&fact);
                history.push(fact);
            }
        }
        let ends = history.iter().filter(|fact| matches!(fact, BuildEvent::Finished { .. } | BuildEvent::Canceled { .. }));
        prop_assert!(ends.count() <= 1);
        let refolded = history.iter().fold(Build::default(), Aggregate::evolve);
        prop_assert_eq!(refolded, build);
    }

    #[test]
    fn asking_twice_in_a_row_states_nothing_new(commands in proptest::collection::vec(any_command(), 0..20), again in any_command()) {
        let repeatable = !matches!(again, Command::Start { .. });
        let state = commands.into_iter().fold(Build::default(), |state, command| {
            state.decide(&command).unwrap_or_default().iter().fold(state, Aggregate::evolve)
        });
        let once = state.decide(&again).unwrap_or_default().iter().fold(state, Aggregate::evolve);
        prop_assume!(repeatable);
        prop_assert_eq!(once.decide(&again).unwrap_or_default(), vec![]);
    }
}
