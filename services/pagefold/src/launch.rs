//! The launcher's settings, from the command line to its own terms.

use clap::Args;
use launcher::engine;
use launcher::source::Scheme;
use launcher::spec::Limits;
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
    /// Main memory of a build, in bytes
    #[arg(long, env = "PAGEFOLD_BUILD_MEMORY_BYTES", default_value_t = Limits::default().memory_bytes)]
    pub(crate) build_memory_bytes: u64,
    /// Processes and threads of a build at the same time
    #[arg(long, env = "PAGEFOLD_BUILD_PIDS", default_value_t = Limits::default().pids)]
    pub(crate) build_pids: u32,
    /// The longest file that a build may write, in bytes
    #[arg(long, env = "PAGEFOLD_BUILD_FILE_BYTES", default_value_t = Limits::default().file_bytes)]
    pub(crate) build_file_bytes: u64,
    /// Temporary files of a build, `/tmp` and `/dev/shm` each, in bytes; they count as memory
    #[arg(long, env = "PAGEFOLD_BUILD_TMP_BYTES", default_value_t = Limits::default().tmp_bytes)]
    pub(crate) build_tmp_bytes: u64,
    /// Disk that the checkout and the home of a build may take together, in bytes
    #[arg(long, env = "PAGEFOLD_BUILD_DISK_BYTES", default_value_t = Limits::default().disk_bytes)]
    pub(crate) build_disk_bytes: u64,
    /// Files and folders in the checkout and the home of a build together
    #[arg(long, env = "PAGEFOLD_BUILD_DISK_FILES", default_value_t = Limits::default().disk_files)]
    pub(crate) build_disk_files: u64,
    /// Disk that is kept for everything else, in bytes: builds end when less is left
    #[arg(long, env = "PAGEFOLD_BUILD_DISK_RESERVE_BYTES", default_value_t = Limits::default().disk_reserve_bytes)]
    pub(crate) build_disk_reserve_bytes: u64,
    /// Share of the processors of a build, 1 to 10000; 100 is what everything else on the machine has
    #[arg(long, env = "PAGEFOLD_BUILD_CPU_WEIGHT", default_value_t = Limits::default().cpu_weight)]
    pub(crate) build_cpu_weight: u32,
    /// Time of processors of a build, in thousandths of one
    #[arg(long, env = "PAGEFOLD_BUILD_CPU_MILLIS", default_value_t = Limits::default().cpu_millis)]
    pub(crate) build_cpu_millis: u32,
    /// Share of the disk's time of a build, 10 to 1000, where the kernel weighs it; 0 for none
    #[arg(long, env = "PAGEFOLD_BUILD_IO_WEIGHT", default_value_t = Limits::default().io_weight)]
    pub(crate) build_io_weight: u32,
    /// How far a build's processes stand back behind others, 0 to 19
    #[arg(long, env = "PAGEFOLD_BUILD_NICE", default_value_t = Limits::default().nice)]
    pub(crate) build_nice: u32,
    /// Variables of this environment that builds see too, such as `NODE_EXTRA_CA_CERTS`
    #[arg(long, env = "PAGEFOLD_BUILD_ENV", value_delimiter = ',')]
    pub(crate) build_env: Vec<String>,
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
        limits: limits(builds),
        output: launcher::output::OutputLimits::default(),
    }
}

fn limits(builds: &Builds) -> Limits {
    Limits {
        memory_bytes: builds.build_memory_bytes,
        pids: builds.build_pids,
        file_bytes: builds.build_file_bytes,
        tmp_bytes: builds.build_tmp_bytes,
        disk_bytes: builds.build_disk_bytes,
        disk_files: builds.build_disk_files,
        disk_reserve_bytes: builds.build_disk_reserve_bytes,
        cpu_weight: builds.build_cpu_weight.clamp(1, 10_000),
        cpu_millis: builds.build_cpu_millis.max(10),
        io_weight: builds.build_io_weight,
        nice: builds.build_nice.min(19),
        ..Limits::default()
    }
}
