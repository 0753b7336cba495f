//! A deploy: one immutable version of a site's files, in the site's bucket.

use crate::building::Keeping;
use crate::event::Synced;
use crate::{Aggregate, AliasName, DeployEvent, Event, Refusal, SiteId};

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
    /// It was kept no longer.
    Collected {
        /// The site it belonged to.
        site: SiteId,
    },
}

/// What may be asked of a deploy: to take note of what was done with it. Only who stored the bytes knows any of [`Synced`],
/// and the state adds to it no more than whether it was said before, so that what is asked and what is stated are one body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Its bytes and manifest are stored.
    Sync(Synced),
    /// The plain tree of an alias shows it.
    Mirror {
        /// Whose alias.
        site: SiteId,
        /// Which one.
        alias: AliasName,
        /// Files that were written.
        written: u64,
        /// Files that were removed.
        removed: u64,
    },
    /// Keep it no longer.
    Collect {
        /// What its site keeps.
        keeping: Keeping,
    },
}

impl Aggregate for Deploy {
    const KIND: &'static str = "deploy";
    type Command = Command;
    type Fact = DeployEvent;

    fn narrow(event: &Event) -> Option<&DeployEvent> {
        if let Event::Deploy(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<DeployEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown, Command::Sync(synced)) => Ok(vec![DeployEvent::Synced(synced.clone())]),
            (Self::Synced { .. } | Self::Collected { .. }, Command::Sync(_))
            | (Self::Collected { .. }, Command::Collect { .. }) => Ok(vec![]),
            (Self::Unknown, Command::Mirror { .. } | Command::Collect { .. }) => Err(Refusal::DeployNotSynced),
            (Self::Collected { .. }, Command::Mirror { .. }) => Err(Refusal::DeployCollected),
            (Self::Synced { site, .. }, Command::Collect { keeping }) => {
                Ok(vec![DeployEvent::Collected { site: *site, keeping: *keeping }])
            }
            (Self::Synced { .. }, Command::Mirror { site, alias, written, removed }) => {
                let (site, alias) = (*site, alias.clone());
                Ok(vec![DeployEvent::Mirrored { site, alias, written: *written, removed: *removed }])
            }
        }
    }

    fn evolve(self, fact: &DeployEvent) -> Self {
        match fact {
            DeployEvent::Synced(Synced { site, number, source_sequence, .. }) => {
                Self::Synced { site: *site, number: *number, source_sequence: *source_sequence }
            }
            DeployEvent::Mirrored { .. } => self,
            DeployEvent::Collected { site, .. } => Self::Collected { site: *site },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;
    use crate::{BuildId, Digest};

    fn stored() -> Synced {
        Synced {
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

    fn mirror() -> Command {
        Command::Mirror { site: SiteId(uuid::Uuid::nil()), alias: AliasName::Live, written: 1, removed: 0 }
    }

    fn synced() -> DeployEvent {
        DeployEvent::Synced(stored())
    }

    fn mirrored() -> DeployEvent {
        DeployEvent::Mirrored { site: SiteId(uuid::Uuid::nil()), alias: AliasName::Live, written: 1, removed: 0 }
    }

    #[test]
    fn a_deploy_is_synced_once() {
        given::<Deploy>([]).when(Command::Sync(stored())).then([synced()]);
        given::<Deploy>([synced()]).when(Command::Sync(stored())).then([]);
    }

    #[test]
    fn a_deploy_is_collected_once_and_nothing_shows_it_any_more() {
        let (site, keeping) = (SiteId(uuid::Uuid::nil()), Keeping::default());
        let collected = DeployEvent::Collected { site, keeping };
        given::<Deploy>([]).when(Command::Collect { keeping }).refuses(Refusal::DeployNotSynced);
        given::<Deploy>([synced()]).when(Command::Collect { keeping }).then([collected.clone()]);
        given::<Deploy>([synced(), collected.clone()]).when(Command::Collect { keeping }).then([]);
        given::<Deploy>([synced(), collected.clone()]).when(Command::Sync(stored())).then([]);
        given::<Deploy>([synced(), collected]).when(mirror()).refuses(Refusal::DeployCollected);
    }

    #[test]
    fn only_a_synced_deploy_is_mirrored_and_it_may_be_again() {
        given::<Deploy>([]).when(mirror()).refuses(Refusal::DeployNotSynced);
        given::<Deploy>([synced(), mirrored()]).when(mirror()).then([mirrored()]);
    }
}
