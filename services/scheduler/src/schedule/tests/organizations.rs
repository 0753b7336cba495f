//! Organizations that are suspended, limited, or for trying things out.

use super::*;
use events::event::OrganizationLimits;
use events::organization::Command;

impl Story {
    fn found(&mut self, name: &str) {
        self.organization(organization_called(name), &Command::Create { name: name.parse().unwrap() });
    }

    fn ask(&mut self, name: &str, command: &Command) {
        self.organization(organization_called(name), command);
    }

    fn suspend(&mut self, name: &str) {
        self.ask(name, &Command::Suspend { reason: "unpaid".to_owned() });
    }

    fn waits_days(&mut self, days: i64) {
        self.now += time::Duration::days(days);
    }

    /// Why a build is ended now.
    fn reason(&self, id: BuildId) -> String {
        let said = schedule(&self.queue, &Limits::default(), self.now);
        let why = said.into_iter().find_map(|decision| {
            let Decision::Build(said, command, _) = decision else { return None };
            let (build::Command::Skip { reason, .. } | build::Command::Cancel { reason, .. }) = command else {
                return None;
            };
            (said == id).then_some(reason)
        });
        why.unwrap_or_else(|| "it is not ended".to_owned())
    }

    fn sites(&self) -> usize {
        self.queue.sites.iter().count()
    }
}

fn acme() -> Story {
    let mut story = Story::new();
    story.found("acme");
    story.site("docs", "acme");
    story.site("apex", "summit");
    story
}

#[test]
fn of_a_suspended_organization_no_push_is_built_and_what_waits_is_ended() {
    let mut story = acme();
    let none = limits(0, 3, 2);
    let waiting = story.push("docs", "main");
    story.settle(&none);
    story.suspend("acme");
    assert_eq!(story.reason(waiting), "The organization was suspended.");
    let (pushed, elsewhere) = (story.push("docs", "next"), story.push("apex", "main"));
    assert_eq!(story.reason(pushed), "The organization is suspended.");
    story.settle(&Limits::default());
    assert!(story.ended(waiting) && story.ended(pushed));
    assert_eq!(story.active(), [elsewhere], "others go on");
}

#[test]
fn what_runs_when_the_suspension_comes_goes_on() {
    let mut story = acme();
    let running = story.push("docs", "main");
    story.settle(&Limits::default());
    story.suspend("acme");
    story.settle(&Limits::default());
    assert_eq!(story.active(), [running]);
}

#[test]
fn what_was_pushed_to_the_live_branch_meanwhile_is_built_after_the_suspension() {
    for (branch, builds) in [("main", 1), ("next", 0)] {
        let mut story = acme();
        story.suspend("acme");
        story.push("docs", branch);
        story.settle(&Limits::default());
        story.queue = read_back(&story.queue);
        story.ask("acme", &Command::Reinstate);
        story.settle(&Limits::default());
        assert_eq!(story.active().len(), builds, "{branch}");
    }
}

#[test]
fn an_organization_has_no_more_builds_at_once_than_it_may() {
    let mut story = acme();
    let capped = OrganizationLimits { builds: Some(1), ..OrganizationLimits::default() };
    story.ask("acme", &Command::Limit(capped));
    for branch in ["main", "a", "b"] {
        story.push("docs", branch);
        story.push("apex", branch);
    }
    story.settle(&limits(9, 3, 3));
    let of =
        |name: &str| story.active().iter().filter(|id| story.queue.builds.get(id).unwrap().site == site(name)).count();
    assert_eq!((of("docs"), of("apex")), (1, 3));
    story.ask("acme", &Command::Limit(OrganizationLimits::default()));
    story.settle(&limits(9, 3, 3));
    assert_eq!(story.active().len(), 6);
}

#[test]
fn the_sites_of_a_sandbox_are_deleted_when_its_people_have_known_for_a_week() {
    let mut story = acme();
    let now = story.now;
    story.ask("acme", &Command::BeginSandbox { days: 90, now });
    story.waits_days(82);
    assert_eq!(schedule(&story.queue, &Limits::default(), story.now), []);
    story.waits_days(1);
    story.settle(&Limits::default());
    story.waits_days(6);
    story.queue = read_back(&story.queue);
    assert_eq!((schedule(&story.queue, &Limits::default(), story.now), story.sites()), (vec![], 2));
    story.waits_days(1);
    story.settle(&Limits::default());
    assert_eq!(story.sites(), 1, "the other organization keeps its own");
    // What comes after is deleted with the next time, which is announced as the first was.
    story.site("news", "acme");
    story.waits_days(83);
    story.settle(&Limits::default());
    assert_eq!(story.sites(), 2);
    story.waits_days(7);
    story.settle(&Limits::default());
    assert_eq!(story.sites(), 1);
}

#[test]
fn a_locked_site_of_a_sandbox_stays_and_one_that_is_no_sandbox_any_more_keeps_all() {
    let lock = AliasEvent::Locked { site: site("docs"), alias: AliasName::Live, reason: "audit".to_owned() };
    let week = |story: &mut Story| {
        for days in [83, 7] {
            story.waits_days(days);
            story.settle(&Limits::default());
        }
    };
    let mut story = acme();
    let now = story.now;
    story.ask("acme", &Command::BeginSandbox { days: 90, now });
    story.state("alias", lock);
    week(&mut story);
    assert_eq!(story.sites(), 2);
    let unlock = AliasEvent::Unlocked { site: site("docs"), alias: AliasName::Live };
    story.state("alias", unlock);
    story.ask("acme", &Command::EndSandbox);
    week(&mut story);
    assert_eq!(story.sites(), 2);
}
