//! Two pushes of one branch and its deletion, exhaustively as in [`super::orders`]: in whatever order they arrive, and
//! however often, no preview is left.

use super::orders::{Moment, tell};
use super::sources::Delivery::{self, Delete, Push};
use super::*;

const ORDERS: [[Delivery; 3]; 6] = [
    [Push(1), Push(2), Delete(2)],
    [Push(1), Delete(2), Push(2)],
    [Push(2), Push(1), Delete(2)],
    [Push(2), Delete(2), Push(1)],
    [Delete(2), Push(1), Push(2)],
    [Delete(2), Push(2), Push(1)],
];

/// Everything is delivered once more, and nothing follows.
fn nothing_is_shown(moment: &Moment) {
    let mut branches = moment.branches.clone();
    for delivery in ORDERS[0] {
        branches.hear(delivery);
    }
    assert_eq!(schedule(&branches.story.queue, &limits(9, 9, 9), branches.story.now), []);
    assert_eq!(branches.alias.deploy, None, "shown {:?}", branches.shown);
    let ended = |id: &BuildId| branches.story.ended(*id) || !branches.story.aggregates.contains_key(id);
    assert!(branches.commits.keys().all(ended));
}

#[test]
fn a_deleted_branch_has_no_preview_in_whatever_order_its_story_arrives() {
    for order in ORDERS {
        let moments = tell(Moment::new("fix", &order), &|_| (), &nothing_is_shown);
        assert!(moments > 7, "{order:?}: {moments} moments");
    }
}

#[test]
fn a_push_that_comes_after_the_deletion_of_what_it_made_is_told_and_not_built() {
    for order in [ORDERS[1], ORDERS[5]] {
        let mut story = Moment::new("fix", &order).branches;
        order.into_iter().for_each(|delivery| story.hear(delivery));
        let said = schedule(&story.story.queue, &limits(9, 9, 9), story.story.now);
        let late = |decision: &Decision| match decision {
            Decision::Build(_, build::Command::Skip { job, reason }, _) if reason.contains("deleted") => {
                job.commit.clone()
            }
            Decision::Build(..)
            | Decision::Alias(..)
            | Decision::Site(..)
            | Decision::DeleteSite(..)
            | Decision::Schedule(..)
            | Decision::Expire(..)
            | Decision::Organization(..) => None,
        };
        let told: Vec<_> = said.iter().filter_map(late).map(|commit| commit.as_str()[39..].to_owned()).collect();
        assert!(told.contains(&"2".to_owned()) && said.len() == told.len(), "{order:?}: {said:?}");
    }
}

#[test]
fn a_late_push_of_a_deleted_branch_takes_back_neither_its_deletion_nor_what_was_made_anew() {
    let mut story = Moment::new("fix", &[]).branches;
    for delivery in [Push(1), Delete(2), Push(2)] {
        story.hear(delivery);
    }
    let known = story.story.queue.sites.get(&site("docs")).unwrap();
    assert!(known.gone.contains(&"fix".parse().unwrap()), "what is synced late is still taken down");
    let anew = story.story.push("docs", "fix");
    story.story.settle(&limits(9, 9, 9));
    assert_eq!(story.story.active(), [anew]);
}
