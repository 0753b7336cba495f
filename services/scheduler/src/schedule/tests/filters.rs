//! Pushes that a site does not want to build: they are told, with the reason, and built nowhere.

use super::*;
use events::{Building, Recipe};

fn building(story: &mut Story, building: Building) {
    let settings = SiteSettings { building, ..settings("https://git.example/docs") };
    story.state(&site("docs").to_string(), SiteEvent::SettingsChanged { settings });
}

/// A push that changed these files, if it tells; answers why it was not built.
fn pushed(story: &mut Story, branch: &str, paths: Option<&[&str]>) -> Option<String> {
    let (before, commit) = (story.sequence, story.sequence + 1);
    let push = RepositoryEvent::PushReceived {
        repository: "https://git.example/docs.git".parse().unwrap(),
        branch: branch.parse().unwrap(),
        before: Some(format!("{before:040x}").parse().unwrap()),
        commit: format!("{commit:040x}").parse().unwrap(),
        summary: "text".to_owned(),
        delivery: story.sequence.to_string(),
        skip: false,
        paths: paths.map(|paths| paths.iter().map(|path| (*path).to_owned()).collect()),
        site: None,
        pull_request: None,
    };
    let id = BuildId::of(story.state("repository", push), site("docs"));
    let decisions = schedule(&story.queue, &Limits::default(), story.now);
    let is_of = |decision: &Decision| matches!(decision, Decision::Build(build, ..) if *build == id);
    let of_build = decisions.into_iter().find(is_of).unwrap();
    story.settle(&Limits::default());
    let Decision::Build(_, command, _) = of_build else { panic!("{of_build:?}") };
    if let build::Command::Skip { reason, .. } = command {
        return Some(reason);
    }
    assert!(matches!(command, build::Command::Queue(_)), "{command:?}");
    None
}

#[test]
fn a_branch_that_is_ignored_is_told_and_not_built_but_for_the_live_one() {
    let mut story = Story::new();
    story.site("docs", "acme");
    building(&mut story, Building { ignore_branches: vec!["**".parse().unwrap()], ..Building::default() });
    let reason = pushed(&mut story, "dependabot/x", None);
    assert_eq!(reason.as_deref(), Some("The site's settings ignore branches of this name."));
    assert_eq!(pushed(&mut story, "main", None), None);
}

#[test]
fn a_push_that_changed_nothing_watched_is_told_and_not_built() {
    let mut story = Story::new();
    story.site("docs", "acme");
    building(&mut story, Building { watch: vec!["docs/**".parse().unwrap()], ..Building::default() });
    let unwatched = Some("The push changed nothing that the site watches.");
    assert_eq!(pushed(&mut story, "main", Some(&["src/a.rs"])).as_deref(), unwatched);
    assert_eq!(pushed(&mut story, "main", Some(&["src/a.rs", "docs/a.md"])), None);
    assert_eq!(pushed(&mut story, "main", None), None, "what is not known is built");
}

#[test]
fn a_site_in_a_folder_is_built_when_that_is_changed() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let recipe = Recipe { base_directory: Some("docs".parse().unwrap()), ..Recipe::default() };
    building(&mut story, Building { recipe, ..Building::default() });
    assert!(pushed(&mut story, "main", Some(&["docs2/a.md"])).is_some());
    assert_eq!(pushed(&mut story, "main", Some(&["docs/a.md"])), None);
}

#[test]
fn what_is_not_built_replaces_nothing_that_waits() {
    let mut story = Story::new();
    story.site("docs", "acme");
    building(&mut story, Building { watch: vec!["docs/**".parse().unwrap()], ..Building::default() });
    let first = story.push("docs", "main");
    story.settle(&Limits { platform: 0, ..Limits::default() });
    assert!(pushed(&mut story, "main", Some(&["src/a.rs"])).is_some());
    assert!(!story.ended(first));
}
