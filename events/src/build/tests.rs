use super::*;
use crate::aggregate::story::given;
use proptest::prelude::*;

fn job() -> Job {
    Job {
        site: "docs".parse().unwrap(),
        number: 1,
        repository: "https://github.com/acme/docs".parse().unwrap(),
        branch: "main".parse().unwrap(),
        commit: Some("a".repeat(40).parse().unwrap()),
        engine: SiteEngine::Static,
        lane: Lane::High,
        summary: "first".to_owned(),
    }
}

fn site() -> SiteName {
    job().site
}

fn dispatched() -> BuildEvent {
    BuildEvent::Dispatched { site: site() }
}

fn start() -> Command {
    Command::Start { worker: "launcher-1".to_owned() }
}

fn report(attempt: u32) -> Report {
    Report { attempt, commit: None, outcome: Outcome::Success, message: String::new(), artifact: None, duration_ms: 7 }
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

#[test]
fn a_build_that_loses_its_launcher_again_and_again_ends_in_error() {
    let last = started(site(), ATTEMPTS_MAX, "launcher-0");
    given::<Build>([queued(job()), dispatched(), last]).when(start()).then([finished(&job(), lost(ATTEMPTS_MAX))]);
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
fn a_finished_build_cannot_be_canceled() {
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
    for command in [Command::Dispatch, start(), Command::Finish(report(1)), cancel()] {
        given::<Build>([]).when(command).refuses(Refusal::BuildNotFound);
    }
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::Queue(job())),
        Just(Command::Dispatch),
        Just(start()),
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
