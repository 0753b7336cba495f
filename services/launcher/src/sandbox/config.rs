//! Which sandbox runs builds here, and how.

use super::Error;
use crate::workspace::Identity;
use std::path::PathBuf;
use std::str::FromStr;

/// The image that `just build-image` makes.
pub const DEFAULT_IMAGE: &str = "pagefold-build:bookworm";

/// Which sandbox to take.
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
    /// Where workspaces are: on the disk that builds share with others.
    pub work: PathBuf,
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
            work: std::env::temp_dir(),
            installation: "unnamed".to_owned(),
        }
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
