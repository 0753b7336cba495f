//! Runs a [`ContainerSpec`]: in Docker (or Podman behind the same API), or in bubblewrap where no engine runs.
//!
//! A build is stopped by SIGKILL at once, without a SIGTERM before: its workspace is thrown away, so it has nothing to save,
//! and whatever it would do in a grace period is what stopping is to prevent.

mod bubblewrap;
mod cgroups;
mod docker;
mod sandbox;

pub use bubblewrap::Bubblewrap;
pub use docker::Docker;

use crate::lines::Lines;
use crate::spec::{ContainerSpec, Limits};
use crate::workspace::Identity;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

/// The image that `just build-image` makes.
pub const DEFAULT_IMAGE: &str = "pagefold-build:bookworm";
/// Open files of one process. The kernel's own default hard limit: raising a limit may be forbidden, lowering never is.
const OPEN_FILES: u64 = 4096;

/// Where builds run.
pub enum Engine {
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

/// Which engine to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Docker if it answers and has the image, else bubblewrap.
    #[default]
    Auto,
    Docker,
    Bubblewrap,
}

/// How builds are run on this machine.
#[derive(Debug, Clone)]
pub struct Config {
    pub kind: Kind,
    /// As in `DOCKER_HOST`; the default socket if absent.
    pub docker_host: Option<String>,
    pub image: String,
    /// Who builds run as, if the launcher runs as root; else they run as the launcher's own user.
    pub identity: Identity,
    /// Folders outside `/usr` that the bubblewrap sandbox shows read-only, such as a Node.js below `/opt`. The `bin` folder
    /// of each comes first in `PATH`.
    pub read_only_paths: Vec<PathBuf>,
    /// Names of the launcher's own variables that builds get too, such as `NODE_EXTRA_CA_CERTS` or `HTTPS_PROXY`.
    pub env_passthrough: Vec<String>,
    /// The launcher that everything started here is named after, so that it can be swept.
    pub installation: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kind: Kind::Auto,
            docker_host: None,
            image: DEFAULT_IMAGE.to_owned(),
            identity: Identity { uid: 61_000, gid: 61_000 },
            read_only_paths: Vec::new(),
            env_passthrough: Vec::new(),
            installation: "unnamed".to_owned(),
        }
    }
}

/// Why a container could not be run. A build that fails by itself is an [`Exit`], never an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "no build engine works here: start Docker and run `just build-image`, or install `bubblewrap` and allow unprivileged user namespaces"
    )]
    NoEngine,
    #[error("`{0}` is not a build engine: choose `auto`, `docker` or `bubblewrap`")]
    UnknownKind(String),
    #[error("failed to {action} by the Docker API")]
    Docker { action: &'static str, source: bollard::errors::Error },
    #[error("the build image `{image}` is missing: run `just build-image`")]
    ImageMissing { image: String },
    #[error("bubblewrap does not work here: {complaint}")]
    Bubblewrap { complaint: String },
    #[error("failed to {action}")]
    Io { action: &'static str, source: io::Error },
    #[error("the sandbox ended without running the build")]
    NotRun,
    #[error("processes of the build were still alive long after they were killed")]
    Survivors,
}

impl Engine {
    /// Finds an engine that works, by trying it.
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
            Err(error) => {
                let (docker, bubblewrap): (&dyn std::error::Error, &dyn std::error::Error) = (&docker, &error);
                tracing::warn!(docker, bubblewrap, "no build engine works");
                Err(Error::NoEngine)
            }
        }
    }

    /// What it is, for a log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bubblewrap(_) => "bubblewrap",
            Self::Docker(_) => "docker",
        }
    }

    /// Runs the container until it ends or `stop` fires; when this returns, nothing of it runs any more. Standard output
    /// and error go to `lines` together, line by line; a slow reader slows the build, a dropped one is passed over.
    ///
    /// To stop a build fire `stop`: a run that is dropped instead may leave a container behind, for [`Engine::sweep`].
    pub async fn run(
        &self,
        spec: &ContainerSpec,
        lines: Sender<String>,
        stop: CancellationToken,
    ) -> Result<Exit, Error> {
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

impl Engine {
    /// Removes what earlier attempts of this launcher left, but for the builds that `kept` answers yes to.
    pub async fn sweep_all(&self, kept: impl Fn(&str) -> bool) -> Result<(), Error> {
        let installation = match self {
            Self::Bubblewrap(bubblewrap) => bubblewrap.installation(),
            Self::Docker(docker) => {
                docker.sweep_all(&kept).await?;
                docker.installation()
            }
        };
        // An earlier life may have had another engine than this one.
        let prefix = cgroups::name(installation, "");
        let list = move || Ok(cgroups::builds(&prefix));
        let builds = blocking("list the control groups of builds", list).await?;
        // Asked after the list was made: a build is in hand before it has a group.
        let left: Vec<String> = builds.into_iter().filter(|build| !kept(build)).collect();
        let installation = installation.to_owned();
        let sweep = move || {
            left.iter().for_each(|build| cgroups::sweep(&cgroups::name(&installation, build)));
            Ok(())
        };
        blocking("remove the control groups of earlier builds", sweep).await
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "docker" => Ok(Self::Docker),
            "bubblewrap" => Ok(Self::Bubblewrap),
            other => Err(Error::UnknownKind(other.to_owned())),
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
