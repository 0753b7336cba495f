//! The cases, and what they are called.

use super::stage::{Stage, Target};
use super::{outage, overlap, table};
use crate::Service;
use std::fmt;

/// What a push leads to, in the order in which it is stated.
pub(super) const STORY: [&str; 9] = [
    "repository.push_received",
    "build.queued",
    "build.dispatched",
    "build.started",
    "build.finished",
    "build.log_archived",
    "deploy.synced",
    "alias.promoted",
    "deploy.mirrored",
];

const MOMENTS: [&str; 2] = ["before", "after"];

/// A story that is told under hard conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// Something is killed while the writer of a fact is held.
    Killed {
        moment: &'static str,
        fact: &'static str,
        target: Target,
    },
    ThreeDeliveries,
    TwoPushesWhileOneBuilds,
    LateOlderBuild,
    StoreRefuses,
    PostgresAway,
    DiskFull,
}

pub(super) fn all() -> Vec<Case> {
    let services = Service::ALL.map(Target::Service);
    let targets = [Target::Up, Target::Nats, Target::Postgres].into_iter().chain(services);
    let mut cases = Vec::new();
    for target in targets {
        for fact in STORY {
            cases.extend(MOMENTS.map(|moment| Case::Killed { moment, fact, target }));
        }
    }
    cases.extend([Case::StoreRefuses, Case::DiskFull, Case::PostgresAway]);
    cases.extend([Case::ThreeDeliveries, Case::TwoPushesWhileOneBuilds, Case::LateOlderBuild]);
    cases
}

impl Case {
    /// What is to be killed, which tells what has to run.
    pub(super) const fn target(self) -> Option<Target> {
        match self {
            Self::Killed { target, .. } => Some(target),
            Self::ThreeDeliveries
            | Self::TwoPushesWhileOneBuilds
            | Self::LateOlderBuild
            | Self::StoreRefuses
            | Self::PostgresAway
            | Self::DiskFull => None,
        }
    }

    pub(super) async fn play(self, stage: &mut Stage) {
        match self {
            Self::Killed { moment, fact, target } => {
                table::killed(stage, &format!("{moment}-{fact}"), target).await;
            }
            Self::ThreeDeliveries => overlap::three_deliveries(stage).await,
            Self::TwoPushesWhileOneBuilds => overlap::two_pushes_while_one_builds(stage).await,
            Self::LateOlderBuild => overlap::late_older_build(stage).await,
            Self::StoreRefuses => outage::store_refuses(stage).await,
            Self::PostgresAway => outage::postgres_is_away(stage).await,
            Self::DiskFull => outage::disk_is_full(stage).await,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed { moment, fact, target } => write!(f, "{moment} {fact}, {target}"),
            Self::ThreeDeliveries => f.write_str("three deliveries of one push"),
            Self::TwoPushesWhileOneBuilds => f.write_str("two pushes while one builds"),
            Self::LateOlderBuild => f.write_str("a late older build"),
            Self::StoreRefuses => f.write_str("the object store refuses for 30 s"),
            Self::PostgresAway => f.write_str("PostgreSQL is away for the whole run"),
            Self::DiskFull => f.write_str("the launcher's disk is full"),
        }
    }
}
