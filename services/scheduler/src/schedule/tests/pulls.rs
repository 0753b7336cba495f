//! Pull requests: those of own branches are what their pushes are, and those of forks wait for a member.

use super::*;
use events::{Building, CommitId, PullRequest, PullRequests};

const FORK: &str = "https://git.example/mallory/docs.git";

fn with(choice: PullRequests) -> Story {
    let mut story = Story::new();
    story.site("docs", "acme");
    let building = Building { pull_requests: choice, ..Building::default() };
    let settings = SiteSettings { building, ..settings("https://git.example/docs") };
    story.state(&site("docs").to_string(), SiteEvent::SettingsChanged { settings });
    story
}

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().unwrap()
}

/// Number 12, from a fork or not.
fn pull(fork: Option<&str>) -> PullRequest {
    PullRequest { number: 12, fork: fork.map(|fork| fork.parse().unwrap()) }
}

/// A branch is at a commit, as a push tells or a pull request; answers what is said of the build that it would be.
fn told(story: &mut Story, branch: &str, tip: char, pull_request: Option<PullRequest>) -> Option<build::Command> {
    let push = RepositoryEvent::PushReceived {
        repository: "https://git.example/docs.git".parse().unwrap(),
        branch: branch.parse().unwrap(),
        before: None,
        commit: commit(tip),
        summary: "text".to_owned(),
        delivery: story.sequence.to_string(),
        skip: false,
        paths: None,
        site: None,
        pull_request,
    };
    let id = BuildId::of(story.state("repository", push), site("docs"));
    let decisions = schedule(&story.queue, &Limits::default(), story.now);
    let is_of = |decision: &Decision| matches!(decision, Decision::Build(build, ..) if *build == id);
    let of_build = decisions.into_iter().find(is_of).map(|decision| {
        let Decision::Build(_, command, _) = decision else { panic!("{decision:?}") };
        command
    });
    story.settle(&Limits::default());
    of_build
}

fn closed(story: &mut Story, branch: &str, pull: PullRequest) -> Vec<Decision> {
    let closed = RepositoryEvent::BranchDeleted {
        repository: "https://git.example/docs.git".parse().unwrap(),
        branch: branch.parse().unwrap(),
        before: Some(commit('a')),
        delivery: story.sequence.to_string(),
        site: None,
        pull_request: Some(pull),
    };
    story.state("repository", closed);
    schedule(&story.queue, &Limits::default(), story.now)
}

fn queued(command: Option<build::Command>) -> build::Job {
    let Some(build::Command::Queue(job)) = command else { panic!("{command:?}") };
    job
}

fn skipped(command: Option<build::Command>) -> String {
    let Some(build::Command::Skip { reason, .. }) = command else { panic!("{command:?}") };
    reason
}

#[test]
fn a_fork_is_built_from_where_it_is_as_the_site_says() {
    let waits = "It comes from a fork: a member approves it by having it built again.";
    let told = |choice| told(&mut with(choice), "pull/12", 'a', Some(pull(Some(FORK))));
    assert_eq!(skipped(told(PullRequests::Approved)), waits);
    assert_eq!(skipped(told(PullRequests::None)), "The site's settings build no pull requests.");
    let job = queued(told(PullRequests::All));
    assert_eq!(job.repository.as_str(), FORK);
    assert_eq!(job.pull_request, Some(pull(Some(FORK))));
    assert_eq!(job.alias, AliasName::Preview("pull/12".parse().unwrap()));
}

#[test]
fn a_fork_is_never_published_whatever_the_live_branch_is_called() {
    let mut story = with(PullRequests::All);
    let building = Building { pull_requests: PullRequests::All, ..Building::default() };
    let usual = settings("https://git.example/docs");
    let settings = SiteSettings { building, branch: "pull/12".parse().unwrap(), ..usual };
    story.state(&site("docs").to_string(), SiteEvent::SettingsChanged { settings });
    let job = queued(told(&mut story, "pull/12", 'a', Some(pull(Some(FORK)))));
    assert_eq!(job.alias, AliasName::Preview("pull/12".parse().unwrap()));
}

#[test]
fn what_a_member_asks_for_is_built_from_the_fork() {
    let mut story = with(PullRequests::Approved);
    assert!(told(&mut story, "pull/12", 'a', Some(pull(Some(FORK)))).is_some());
    let id = BuildId(Uuid::from_u128(77));
    let request = build::Command::Request {
        site: site("docs"),
        branch: "pull/12".parse().unwrap(),
        commit: Some(commit('a')),
        upload: None,
        pull_request: Some(pull(Some(FORK))),
        clear_cache: false,
    };
    story.build(id, &request);
    let decisions = schedule(&story.queue, &Limits::default(), story.now);
    let [Decision::Build(_, command, _)] = &decisions[..] else { panic!("{decisions:?}") };
    assert_eq!(queued(Some(command.clone())).repository.as_str(), FORK);
}

#[test]
fn a_pull_request_of_an_own_branch_and_its_push_build_it_once_whichever_comes_first() {
    for push_first in [true, false] {
        let mut story = with(PullRequests::Approved);
        let [first, second] = if push_first { [None, Some(pull(None))] } else { [Some(pull(None)), None] };
        let job = queued(told(&mut story, "next", 'a', first.clone()));
        assert_eq!(job.repository.as_str(), "https://git.example/docs");
        assert_eq!(job.pull_request, first);
        assert_eq!(told(&mut story, "next", 'a', second), None, "push first: {push_first}");
        // The next commit is another matter.
        assert_eq!(queued(told(&mut story, "next", 'b', None)).commit, Some(commit('b')));
    }
}

#[test]
fn a_pull_request_that_tells_of_a_commit_which_was_left_builds_nothing() {
    let mut story = with(PullRequests::All);
    let push = |before: Option<char>, tip: char| RepositoryEvent::PushReceived {
        repository: "https://git.example/docs.git".parse().unwrap(),
        branch: "next".parse().unwrap(),
        before: before.map(commit),
        commit: commit(tip),
        summary: "text".to_owned(),
        delivery: format!("{tip}"),
        skip: false,
        paths: None,
        site: None,
        pull_request: None,
    };
    story.state("repository", push(None, 'a'));
    story.state("repository", push(Some('a'), 'b'));
    story.settle(&Limits::default());
    assert_eq!(told(&mut story, "next", 'a', Some(pull(None))), None);
}

#[test]
fn a_site_that_builds_none_hears_of_pushes_alone() {
    let mut story = with(PullRequests::None);
    assert_eq!(told(&mut story, "next", 'a', Some(pull(None))), None);
    let _ = queued(told(&mut story, "next", 'a', None));
    story.promote_preview("docs", "next");
    assert_eq!(closed(&mut story, "next", pull(None)), []);
}

#[test]
fn what_is_closed_is_taken_down_and_comes_back_when_it_is_opened_again() {
    for (branch, fork) in [("pull/12", Some(FORK)), ("next", None)] {
        let mut story = with(PullRequests::All);
        let _ = queued(told(&mut story, branch, 'a', Some(pull(fork))));
        story.promote_preview("docs", branch);
        let decisions = closed(&mut story, branch, pull(fork));
        assert!(decisions.iter().any(|decision| matches!(decision, Decision::Alias(..))), "{decisions:?}");
        let _ = queued(told(&mut story, branch, 'a', Some(pull(fork))));
    }
}

#[test]
fn closing_a_pull_request_of_the_live_branch_changes_nothing() {
    let mut story = with(PullRequests::All);
    let _ = queued(told(&mut story, "main", 'a', None));
    assert_eq!(closed(&mut story, "main", pull(None)), []);
}
