//! What was signed with the secret of one site is believed of that site alone.

use super::*;
use events::CommitId;

/// Two sites of one repository.
fn twins() -> Story {
    let mut story = Story::new();
    for (name, organization) in [("docs", "north"), ("copy", "south")] {
        let SiteEvent::Created { name: called, organization, settings } = created(name, organization) else {
            panic!("not a new site")
        };
        let settings = SiteSettings { repository: "https://git.example/docs.git".parse().unwrap(), ..settings };
        let fact = SiteEvent::Created { name: called, organization, settings };
        story.state(&site(name).to_string(), fact);
        story.queue.wishes.retain(|_, wish| wish.site != site(name));
    }
    story
}

fn commit(number: u8) -> CommitId {
    format!("{number:040x}").parse().unwrap()
}

/// A push from one commit to the next one, for one site or for all.
fn push(story: &mut Story, before: u8, signed_for: Option<&str>) -> Vec<SiteId> {
    let delivery = format!("{before} {signed_for:?}");
    let cause = story.state(
        "repository",
        RepositoryEvent::PushReceived {
            repository: "https://git.example/docs.git".parse().unwrap(),
            branch: "main".parse().unwrap(),
            before: Some(commit(before)),
            commit: commit(before + 1),
            summary: "text".to_owned(),
            delivery,
            skip: false,
            paths: None,
            site: signed_for.map(site),
            pull_request: None,
        },
    );
    let wished = |name: &&&str| {
        let wish = story.queue.wishes.get(&BuildId::of(cause, site(name)));
        wish.is_some_and(|wish| wish.reason == Reason::Push && wish.commit == Some(commit(before + 1)))
    };
    ["docs", "copy"].iter().filter(wished).map(|name| site(name)).collect()
}

#[test]
fn it_builds_that_site_and_no_other() {
    let mut story = twins();
    assert_eq!(push(&mut story, 1, None), [site("docs"), site("copy")]);
    assert_eq!(push(&mut story, 2, Some("copy")), [site("copy")]);
    assert_eq!(push(&mut story, 2, Some("docs")), [site("docs")]);
    assert_eq!(push(&mut story, 3, Some("nobody")), []);
}

/// Whoever may sign for `copy` claims that the branch has gone on: what comes next for the others is not late by that.
#[test]
fn what_it_says_of_the_branch_is_not_held_against_others() {
    let mut story = twins();
    assert_eq!(push(&mut story, 1, None), [site("docs"), site("copy")]);
    for forged in 2..9 {
        push(&mut story, forged, Some("copy"));
    }
    assert_eq!(push(&mut story, 2, None), [site("docs"), site("copy")]);
    assert_eq!(push(&mut story, 3, Some("docs")), [site("docs")]);
}
