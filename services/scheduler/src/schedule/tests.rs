use super::*;
use events::{
    Actor, Aggregate, AliasEvent, Envelope, Event, OrganizationId, PromotionReason, Recorded, RepositoryEvent,
    SiteEngine, SiteEvent, SiteSettings, subject,
};
use proptest::prelude::*;
use std::collections::HashMap as Map;
use uuid::Uuid;

mod caches;
mod deletions;
mod filters;
mod memory;
mod orders;
mod organizations;
mod previews;
mod pulls;
mod running;
mod schedules;
mod signed;
mod slots;
mod sources;

/// A log in memory: states facts through the real aggregates and folds them into the queue.
#[derive(Clone)]
struct Story {
    queue: Queue,
    aggregates: Map<BuildId, events::Build>,
    organizations: Map<OrganizationId, events::Organization>,
    sequence: u64,
    now: OffsetDateTime,
}

impl Story {
    fn new() -> Self {
        let (queue, aggregates) = (Queue::default(), Map::new());
        Self { queue, aggregates, organizations: Map::new(), sequence: 0, now: OffsetDateTime::UNIX_EPOCH }
    }

    fn state(&mut self, about: &str, event: impl Into<Event>) -> Uuid {
        self.sequence += 1;
        let id = Uuid::from_u128(self.sequence.into());
        let envelope = Envelope {
            id,
            source: "/pagefold/test".to_owned(),
            subject: about.to_owned(),
            time: self.now,
            correlation: id,
            causation: None,
            actor: Actor("test".to_owned()),
            traceparent: None,
            tracestate: None,
        };
        let recorded = Recorded { sequence: self.sequence, envelope, event: event.into() };
        self.queue.apply(&recorded);
        id
    }

    /// A site whose first build is another story.
    fn site(&mut self, name: &str, organization: &str) {
        self.state(&site(name).to_string(), created(name, organization));
        self.queue.wishes.retain(|_, wish| wish.site != site(name));
    }

    fn push(&mut self, site: &str, branch: &str) -> BuildId {
        let push = RepositoryEvent::PushReceived {
            repository: format!("https://git.example/{site}.git").parse().unwrap(),
            branch: branch.parse().unwrap(),
            before: None,
            commit: "a".repeat(40).parse().unwrap(),
            summary: "text".to_owned(),
            delivery: self.sequence.to_string(),
            skip: false,
            paths: None,
            site: None,
            pull_request: None,
        };
        let cause = self.state("repository", push);
        BuildId::of(cause, self::site(site))
    }

    fn delete_branch(&mut self, site: &str, branch: &str) {
        let deleted = RepositoryEvent::BranchDeleted {
            repository: format!("https://git.example/{site}.git").parse().unwrap(),
            branch: branch.parse().unwrap(),
            before: None,
            delivery: self.sequence.to_string(),
            site: None,
            pull_request: None,
        };
        self.state("repository", deleted);
    }

    fn promote_preview(&mut self, name: &str, branch: &str) {
        let (site, alias) = (site(name), AliasName::Preview(branch.parse().unwrap()));
        let (deploy, about) = (events::DeployId::of(BuildId(Uuid::nil())), subject::alias_id(site, &alias));
        let (number, source_sequence, previous, reason) = (1, 2, None, PromotionReason::Built);
        self.state(&about, AliasEvent::Promoted { site, alias, deploy, number, source_sequence, previous, reason });
    }

    /// Says what is decided, through the real aggregate, until nothing is left to say.
    fn settle(&mut self, limits: &Limits) -> usize {
        for round in 0..1000 {
            let decisions = schedule(&self.queue, limits, self.now);
            if decisions.is_empty() {
                return round;
            }
            for decision in decisions {
                match decision {
                    Decision::Build(id, command, _) => self.build(id, &command),
                    Decision::Schedule(due) => self.due(&due),
                    Decision::Expire(Due { site, branch, .. }) => {
                        let alias = AliasName::Preview(branch);
                        let previous = events::DeployId::of(BuildId(Uuid::nil()));
                        self.state(&subject::alias_id(site, &alias), AliasEvent::Removed { site, alias, previous });
                    }
                    Decision::Alias(site, alias, ..) => {
                        let previous = events::DeployId::of(BuildId(Uuid::nil()));
                        let about = subject::alias_id(site, &alias);
                        self.state(&about, AliasEvent::Removed { site, alias, previous });
                    }
                    Decision::Site(id, ..) => drop(self.state(&id.to_string(), SiteEvent::Erased {})),
                    Decision::DeleteSite(id, _) => drop(self.state(&id.to_string(), SiteEvent::Deleted {})),
                    Decision::Organization(id, command, _) => self.organization(id, &command),
                }
            }
        }
        panic!("the scheduler never comes to rest: {:?}", self.queue);
    }

    fn build(&mut self, id: BuildId, command: &build::Command) {
        let aggregate = self.aggregates.get(&id).cloned().unwrap_or_default();
        for fact in aggregate.decide(command).unwrap() {
            let next = self.aggregates.remove(&id).unwrap_or_default().evolve(&fact);
            self.aggregates.insert(id, next);
            self.state(&id.to_string(), fact);
        }
    }

    fn due(&mut self, due: &Due) {
        let moment = OffsetDateTime::from_unix_timestamp(due.at_s).unwrap();
        let command = build::Command::Schedule { site: due.site, branch: due.branch.clone(), due: moment };
        self.build(due.build(), &command);
    }

    fn organization(&mut self, id: OrganizationId, command: &organization::Command) {
        let aggregate = self.organizations.remove(&id).unwrap_or_default();
        let facts = aggregate.decide(command).unwrap();
        self.organizations.insert(id, facts.iter().fold(aggregate, Aggregate::evolve));
        for fact in facts {
            self.state(&id.to_string(), fact);
        }
    }

    fn finish(&mut self, id: BuildId) {
        let report = build::Report {
            attempt: 0,
            commit: None,
            outcome: Outcome::Success,
            reason: String::new(),
            hint: None,
            artifact: None,
            duration_ms: 1,
            steps: Vec::new(),
            resources: None,
        };
        self.build(id, &build::Command::Finish(report));
    }

    fn active(&self) -> Vec<BuildId> {
        let active = |(id, build): (&BuildId, &OpenBuild)| (build.progress != Progress::Queued).then_some(*id);
        let mut active: Vec<_> = self.queue.builds.iter().filter_map(active).collect();
        active.sort();
        active
    }

    fn ended(&self, id: BuildId) -> bool {
        matches!(self.aggregates.get(&id), Some(events::Build::Ended { .. }))
    }
}

/// The id of the site called `name`.
fn site(name: &str) -> SiteId {
    SiteId(Uuid::new_v5(&Uuid::nil(), name.as_bytes()))
}

/// The id of the organization called `name`.
fn organization_called(name: &str) -> OrganizationId {
    OrganizationId(Uuid::new_v5(&Uuid::nil(), name.as_bytes()))
}

fn settings(repository: &str) -> SiteSettings {
    SiteSettings {
        repository: repository.parse().unwrap(),
        branch: "main".parse().unwrap(),
        demo_branch: None,
        engine: SiteEngine::Static,
        building: events::Building::default(),
        serving: events::event::Serving::default(),
    }
}

fn created(name: &str, organization: &str) -> SiteEvent {
    SiteEvent::Created {
        name: name.parse().unwrap(),
        organization: organization_called(organization),
        settings: settings(&format!("https://git.example/{name}")),
    }
}

fn limits(platform: usize, organization: usize, site: usize) -> Limits {
    Limits { platform, organization, site, ..Limits::default() }
}

#[test]
fn a_push_becomes_a_dispatched_build_with_the_next_number() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let first = story.push("docs", "main");
    story.settle(&Limits::default());
    assert_eq!(story.active(), [first]);
    story.push("docs", "main");
    story.settle(&Limits::default());
    assert_eq!(story.queue.sites.get(&site("docs")).unwrap().last_number, 2);
}

#[test]
fn a_push_that_asks_not_to_be_built_is_told_and_not_built_and_ends_nothing() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let before = story.push("docs", "main");
    let asking = RepositoryEvent::PushReceived {
        repository: "https://git.example/docs.git".parse().unwrap(),
        branch: "main".parse().unwrap(),
        before: Some("a".repeat(40).parse().unwrap()),
        commit: "b".repeat(40).parse().unwrap(),
        summary: "Fix a typo [skip ci]".to_owned(),
        delivery: "asking".to_owned(),
        skip: true,
        paths: None,
        site: None,
        pull_request: None,
    };
    let cause = story.state("repository", asking);
    story.settle(&Limits::default());
    assert_eq!(story.active(), [before]);
    let skipped = &story.aggregates[&BuildId::of(cause, site("docs"))];
    assert!(matches!(skipped, events::Build::Ended { outcome: Some(Outcome::Skipped), .. }), "{skipped:?}");
}

#[test]
fn a_new_site_builds_the_tip_of_its_live_branch_at_once() {
    let mut story = Story::new();
    let cause = story.state(&site("docs").to_string(), created("docs", "acme"));
    story.settle(&Limits::default());
    let build = BuildId::of(cause, site("docs"));
    assert_eq!(story.active(), [build]);
    let job = story.aggregates[&build].job().cloned().unwrap();
    assert_eq!((job.branch.as_str(), job.commit, job.alias), ("main", None, AliasName::Live));
}

#[test]
fn a_corrected_repository_is_built_and_an_unchanged_one_is_not() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let changed = |repository: &str| SiteEvent::SettingsChanged { settings: settings(repository) };
    story.state(&site("docs").to_string(), changed("git@git.example:docs.git"));
    assert_eq!(schedule(&story.queue, &Limits::default(), story.now), []);
    story.state(&site("docs").to_string(), changed("https://git.example/handbook"));
    story.settle(&Limits::default());
    assert_eq!(story.active().len(), 1);
    story.push("docs", "main");
    assert_eq!(schedule(&story.queue, &Limits::default(), story.now), [], "the former repository is no longer heard");
}

#[test]
fn a_build_moves_the_alias_that_its_branch_had_when_it_was_queued() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let before = story.push("docs", "next");
    story.settle(&Limits::default());
    let moved = SiteSettings { branch: "next".parse().unwrap(), ..settings("https://git.example/docs") };
    story.state(&site("docs").to_string(), SiteEvent::SettingsChanged { settings: moved });
    let after = story.push("docs", "next");
    story.settle(&Limits::default());
    let alias = |build| story.aggregates[&build].job().unwrap().alias.to_string();
    assert_eq!([alias(before), alias(after)], ["preview/next", "live"]);
}

#[test]
fn a_request_for_a_site_that_was_deleted_meanwhile_gets_an_answer() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let build = BuildId(Uuid::from_u128(99));
    story.state(&site("docs").to_string(), SiteEvent::Deleted {});
    let request = build::Command::Request {
        site: site("docs"),
        branch: "main".parse().unwrap(),
        commit: None,
        upload: None,
        pull_request: None,
        clear_cache: false,
    };
    story.build(build, &request);
    story.settle(&Limits::default());
    assert!(story.ended(build));
}

#[test]
fn a_push_to_an_unknown_repository_builds_nothing() {
    let mut story = Story::new();
    story.site("docs", "acme");
    story.push("other", "main");
    assert_eq!(schedule(&story.queue, &Limits::default(), story.now), []);
}

#[test]
fn one_push_builds_every_site_of_the_repository() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let SiteEvent::Created { name, organization, .. } = created("docs-copy", "acme") else { panic!("it is created") };
    let twin = SiteEvent::Created { name, organization, settings: settings("git@git.example:docs.git") };
    story.state(&site("docs-copy").to_string(), twin);
    story.queue.wishes.clear();
    story.push("docs", "main");
    story.settle(&Limits::default());
    assert_eq!(story.active().len(), 2);
}

#[test]
fn a_newer_push_replaces_the_waiting_build_of_its_branch_only() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let none = limits(0, 3, 2);
    let (old, other) = (story.push("docs", "main"), story.push("docs", "next"));
    story.settle(&none);
    let new = story.push("docs", "main");
    story.settle(&none);
    assert!(story.ended(old) && !story.ended(other) && !story.ended(new));
}

#[test]
fn a_running_build_is_not_stopped_by_a_newer_push() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let running = story.push("docs", "main");
    story.settle(&Limits::default());
    story.push("docs", "main");
    story.settle(&Limits::default());
    assert!(!story.ended(running));
}

#[test]
fn a_deleted_site_ends_its_builds() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let build = story.push("docs", "main");
    story.settle(&Limits::default());
    story.state(&site("docs").to_string(), SiteEvent::Deleted {});
    story.settle(&Limits::default());
    assert!(story.ended(build) && story.queue.builds.is_empty());
}

#[test]
fn a_deleted_site_is_erased_when_its_time_is_over_and_not_before() {
    let mut story = Story::new();
    story.site("docs", "acme");
    story.site("news", "acme");
    story.state(&site("docs").to_string(), SiteEvent::Deleted {});
    let kept = time::Duration::seconds(Limits::default().deleted_kept_s);
    story.now += kept;
    story.state(&site("news").to_string(), SiteEvent::Deleted {});
    let erased = |story: &Story, now| {
        let said = schedule(&story.queue, &Limits::default(), now);
        said.into_iter()
            .map(|decision| matches!(decision, Decision::Site(id, site::Command::Erase, _) if id == site("docs")))
            .collect::<Vec<_>>()
    };
    assert_eq!(erased(&story, story.now - time::Duration::seconds(1)), [false; 0]);
    story.queue = read_back(&story.queue);
    assert_eq!(erased(&story, story.now), [true]);
    story.state(&site("docs").to_string(), SiteEvent::Erased {});
    assert_eq!(erased(&story, story.now), [false; 0]);
}

#[test]
fn a_restored_site_is_built_anew_and_hears_pushes_again() {
    let mut story = Story::new();
    story.site("docs", "acme");
    story.state(&site("docs").to_string(), SiteEvent::Deleted {});
    let missed = story.push("docs", "main");
    let restored = SiteEvent::Restored { name: "docs".parse().unwrap(), former: Default::default() };
    let cause = story.state(&site("docs").to_string(), restored);
    let next = story.push("docs", "next");
    story.settle(&Limits::default());
    let mut expected = [BuildId::of(cause, site("docs")), next];
    expected.sort();
    assert_eq!(story.active(), expected);
    assert!(!story.aggregates.contains_key(&missed) && story.queue.erasures.is_empty());
}

#[test]
fn a_wish_survives_a_snapshot_between_hearing_and_saying() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let build = story.push("docs", "main");
    story.queue = read_back(&story.queue);
    story.settle(&Limits::default());
    assert_eq!(story.active(), [build]);
}

/// What a snapshot of the queue gives.
fn read_back(queue: &Queue) -> Queue {
    serde_json::from_str(&serde_json::to_string(queue).unwrap()).unwrap()
}

#[test]
fn a_delivery_that_comes_again_after_its_build_has_ended_leaves_no_wish() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let build = story.push("docs", "main");
    story.settle(&Limits::default());
    story.finish(build);
    let push = story.push("docs", "main");
    let again = story.queue.wishes.remove(&push).unwrap();
    story.queue.wishes.insert(build, Wish { build, ..again });
    let said = schedule(&story.queue, &Limits::default(), story.now);
    let Some(Decision::Build(_, command, _)) = said.first() else { panic!("{said:?}") };
    assert_eq!(story.aggregates[&build].decide(command), Ok(vec![]), "the log says that it is there");
    story.queue.drop_wishes(&[build].into());
    assert_eq!(schedule(&story.queue, &Limits::default(), story.now), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_push_ends_and_no_limit_is_ever_passed(steps in proptest::collection::vec((0usize..4, 0usize..3, 0usize..3), 1..60)) {
        let sites = ["a-one", "a-two", "b-one", "c-one"];
        let branches = ["main", "x", "y"];
        let limits = limits(4, 2, 1);
        let mut story = Story::new();
        for site in sites {
            story.site(site, &site[..1]);
        }
        let mut builds = Vec::new();
        for (site, branch, finish) in steps {
            builds.push(story.push(sites[site], branches[branch]));
            story.settle(&limits);
            prop_assert!(story.active().len() <= limits.platform);
            for site in sites {
                let at = |id: &&BuildId| story.queue.builds.get(*id).unwrap().site == self::site(site);
                prop_assert!(story.active().iter().filter(at).count() <= limits.site);
            }
            for id in story.active().into_iter().take(finish) {
                story.finish(id);
            }
            prop_assert_eq!(&read_back(&story.queue), &story.queue);
        }
        story.settle(&limits);
        while let Some(id) = story.active().first().copied() {
            story.finish(id);
            story.settle(&limits);
        }
        prop_assert!(story.queue.builds.is_empty() && builds.into_iter().all(|id| story.ended(id)));
    }
}
