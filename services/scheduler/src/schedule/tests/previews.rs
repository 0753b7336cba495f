//! What becomes of a preview when its branch is deleted.

use super::*;

#[test]
fn a_deleted_branch_ends_its_builds_and_takes_its_preview_down_even_if_it_is_synced_late() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let build = story.push("docs", "fix");
    story.settle(&Limits::default());
    story.delete_branch("docs", "fix");
    story.settle(&Limits::default());
    assert!(story.ended(build));
    let (site, alias) = (site("docs"), AliasName::Preview("fix".parse().unwrap()));
    let (deploy, about) = (events::DeployId::of(build), subject::alias_id(site, &alias));
    let (number, source_sequence, previous, reason) = (1, 2, None, PromotionReason::Built);
    let late = AliasEvent::Promoted { site, alias, deploy, number, source_sequence, previous, reason };
    let promotion = story.state(&about, late);
    let decisions = schedule(&story.queue, &Limits::default(), story.now);
    // The late promotion is the cause, so that the removal is no repetition of an earlier one.
    assert!(matches!(&decisions[..], [Decision::Alias(.., origin)] if origin.id == promotion), "{decisions:?}");
    story.settle(&Limits::default());
    assert!(story.queue.sites.iter().all(|(_, site)| site.previews.is_empty()));
}

#[test]
fn the_live_branch_survives_a_deletion_and_a_pushed_branch_comes_back() {
    let mut story = Story::new();
    story.site("docs", "acme");
    story.delete_branch("docs", "main");
    story.delete_branch("docs", "fix");
    let (live, preview) = (story.push("docs", "main"), story.push("docs", "fix"));
    story.settle(&Limits::default());
    assert!(!story.ended(live) && !story.ended(preview));
}

#[test]
fn no_preview_of_a_deleted_branch_is_forgotten_however_many_were_deleted_while_nobody_decided() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let branches: Vec<String> = (0..1500).map(|number| format!("fix-{number}")).collect();
    for branch in &branches {
        story.promote_preview("docs", branch);
    }
    for branch in &branches {
        story.delete_branch("docs", branch);
    }
    story.queue = read_back(&story.queue);
    story.settle(&Limits::default());
    assert!(story.queue.sites.iter().all(|(_, site)| site.previews.is_empty()));
    story.promote_preview("docs", &branches[0]);
    assert_eq!(schedule(&story.queue, &Limits::default(), story.now).len(), 1, "what is synced late is taken down");
}

#[test]
fn a_branch_that_is_published_by_its_name_is_built_although_it_was_deleted_once() {
    let mut story = Story::new();
    story.site("docs", "acme");
    story.delete_branch("docs", "next");
    let published = SiteSettings { branch: "next".parse().unwrap(), ..settings("https://git.example/docs") };
    story.state(&site("docs").to_string(), SiteEvent::SettingsChanged { settings: published });
    let build = BuildId(Uuid::from_u128(99));
    let request = build::Command::Request {
        site: site("docs"),
        branch: "next".parse().unwrap(),
        commit: None,
        upload: None,
        pull_request: None,
        clear_cache: false,
    };
    story.build(build, &request);
    story.settle(&Limits::default());
    assert_eq!(story.active(), [build]);
}
