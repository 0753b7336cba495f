//! A cache that was cleared is cleared for every launcher: each build says from which on a cache is good.

use super::*;

fn asked(story: &mut Story, number: u128, clear_cache: bool) {
    let request = build::Command::Request {
        site: site("docs"),
        branch: "main".parse().unwrap(),
        commit: None,
        upload: None,
        pull_request: None,
        clear_cache,
    };
    story.build(BuildId(Uuid::from_u128(number)), &request);
}

/// The numbers of the builds that are queued next, each with the first one whose cache it may have.
fn queued(story: &Story) -> Vec<(u64, Option<u64>)> {
    let decisions = schedule(&story.queue, &Limits::default(), story.now);
    let jobs = decisions.into_iter().filter_map(|decision| {
        let Decision::Build(_, build::Command::Queue(job), _) = decision else { return None };
        Some((job.number, job.cache_from))
    });
    jobs.collect()
}

#[test]
fn what_was_kept_before_is_good_for_no_build_after_it_was_cleared() {
    let mut story = Story::new();
    story.site("docs", "acme");
    asked(&mut story, 71, false);
    asked(&mut story, 72, true);
    asked(&mut story, 73, false);
    assert_eq!(queued(&story), [(1, None), (2, Some(2)), (3, Some(2))], "also of those that are queued at once");
    story.settle(&Limits::default());
    asked(&mut story, 74, false);
    assert_eq!(queued(&story), [(4, Some(2))]);
    asked(&mut story, 75, true);
    story.settle(&Limits::default());
    asked(&mut story, 76, false);
    assert_eq!(queued(&story), [(6, Some(5))]);
}
