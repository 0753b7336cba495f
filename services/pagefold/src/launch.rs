//! The launcher's settings, from the command line to its own terms.

use crate::limits::Building;
use clap::Args;
use launcher::engine;
use launcher::source::Scheme;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// How builds run on this machine.
#[derive(Debug, Clone, Args)]
pub(crate) struct Builds {
    /// Builds at the same time
    #[arg(long, env = "PAGEFOLD_LAUNCHER_SLOTS", default_value_t = 2)]
    pub(crate) slots: usize,
    /// `docker`, `bubblewrap`, or `auto` for the first that works
    #[arg(long, env = "PAGEFOLD_ENGINE", default_value = "auto")]
    pub(crate) engine: Kind,
    /// Where the Docker API answers; its usual socket if absent
    #[arg(long, env = "DOCKER_HOST")]
    pub(crate) docker_host: Option<String>,
    /// The image that builds run in
    #[arg(long, env = "PAGEFOLD_BUILD_IMAGE", default_value = launcher::engine::DEFAULT_IMAGE)]
    pub(crate) build_image: String,
    /// How long a build may take, in seconds
    #[arg(long, env = "PAGEFOLD_BUILD_TIMEOUT_S", default_value_t = 45 * 60)]
    pub(crate) build_timeout_s: u64,
    /// Variables of this environment that builds see too, such as `NODE_EXTRA_CA_CERTS`
    #[arg(long, env = "PAGEFOLD_BUILD_ENV", value_delimiter = ',')]
    pub(crate) build_env: Vec<String>,
    #[command(flatten)]
    pub(crate) limits: Building,
}

/// Which engine, as it is typed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind(engine::Kind);

impl FromStr for Kind {
    type Err = engine::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// `local` lets sites name repositories of this machine, by a path or a `file://` URL.
pub(crate) fn config(builds: &Builds, data_dir: PathBuf, local: bool) -> launcher::Config {
    let mut schemes = BTreeSet::from([Scheme::Https, Scheme::Http, Scheme::Ssh, Scheme::Git]);
    if local {
        schemes.insert(Scheme::File);
    }
    launcher::Config {
        slots: builds.slots.max(1),
        data_dir,
        timeout: Duration::from_secs(builds.build_timeout_s),
        engine: engine::Config {
            kind: builds.engine.0,
            docker_host: builds.docker_host.clone(),
            image: builds.build_image.clone(),
            env_passthrough: builds.build_env.clone(),
            ..engine::Config::default()
        },
        schemes,
        limits: builds.limits.limits(),
        output: builds.limits.output(),
    }
}
