//! An alias: the one switch of what a reader sees. Promotion and rollback are the same fact with different reasons.

use crate::{Aggregate, AliasEvent, AliasName, DeployId, Event, PromotionReason, Refusal, SiteId};

/// The state of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alias {
    /// What it shows.
    pub deploy: Option<DeployId>,
    /// The newest source it has ever shown: the log sequence of the fact that caused its build; 0 before the first.
    pub newest: u64,
    /// What it has shown, newest first, at most [`RECENT_MAX`]: where equal content is likely to be found.
    pub recent: Vec<DeployId>,
    /// Why it stays at what it shows; none if it may move.
    pub locked: Option<String>,
}

/// Deploys an alias remembers.
pub const RECENT_MAX: usize = 3;

/// Who asks for a promotion, and on what condition it may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// A build of the alias's branch was synced: it must be newer than all that was shown.
    Built,
    /// A person chose: older deploys are welcome, but only if the alias still shows what the person saw.
    Chosen {
        /// What the alias must show now; `None` asks nothing.
        expected: Option<DeployId>,
    },
}

/// What may be asked of an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Show this deploy.
    Promote {
        /// The site it belongs to.
        site: SiteId,
        /// Which name moves.
        alias: AliasName,
        /// What it shall show.
        deploy: DeployId,
        /// The number of the build that made the deploy.
        number: u64,
        /// The log sequence of the fact that caused that build.
        source_sequence: u64,
        /// Who asks.
        claim: Claim,
    },
    /// Show nothing any more.
    Remove {
        /// The site it belongs to.
        site: SiteId,
        /// Which name goes.
        alias: AliasName,
    },
    /// Stay at what is shown, whoever asks for another deploy.
    Lock {
        /// The site it belongs to.
        site: SiteId,
        /// Which name stays.
        alias: AliasName,
        /// Why.
        reason: String,
    },
    /// Move again when asked.
    Unlock {
        /// The site it belongs to.
        site: SiteId,
        /// Which name may move.
        alias: AliasName,
    },
}

impl Aggregate for Alias {
    const KIND: &'static str = "alias";
    type Command = Command;
    type Fact = AliasEvent;

    fn narrow(event: &Event) -> Option<&AliasEvent> {
        if let Event::Alias(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<AliasEvent>, Refusal> {
        match command.clone() {
            Command::Promote { site, alias, deploy, number, source_sequence, claim } => {
                // Whoever asks again for what is so already gets the same answer again.
                if self.deploy.as_ref() == Some(&deploy) {
                    return Ok(vec![]);
                }
                if let Some(reason) = &self.locked {
                    return Err(Refusal::SiteLocked { reason: reason.clone() });
                }
                let reason = match claim {
                    Claim::Built if source_sequence <= self.newest => {
                        return Err(Refusal::OlderBuild { alias, number });
                    }
                    Claim::Built => PromotionReason::Built,
                    Claim::Chosen { expected } if expected.is_some() && expected != self.deploy => {
                        return Err(Refusal::AliasMoved { alias, current: self.deploy.clone() });
                    }
                    Claim::Chosen { .. } => PromotionReason::Chosen,
                };
                let previous = self.deploy.clone();
                Ok(vec![AliasEvent::Promoted { site, alias, deploy, number, source_sequence, previous, reason }])
            }
            Command::Remove { site, alias } => match self.deploy.clone() {
                Some(previous) => Ok(vec![AliasEvent::Removed { site, alias, previous }]),
                None if self.newest > 0 => Ok(vec![]),
                None => Err(Refusal::AliasNotFound(alias)),
            },
            Command::Lock { reason, .. } if self.locked.as_ref() == Some(&reason) => Ok(vec![]),
            Command::Lock { site, alias, reason } => Ok(vec![AliasEvent::Locked { site, alias, reason }]),
            Command::Unlock { .. } if self.locked.is_none() => Ok(vec![]),
            Command::Unlock { site, alias } => Ok(vec![AliasEvent::Unlocked { site, alias }]),
        }
    }

    fn evolve(mut self, fact: &AliasEvent) -> Self {
        match fact {
            AliasEvent::Promoted { deploy, source_sequence, .. } => {
                self.recent.retain(|shown| shown != deploy);
                self.recent.insert(0, deploy.clone());
                self.recent.truncate(RECENT_MAX);
                Self { deploy: Some(deploy.clone()), newest: self.newest.max(*source_sequence), ..self }
            }
            AliasEvent::Removed { .. } => Self { deploy: None, ..self },
            AliasEvent::Locked { reason, .. } => Self { locked: Some(reason.clone()), ..self },
            AliasEvent::Unlocked { .. } => Self { locked: None, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BuildId;
    use crate::aggregate::story::given;
    use proptest::prelude::*;

    const SITE: SiteId = SiteId(uuid::Uuid::nil());

    /// The numbers of builds run against the order of their sources, as late appends may give them out.
    const fn number(source: u64) -> u64 {
        1000 - source
    }

    fn deploy(number: u64) -> DeployId {
        DeployId::of(BuildId(uuid::Uuid::from_u128(number.into())))
    }

    fn promote(source_sequence: u64, claim: Claim) -> Command {
        let (alias, deploy, number) = (AliasName::Live, deploy(source_sequence), number(source_sequence));
        Command::Promote { site: SITE, alias, deploy, number, source_sequence, claim }
    }

    fn promoted(source_sequence: u64, previous: Option<u64>, reason: PromotionReason) -> AliasEvent {
        let (alias, deploy, number) = (AliasName::Live, deploy(source_sequence), number(source_sequence));
        let previous = previous.map(self::deploy);
        AliasEvent::Promoted { site: SITE, alias, deploy, number, source_sequence, previous, reason }
    }

    use PromotionReason::{Built, Chosen};

    #[test]
    fn a_newer_build_goes_live() {
        given::<Alias>([promoted(1, None, Built)]).when(promote(2, Claim::Built)).then([promoted(2, Some(1), Built)]);
    }

    #[test]
    fn an_older_build_that_ends_late_does_not_replace_a_newer_one() {
        let refusal = Refusal::OlderBuild { alias: AliasName::Live, number: number(1) };
        given::<Alias>([promoted(2, None, Built)]).when(promote(1, Claim::Built)).refuses(refusal);
    }

    #[test]
    fn a_build_that_was_overtaken_stays_back_even_after_a_rollback() {
        let history = [promoted(1, None, Built), promoted(3, Some(1), Built), promoted(1, Some(3), Chosen)];
        let refusal = Refusal::OlderBuild { alias: AliasName::Live, number: number(2) };
        given::<Alias>(history).when(promote(2, Claim::Built)).refuses(refusal);
    }

    #[test]
    fn a_person_may_roll_back() {
        let expected = Some(deploy(2));
        given::<Alias>([promoted(1, None, Built), promoted(2, Some(1), Built)])
            .when(promote(1, Claim::Chosen { expected }))
            .then([promoted(1, Some(2), Chosen)]);
    }

    #[test]
    fn a_rollback_and_a_finishing_build_cannot_race() {
        let expected = Some(deploy(1));
        let refusal = Refusal::AliasMoved { alias: AliasName::Live, current: Some(deploy(2)) };
        given::<Alias>([promoted(1, None, Built), promoted(2, Some(1), Built)])
            .when(promote(1, Claim::Chosen { expected }))
            .refuses(refusal);
    }

    #[test]
    fn promoting_what_is_shown_is_harmless() {
        given::<Alias>([promoted(1, None, Built)]).when(promote(1, Claim::Built)).then([]);
        let history = [promoted(1, None, Built), promoted(2, Some(1), Built), promoted(1, Some(2), Chosen)];
        let first_asked = Claim::Chosen { expected: Some(deploy(2)) };
        given::<Alias>(history).when(promote(1, first_asked)).then([]);
    }

    #[test]
    fn an_alias_remembers_the_last_deploys_it_showed_each_once() {
        let history = [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(3)), (3, Some(4))];
        let alias = history
            .iter()
            .fold(Alias::default(), |alias, (number, previous)| alias.evolve(&promoted(*number, *previous, Chosen)));
        assert_eq!(alias.recent, [deploy(3), deploy(4), deploy(2)]);
    }

    #[test]
    fn a_locked_alias_stays_at_what_it_shows_whoever_asks_until_it_is_unlocked() {
        let (site, alias) = (SITE, AliasName::Live);
        let lock = |reason: &str| Command::Lock { site, alias: AliasName::Live, reason: reason.to_owned() };
        let locked = |reason: &str| AliasEvent::Locked { site, alias: AliasName::Live, reason: reason.to_owned() };
        let unlocked = || AliasEvent::Unlocked { site, alias: AliasName::Live };
        let refusal = || Refusal::SiteLocked { reason: "election".to_owned() };
        let history = || [promoted(1, None, Built), promoted(2, Some(1), Built), locked("election")];
        given::<Alias>(history()).when(promote(3, Claim::Built)).refuses(refusal());
        given::<Alias>(history()).when(promote(1, Claim::Chosen { expected: Some(deploy(2)) })).refuses(refusal());
        given::<Alias>(history()).when(promote(2, Claim::Built)).then([]);
        given::<Alias>(history()).when(lock("election")).then([]);
        given::<Alias>(history()).when(lock("audit")).then([locked("audit")]);
        given::<Alias>(history()).when(Command::Unlock { site, alias: alias.clone() }).then([unlocked()]);
        given::<Alias>([]).when(Command::Unlock { site, alias }).then([]);
        let history = history().into_iter().chain([unlocked()]);
        given::<Alias>(history.collect::<Vec<_>>()).when(promote(3, Claim::Built)).then([promoted(3, Some(2), Built)]);
    }

    #[test]
    fn an_alias_that_never_was_cannot_be_removed() {
        let remove = Command::Remove { site: SITE, alias: AliasName::Live };
        given::<Alias>([]).when(remove).refuses(Refusal::AliasNotFound(AliasName::Live));
    }

    proptest! {
        #[test]
        fn builds_alone_only_ever_move_an_alias_forward(numbers in proptest::collection::vec(1u64..20, 1..40)) {
            let mut alias = Alias::default();
            let mut shown = 0;
            for number in numbers {
                for fact in alias.decide(&promote(number, Claim::Built)).unwrap_or_default() {
                    prop_assert!(number > shown);
                    shown = number;
                    alias = alias.evolve(&fact);
                }
            }
        }
    }
}
