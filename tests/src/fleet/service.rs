//! The services of a fleet.

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The API, the webhooks and the dashboard.
    Web,
    /// The scheduler.
    Scheduler,
    /// A launcher of builds.
    Launcher,
    /// A syncer of deploys.
    Syncer,
    /// What tells receivers.
    Notifier,
    /// The writer of the read model.
    Projector,
    /// An edge.
    Edge,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Web, Self::Scheduler, Self::Launcher, Self::Syncer, Self::Notifier, Self::Projector, Self::Edge];

    /// Its subcommand, its user in the log, its key of the object store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Scheduler => "scheduler",
            Self::Launcher => "launcher",
            Self::Syncer => "syncer",
            Self::Notifier => "notifier",
            Self::Projector => "projector",
            Self::Edge => "edge",
        }
    }
}
