//! The launcher's settings, from the command line to its own terms.

use crate::cli::Builds;
use launcher::engine;
use launcher::source::Scheme;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

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
        limits: launcher::spec::Limits::default(),
        output: launcher::output::OutputLimits::default(),
    }
}
