//! One story: what makes a build, the build, and what comes of it.

use super::cast::{Cast, Member};
use super::chance::Chance;
use super::facts;
use super::plot::Plot;
use events::{AliasName, BuildId, Event, EventId};

/// Facts of the longest story.
pub(super) const LONGEST: u64 = 13;
/// How often, in a hundred, a push goes to another branch than the live one, cannot be built, is overtaken by nobody in
/// particular, and how often the branch of a preview goes.
const PREVIEWS: usize = 20;
const FAILURES: usize = 6;
const CANCELED: usize = 4;
const LEAVING: usize = 50;

/// Makes one fact: what it is about, and what it says.
type Step = fn(&mut Plot, &mut Member, &mut Chance) -> (String, Event);

const FOUNDED: &[Step] = &[facts::organization, facts::handle];
const CREATED: &[Step] = &[facts::site, facts::host];
const PUSHED: &[Step] = &[facts::push];
const OVERTAKEN: &[Step] = &[facts::queued, facts::canceled];
const FAILED: &[Step] = &[facts::queued, facts::dispatched, facts::started, facts::failed, facts::archived];
const BUILT: &[Step] = &[facts::queued, facts::dispatched, facts::started, facts::built, facts::archived];
const SHOWN: &[Step] = &[facts::synced, facts::promoted, facts::mirrored];
const LEFT: &[Step] = &[facts::branch_deleted, facts::removed];

/// A fact without its place.
pub(super) struct Told {
    pub(super) id: EventId,
    pub(super) subject: String,
    pub(super) service: &'static str,
    pub(super) actor: String,
    pub(super) correlation: EventId,
    pub(super) causation: Option<EventId>,
    pub(super) event: Event,
}

pub(super) struct Story {
    member: usize,
    /// What is still to come, the next one last.
    steps: Vec<Step>,
    plot: Plot,
    begun: Option<EventId>,
    last: Option<EventId>,
}

impl Story {
    /// A new site as long as there are some to come, then pushes.
    pub(super) fn begin(cast: &mut Cast, chance: &mut Chance) -> Self {
        let mut branch = None;
        let (member, mut steps) = match cast.another(chance) {
            Some((member, true)) => (member, [FOUNDED, CREATED, BUILT, SHOWN].concat()),
            Some((member, false)) => (member, [CREATED, BUILT, SHOWN].concat()),
            None => {
                let member = cast.idle(chance);
                if chance.happens(PREVIEWS) {
                    branch = Some(format!("change-{}", cast.member(member).builds).parse().unwrap());
                }
                (member, pushed(branch.is_some(), chance))
            }
        };
        steps.reverse();
        let site = cast.member(member);
        site.builds += 1;
        let plot = Plot {
            alias: branch.clone().map_or(AliasName::Live, AliasName::Preview),
            branch: branch.unwrap_or_else(|| "main".parse().unwrap()),
            commit: facts::commit(chance),
            build: BuildId(EventId::nil()),
            number: site.builds,
            now: 0,
            id: EventId::nil(),
            source: 0,
        };
        Self { member, steps, plot, begun: None, last: None }
    }

    /// Facts that are still to come.
    pub(super) fn left(&self) -> u64 {
        self.steps.len() as u64
    }

    pub(super) fn end(self, cast: &mut Cast) {
        cast.release(self.member);
    }

    /// The next fact, which will stand at `sequence`.
    pub(super) fn tell(&mut self, sequence: u64, cast: &mut Cast, chance: &mut Chance) -> Told {
        let id = chance.uuid();
        (self.plot.now, self.plot.id) = (sequence, id);
        let step = self.steps.pop().unwrap();
        let (subject, event) = step(&mut self.plot, cast.member(self.member), chance);
        let (service, actor) = facts::stated_by(&event);
        let correlation = *self.begun.get_or_insert(id);
        let causation = self.last.replace(id);
        Told { id, subject, service, actor: actor.to_owned(), correlation, causation, event }
    }
}

/// What a push leads to.
fn pushed(is_preview: bool, chance: &mut Chance) -> Vec<Step> {
    if chance.happens(CANCELED) {
        [PUSHED, OVERTAKEN].concat()
    } else if chance.happens(FAILURES) {
        [PUSHED, FAILED].concat()
    } else if is_preview && chance.happens(LEAVING) {
        [PUSHED, BUILT, SHOWN, LEFT].concat()
    } else {
        [PUSHED, BUILT, SHOWN].concat()
    }
}
