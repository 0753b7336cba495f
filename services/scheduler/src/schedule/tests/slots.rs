//! Who gets a slot, and for how long.

use super::*;

#[test]
fn slots_are_shared_fairly_between_organizations_and_sites() {
    let mut story = Story::new();
    for (site, organization) in [("a-one", "busy"), ("a-two", "busy"), ("b-one", "calm")] {
        story.site(site, organization);
    }
    let mut pushed = Map::new();
    for branch in ["main", "x", "y"] {
        for site in ["a-one", "a-two"] {
            pushed.insert((site, branch), story.push(site, branch));
        }
    }
    let calm = story.push("b-one", "main");
    story.settle(&limits(3, 3, 3));
    // The calm organization waits for none of the six builds before it, and each busy site gets one slot.
    let mut expected = vec![pushed[&("a-one", "main")], pushed[&("a-two", "main")], calm];
    expected.sort();
    assert_eq!(story.active(), expected);
}

#[test]
fn limits_of_site_organization_and_platform_hold() {
    let mut story = Story::new();
    for site in ["a-one", "a-two", "a-three"] {
        story.site(site, "acme");
        for branch in ["main", "x", "y"] {
            story.push(site, branch);
        }
    }
    story.settle(&limits(9, 9, 1));
    assert_eq!(story.active().len(), 3);
    story.settle(&limits(9, 4, 9));
    assert_eq!(story.active().len(), 4);
    story.settle(&limits(5, 9, 9));
    assert_eq!(story.active().len(), 5);
}

#[test]
fn a_silent_launcher_does_not_hold_a_slot_for_ever() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let build = story.push("docs", "main");
    story.settle(&Limits::default());
    story.build(build, &build::Command::Start { worker: "w".to_owned() });
    story.now += time::Duration::seconds(Limits::default().running_max_s + 1);
    story.settle(&Limits::default());
    assert!(story.ended(build));
}

#[test]
fn a_build_that_was_given_back_waits_for_a_launcher_and_its_time_begins_anew() {
    let mut story = Story::new();
    story.site("docs", "acme");
    let build = story.push("docs", "main");
    story.settle(&Limits::default());
    story.build(build, &build::Command::Start { worker: "w".to_owned() });
    story.now += time::Duration::seconds(Limits::default().running_max_s);
    story.build(build, &build::Command::Interrupt { attempt: 1, reason: "The store is away.".to_owned() });
    story.now += time::Duration::seconds(Limits::default().waiting_max_s);
    story.settle(&Limits::default());
    assert!(!story.ended(build));
    story.now += time::Duration::seconds(1);
    story.settle(&Limits::default());
    assert!(story.ended(build));
}
