//! Why an attempt can end without an end of its build: the platform cannot go on with it, and the build is given back.

/// What was missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// The sandbox could not be reached until the time of the attempt was over.
    Sandbox,
    /// The object store did not take the artifact until then.
    Store,
    /// It refused the artifact.
    StoreRefuses,
    /// The disk of this machine is full, whoever filled it.
    Disk,
    /// The launcher was asked to end.
    Shutdown,
}

impl Interruption {
    /// For the person who reads the build.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Sandbox => "The build sandbox could not be reached in time.",
            Self::Store => "The artifact could not be stored in time.",
            Self::StoreRefuses => "The object store refused the artifact.",
            Self::Disk => "The launcher's disk is full.",
            Self::Shutdown => "The launcher was shut down.",
        }
    }

    /// For a metric.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Store | Self::StoreRefuses => "object_store",
            Self::Disk => "disk",
            Self::Shutdown => "shutdown",
        }
    }
}
