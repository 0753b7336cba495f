//! A deploy: one immutable version of a site's files, in the site's bucket.

use crate::{Aggregate, DeployEvent, Event, Refusal, SiteId};

/// The state of a deploy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Deploy {
    /// Its bytes are not all there.
    #[default]
    Unknown,
    /// It can be shown.
    Synced {
        /// The site it belongs to.
        site: SiteId,
        /// The number of the build that made it.
        number: u64,
        /// The log sequence of the fact that caused that build.
        source_sequence: u64,
    },
}

/// What may be asked of a deploy: to record what was done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Its bytes and manifest are stored, or an alias's plain tree shows it.
    Record(DeployEvent),
}

impl Aggregate for Deploy {
    const KIND: &'static str = "deploy";
    type Command = Command;
    type Fact = DeployEvent;

    fn narrow(event: &Event) -> Option<&DeployEvent> {
        if let Event::Deploy(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, Command::Record(fact): &Command) -> Result<Vec<DeployEvent>, Refusal> {
        match (self, fact) {
            (Self::Unknown, DeployEvent::Synced { .. }) | (Self::Synced { .. }, DeployEvent::Mirrored { .. }) => {
                Ok(vec![fact.clone()])
            }
            (Self::Synced { .. }, DeployEvent::Synced { .. }) => Ok(vec![]),
            (Self::Unknown, DeployEvent::Mirrored { .. }) => Err(Refusal::DeployNotSynced),
        }
    }

    fn evolve(self, fact: &DeployEvent) -> Self {
        match fact {
            DeployEvent::Synced { site, number, source_sequence, .. } => {
                Self::Synced { site: *site, number: *number, source_sequence: *source_sequence }
            }
            DeployEvent::Mirrored { .. } => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;
    use crate::{AliasName, BuildId, Digest};

    fn synced() -> DeployEvent {
        DeployEvent::Synced {
            site: SiteId(uuid::Uuid::nil()),
            build: BuildId(uuid::Uuid::from_u128(1)),
            number: 1,
            source_sequence: 2,
            branch: "main".parse().unwrap(),
            alias: AliasName::Live,
            commit: "a".repeat(40).parse().unwrap(),
            content: Digest::of(b"files"),
            files: 1,
            bytes: 5,
            uploaded_files: 1,
            uploaded_bytes: 5,
            requests: 3,
        }
    }

    fn mirrored() -> DeployEvent {
        DeployEvent::Mirrored { site: SiteId(uuid::Uuid::nil()), alias: AliasName::Live, written: 1, removed: 0 }
    }

    #[test]
    fn a_deploy_is_synced_once() {
        given::<Deploy>([]).when(Command::Record(synced())).then([synced()]);
        given::<Deploy>([synced()]).when(Command::Record(synced())).then([]);
    }

    #[test]
    fn only_a_synced_deploy_is_mirrored_and_it_may_be_again() {
        given::<Deploy>([]).when(Command::Record(mirrored())).refuses(Refusal::DeployNotSynced);
        given::<Deploy>([synced(), mirrored()]).when(Command::Record(mirrored())).then([mirrored()]);
    }
}
