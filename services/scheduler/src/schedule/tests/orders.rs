//! The deliveries of one branch, exhaustively: every order in which they arrive, every append that fails or does not, every
//! promotion delivered once or twice, and every interleaving of all these.

use super::sources::{Branches, Delivery};
use super::*;
use std::collections::HashSet;

/// One moment of the story.
#[derive(Clone)]
pub(super) struct Moment {
    pub(super) branches: Branches,
    /// What has not arrived, the next one first.
    arriving: Vec<Delivery>,
    /// Deploys that ask for the alias, with the deliveries that are left.
    asking: Vec<(BuildId, usize)>,
}

impl Moment {
    pub(super) fn new(branch: &str, arriving: &[Delivery]) -> Self {
        Self { branches: Branches::new(branch), arriving: arriving.to_vec(), asking: Vec::new() }
    }

    fn decisions(&self) -> Vec<Decision> {
        schedule(&self.branches.story.queue, &limits(9, 9, 9), self.branches.story.now)
    }

    fn then(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        change(&mut next);
        next
    }

    /// Everything that can happen next.
    fn next(&self) -> Vec<Self> {
        let mut next = Vec::new();
        if let Some(delivery) = self.arriving.first() {
            next.push(self.then(|moment| {
                moment.branches.hear(*delivery);
                moment.arriving.remove(0);
            }));
        }
        let decisions = self.decisions();
        // What is said together is appended one by one: each may fail, and is decided anew.
        for stored in 1_u32..1 << decisions.len() {
            next.push(self.then(|moment| {
                for (_, decision) in decisions.iter().enumerate().filter(|(index, _)| stored & (1 << index) != 0) {
                    moment.branches.say(decision.clone());
                }
            }));
        }
        for id in self.branches.story.active() {
            next.push(self.then(|moment| {
                moment.branches.story.finish(id);
                moment.asking.push((id, 2));
            }));
        }
        for (index, (id, left)) in self.asking.iter().enumerate().filter(|(_, (_, left))| *left > 0) {
            next.push(self.then(|moment| {
                moment.branches.promote(*id);
                moment.asking[index].1 = left - 1;
            }));
        }
        next
    }

    /// Whether nothing is left but deliveries that need not come.
    fn rests(&self) -> bool {
        let heard = self.asking.iter().all(|(_, left)| *left < 2);
        self.arriving.is_empty() && heard && self.branches.story.active().is_empty() && self.decisions().is_empty()
    }

    /// All that what comes next depends on, and what was shown: moments that agree in it need one look.
    fn essence(&self) -> String {
        let number = |id: &BuildId| self.branches.commits.get(id);
        let story = &self.branches.story;
        let wishes: Vec<_> = story.queue.wishes.values().map(|wish| number(&wish.build)).collect();
        let open = |(id, build): (&BuildId, &OpenBuild)| format!("{:?} {:?}", number(id), build.progress);
        let mut builds: Vec<String> = story.queue.builds.iter().map(open).collect();
        builds.sort();
        let mut asking: Vec<_> = self.asking.iter().map(|(id, left)| (number(id), left)).collect();
        asking.sort();
        let shown = (&self.branches.shown, &self.branches.alias.deploy, story.queue.removals.len());
        format!("{:?} {wishes:?} {builds:?} {asking:?} {shown:?}", self.arriving.len())
    }
}

/// Looks at every story that begins with `first`: at each of its moments, and at each where it rests. Answers how many
/// moments there are.
pub(super) fn tell(first: Moment, check: &dyn Fn(&Moment), check_rest: &dyn Fn(&Moment)) -> usize {
    let (mut seen, mut ahead) = (HashSet::new(), vec![first]);
    while let Some(moment) = ahead.pop() {
        if !seen.insert(moment.essence()) {
            continue;
        }
        check(&moment);
        if moment.rests() {
            check_rest(&moment);
        }
        ahead.extend(moment.next());
    }
    seen.len()
}

fn pushes(arriving: [usize; 3]) -> Moment {
    Moment::new("main", &arriving.map(Delivery::Push))
}

fn nothing_older(moment: &Moment) {
    assert!(moment.branches.shown.is_sorted(), "an older commit went live: {:?}", moment.branches.shown);
}

fn the_newest(moment: &Moment) {
    assert_eq!(moment.branches.shown.last(), Some(&3), "{:?}", moment.branches.shown);
}

#[test]
fn in_whatever_order_pushes_arrive_the_newest_source_goes_live_and_nothing_older_after_it() {
    for arriving in [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 2, 1]] {
        let moments = tell(pushes(arriving), &nothing_older, &the_newest);
        assert!(moments > 30, "{moments} moments");
    }
}

/// The first push is taken for a forced one until the second tells that it is not.
#[test]
fn a_branch_that_was_overtaken_by_its_own_beginning_ends_at_its_newest_source() {
    let moments = tell(pushes([3, 1, 2]), &|_| (), &the_newest);
    assert!(moments > 30, "{moments} moments");
}
