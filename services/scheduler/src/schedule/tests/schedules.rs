//! Builds at set times.

use super::*;
use events::{Building, Lane};
use time::Duration;

const NONE: Limits = Limits {
    platform: 0,
    organization: 3,
    site: 2,
    waiting_max_s: 86_400,
    running_max_s: 7_200,
    deleted_kept_s: 86_400,
};

fn at(lines: &[&str]) -> SiteSettings {
    let schedules = lines.iter().map(|line| line.parse().unwrap()).collect();
    SiteSettings { building: Building { schedules, ..Building::default() }, ..settings("https://git.example/docs") }
}

/// A site with these schedules from the beginning of 1970.
fn scheduled(lines: &[&str]) -> Story {
    let mut story = Story::new();
    story.site("docs", "acme");
    story.state(&site("docs").to_string(), SiteEvent::SettingsChanged { settings: at(lines) });
    story
}

impl Story {
    /// What is due when so much time has passed: the minute of the day of each.
    fn after(&mut self, minutes: i64) -> Vec<i64> {
        self.now = OffsetDateTime::UNIX_EPOCH + Duration::minutes(minutes);
        let due = |decision| if let Decision::Schedule(due) = decision { Some(due.at_s / 60) } else { None };
        schedule(&self.queue, &NONE, self.now).into_iter().filter_map(due).collect()
    }

    fn open(&self) -> Vec<(u64, Lane)> {
        let mut open: Vec<_> = self.queue.builds.iter().map(|(_, build)| (build.source_sequence, build.lane)).collect();
        open.sort_unstable();
        open
    }
}

#[test]
fn each_moment_makes_one_build_that_nobody_waits_for() {
    let mut story = scheduled(&["main */10 * * * *"]);
    assert_eq!(story.after(9), Vec::<i64>::new());
    assert_eq!(story.after(10), [10]);
    story.settle(&NONE);
    assert_eq!(story.open().iter().map(|(_, lane)| *lane).collect::<Vec<_>>(), [Lane::Low]);
    assert_eq!(story.after(10), Vec::<i64>::new(), "it is said once");
    assert_eq!(story.after(19), Vec::<i64>::new());
    assert_eq!(story.after(20), [20]);
}

#[test]
fn what_was_missed_counts_once() {
    let mut story = scheduled(&["main */10 * * * *"]);
    assert_eq!(story.after(57), [10]);
    story.settle(&NONE);
    assert_eq!(story.after(57), Vec::<i64>::new());
    assert_eq!(story.after(60), [60]);
}

#[test]
fn several_lines_of_a_branch_are_one_schedule_and_branches_have_their_own() {
    let mut story = scheduled(&["main 30 * * * *", "main 0 * * * *", "next 30 * * * *"]);
    assert_eq!(story.after(30), [30, 30]);
    story.settle(&NONE);
    assert_eq!(story.after(60), [60]);
}

#[test]
fn settings_that_change_are_followed_and_a_deleted_site_rests() {
    let mut story = scheduled(&["main */10 * * * *"]);
    story.now = OffsetDateTime::UNIX_EPOCH + Duration::minutes(5);
    story.state(&site("docs").to_string(), SiteEvent::SettingsChanged { settings: at(&["main 0 * * * *"]) });
    assert_eq!((story.after(10), story.after(60)), (vec![], vec![60]));
    story.state(&site("docs").to_string(), SiteEvent::Deleted {});
    assert_eq!(story.after(60), Vec::<i64>::new());
    let restored = SiteEvent::Restored { name: "docs".parse().unwrap(), former: Default::default() };
    story.state(&site("docs").to_string(), restored);
    assert_eq!((story.after(119), story.after(120)), (vec![], vec![120]));
}

#[test]
fn one_whose_branch_is_to_be_built_anyway_is_told_and_not_built() {
    let mut story = scheduled(&["main */10 * * * *"]);
    let pushed = story.push("docs", "main");
    story.settle(&NONE);
    story.after(10);
    story.settle(&NONE);
    assert_eq!(story.open().len(), 1);
    assert!(!story.ended(pushed), "and replaces nothing that somebody waits for");
}

#[test]
fn one_that_runs_beside_a_push_is_replaced_by_it_and_never_replaces_it() {
    let mut story = scheduled(&["main */10 * * * *"]);
    let pushed = story.push("docs", "main");
    story.settle(&Limits::default());
    story.build(pushed, &build::Command::Start { worker: "w".to_owned() });
    story.after(10);
    story.settle(&NONE);
    assert_eq!(story.open().iter().map(|(_, lane)| *lane).collect::<Vec<_>>(), [Lane::High, Lane::Low]);
    let newer = story.push("docs", "main");
    story.settle(&NONE);
    assert!(!story.ended(pushed) && !story.ended(newer));
    assert_eq!(story.open().len(), 2, "the scheduled one waited, and the push came after it");
}

#[test]
fn a_suspended_organization_and_a_deleted_branch_build_nothing() {
    let mut story = scheduled(&["next */10 * * * *"]);
    story.promote_preview("docs", "next");
    story.delete_branch("docs", "next");
    story.settle(&NONE);
    story.after(10);
    story.settle(&NONE);
    assert_eq!(story.open(), vec![]);
}

#[test]
fn what_is_due_outlives_a_snapshot() {
    let mut story = scheduled(&["main */10 * * * *"]);
    let stored = serde_json::to_vec(&story.queue).unwrap();
    story.queue = serde_json::from_slice(&stored).unwrap();
    assert_eq!(story.after(10), [10]);
}

/// Previews that are taken down when so many days have passed.
fn expired(story: &mut Story, days: i64) -> Vec<String> {
    story.now = OffsetDateTime::UNIX_EPOCH + Duration::days(days);
    let over = |decision| if let Decision::Expire(due) = decision { Some(due.branch.to_string()) } else { None };
    schedule(&story.queue, &NONE, story.now).into_iter().filter_map(over).collect()
}

fn showing_for(story: &mut Story, days: u16) {
    let building = Building { preview_days: std::num::NonZeroU16::new(days), ..Building::default() };
    let settings = SiteSettings { building, ..settings("https://git.example/docs") };
    story.state(&site("docs").to_string(), SiteEvent::SettingsChanged { settings });
}

#[test]
fn a_preview_ends_so_many_days_after_its_newest_build() {
    let mut story = Story::new();
    story.site("docs", "acme");
    story.promote_preview("docs", "old");
    story.promote_preview("docs", "new");
    assert_eq!(expired(&mut story, 1000), Vec::<String>::new(), "nobody said when");
    story.now = OffsetDateTime::UNIX_EPOCH + Duration::days(5);
    showing_for(&mut story, 7);
    story.promote_preview("docs", "new");
    assert_eq!(expired(&mut story, 6), Vec::<String>::new());
    assert_eq!(expired(&mut story, 7), ["old"]);
    story.settle(&NONE);
    assert_eq!(expired(&mut story, 11), Vec::<String>::new());
    assert_eq!(expired(&mut story, 12), ["new"]);
    showing_for(&mut story, 0);
    assert_eq!(expired(&mut story, 1000), Vec::<String>::new());
}
