//! Runs a [`ContainerSpec`]: in Docker (or Podman behind the same API), or in bubblewrap where no container engine runs.
//!
//! A build is stopped by SIGKILL at once, without a SIGTERM before: its workspace is thrown away, so it has nothing to save,
//! and whatever it would do in a grace period is what stopping is to prevent.

mod bubblewrap;
mod cgroups;
mod config;
mod docker;
mod error;
mod share;
mod sweep;
mod view;

pub use bubblewrap::Bubblewrap;
pub use config::{Config, DEFAULT_IMAGE, Kind};
pub use docker::Docker;
pub use error::Error;
pub use sweep::sweep_all;

use crate::lines::Lines;
use crate::spec::{ContainerSpec, Limits};
use std::io;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

/// Open files of one process. The kernel's own default hard limit: raising a limit may be forbidden, lowering never is.
const OPEN_FILES: u64 = 4096;

/// Where builds run.
pub enum Sandbox {
    Bubblewrap(Bubblewrap),
    Docker(Docker),
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself; a signal `n` is the code `128 + n`.
    Code(i64),
    /// It failed, and the kernel had killed at least one of its processes for memory.
    OutOfMemory,
    /// It was stopped. Nothing of it runs any more.
    Stopped,
}

/// What a container took, as far as the machine counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Time of processors, in milliseconds.
    pub cpu_ms: Option<u64>,
    /// The most main memory at once, in bytes.
    pub memory_peak_bytes: Option<u64>,
}

/// A container that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub exit: Exit,
    pub used: Used,
}

impl From<Exit> for Ended {
    /// Nothing is known of what it took.
    fn from(exit: Exit) -> Self {
        Self { exit, used: Used::default() }
    }
}

impl Sandbox {
    /// Finds a sandbox that works, by trying it.
    pub async fn detect(config: &Config) -> Result<Self, Error> {
        match config.kind {
            Kind::Docker => Docker::connect(config).await.map(Self::Docker),
            Kind::Bubblewrap => Bubblewrap::probe(config).await.map(Self::Bubblewrap),
            Kind::Auto => Self::first_working(config).await,
        }
    }

    async fn first_working(config: &Config) -> Result<Self, Error> {
        let docker = match Docker::connect(config).await {
            Ok(docker) => return Ok(Self::Docker(docker)),
            Err(error) => error,
        };
        match Bubblewrap::probe(config).await {
            Ok(bubblewrap) => Ok(Self::Bubblewrap(bubblewrap)),
            Err(error) => Err(Error::NoSandbox { docker: Box::new(docker), bubblewrap: Box::new(error) }),
        }
    }

    /// What it is, for a log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bubblewrap(_) => "bubblewrap",
            Self::Docker(_) => "docker",
        }
    }

    /// Whether it still works. Bubblewrap is a program, so it does.
    ///
    /// # Errors
    /// Why not, soon.
    pub async fn check(&self) -> Result<(), Error> {
        match self {
            Self::Bubblewrap(_) => Ok(()),
            Self::Docker(docker) => docker.check().await,
        }
    }

    /// Runs the container until it ends or `stop` fires; when this returns, nothing of it runs any more, unless an engine does
    /// not say so soon: what it may still run is removed beside, or left to [`sweep_all`]. Standard output and error go to
    /// `lines` together, line by line; a slow reader slows the build, a dropped one is passed over.
    ///
    /// To stop a build fire `stop`: a run that is dropped instead may leave a container behind, for [`Sandbox::sweep`].
    pub async fn run(
        &self,
        spec: &ContainerSpec,
        lines: Sender<String>,
        stop: CancellationToken,
    ) -> Result<Ended, Error> {
        match self {
            Self::Bubblewrap(bubblewrap) => bubblewrap.run(spec, &lines, &stop).await,
            Self::Docker(docker) => docker.run(spec, &lines, &stop).await,
        }
    }

    /// Removes what an earlier attempt at the build left behind. Nothing to remove is not an error.
    pub async fn sweep(&self, build_id: &str) -> Result<(), Error> {
        match self {
            Self::Bubblewrap(bubblewrap) => bubblewrap.sweep(build_id).await,
            Self::Docker(docker) => docker.sweep(build_id).await,
        }
    }
}

/// The variables of our own that builds get.
fn passed_through(names: &[String]) -> Vec<(String, String)> {
    names.iter().filter_map(|name| std::env::var(name).ok().map(|value| (name.clone(), value))).collect()
}

/// Passes on the lines that `bytes` complete.
async fn deliver(lines: &mut Lines, bytes: &[u8], to: &Sender<String>) {
    for line in lines.push(bytes) {
        // A reader that is gone must not stop the build: its output is read on and dropped.
        let _ = to.send(line).await;
    }
}

/// What a build's command is run by, so that it stands back behind everything else wherever no control group says so: the
/// idle class of the disk is served when nobody else wants it, and not never.
fn standing_back(limits: &Limits) -> Vec<String> {
    ["nice", "-n", &limits.nice.to_string(), "ionice", "-t", "-c", "3"].map(str::to_owned).to_vec()
}

/// Whether we are root, as the owner of our own `/proc` entry tells.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(
    action: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    crate::blocking(work).await.map_err(|source| Error::Io { action, source })
}
