//! A long history of a platform, made by rule from a seed: the same seed tells the same facts. For measurements, which need
//! more of a past than any story can tell.
//!
//! Sites are created one after another, each with its first build; then pushes come to sites by chance. Several builds
//! are under way at any time, so that their facts lie between each other as in a real log. Nothing is left open at the end.

mod cast;
mod chance;
mod facts;
mod plot;
mod story;

use cast::Cast;
use chance::Chance;
use events::{Actor, Envelope, Event, Recorded, RepositoryUrl};
use story::{Story, Told};
use time::{Duration, OffsetDateTime};

/// Stories that are told at the same time.
const AT_ONCE: usize = 16;
/// 2025-01-01T00:00:00Z, when it begins.
const BEGINNING: i64 = 1_735_689_600;
/// What lies between two facts.
const PACE: Duration = Duration::milliseconds(250);

/// A history under way: the facts of a log, from sequence 1.
pub struct History {
    chance: Chance,
    cast: Cast,
    stories: Vec<Story>,
    sequence: u64,
    facts: u64,
}

impl History {
    /// `facts` facts over `sites` sites. There are fewer sites if there are not facts enough for so many.
    #[must_use]
    pub fn new(seed: u64, facts: u64, sites: usize) -> Self {
        Self { chance: Chance::new(seed), cast: Cast::new(sites), stories: Vec::new(), sequence: 0, facts }
    }

    /// Begins stories as long as they can come to their end.
    fn begin(&mut self) {
        let most = AT_ONCE.min(self.cast.most());
        let mut promised: u64 = self.stories.iter().map(Story::left).sum();
        while self.stories.len() < most && self.sequence + promised + story::LONGEST <= self.facts {
            let story = Story::begin(&mut self.cast, &mut self.chance);
            promised += story.left();
            self.stories.push(story);
        }
    }

    fn recorded(&mut self, told: Told) -> Recorded {
        self.sequence += 1;
        let since = PACE * i32::try_from(self.sequence).unwrap();
        let Told { id, subject, service, actor, correlation, causation, event } = told;
        let envelope = Envelope {
            id,
            source: format!("/pagefold/{service}"),
            subject,
            time: OffsetDateTime::from_unix_timestamp(BEGINNING).unwrap() + since,
            correlation,
            causation,
            actor: Actor(actor),
            traceparent: Some(format!("00-{:032x}-{:016x}-01", correlation.as_u128(), correlation.as_u64_pair().1)),
            tracestate: None,
        };
        Recorded { sequence: self.sequence, envelope, event }
    }

    /// A push to a repository that no site has.
    fn stray(&mut self) -> Told {
        let (id, commit) = (self.chance.uuid(), facts::commit(&mut self.chance));
        let repository: RepositoryUrl = "https://git.example.org/nobody/nothing".parse().unwrap();
        let branch = "main".parse().unwrap();
        let event: Event = facts::arrived(&repository, &branch, &commit, &mut self.chance).into();
        let (service, actor) = facts::stated_by(&event);
        let (subject, actor) = (repository.canonical(), actor.to_owned());
        Told { id, subject, service, actor, correlation: id, causation: None, event }
    }
}

impl Iterator for History {
    type Item = Recorded;

    fn next(&mut self) -> Option<Recorded> {
        if self.sequence == self.facts {
            return None;
        }
        self.begin();
        if self.stories.is_empty() {
            let stray = self.stray();
            return Some(self.recorded(stray));
        }
        let index = self.chance.below(self.stories.len());
        let told = self.stories[index].tell(self.sequence + 1, &mut self.cast, &mut self.chance);
        if self.stories[index].left() == 0 {
            self.stories.swap_remove(index).end(&mut self.cast);
        }
        Some(self.recorded(told))
    }
}

#[cfg(test)]
mod tests;
