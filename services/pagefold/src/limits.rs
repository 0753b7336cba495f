//! The limits of the scheduler, of builds and of what they publish, as options.

use clap::Args;
use launcher::cache;
use launcher::output::OutputLimits;
use launcher::source::Space;
use launcher::spec;
use scheduler::Limits;

/// How much may run at once, and for how long.
#[derive(Debug, Clone, Args)]
pub(crate) struct Scheduling {
    /// Builds dispatched or running on the whole platform
    #[arg(long, env = "PAGEFOLD_BUILDS_MAX", default_value_t = Limits::default().platform)]
    builds_max: usize,
    /// The same for one organization
    #[arg(long, env = "PAGEFOLD_ORGANIZATION_BUILDS_MAX", default_value_t = Limits::default().organization)]
    organization_builds_max: usize,
    /// The same for one site
    #[arg(long, env = "PAGEFOLD_SITE_BUILDS_MAX", default_value_t = Limits::default().site)]
    site_builds_max: usize,
    /// How long a build may wait for a launcher before it is given up, in seconds
    #[arg(long, env = "PAGEFOLD_BUILD_WAITING_MAX_S", default_value_t = Limits::default().waiting_max_s)]
    build_waiting_max_s: i64,
    /// How long an attempt may run before it is given up, in seconds; longer than a launcher's own `--build-timeout-s`
    #[arg(long, env = "PAGEFOLD_BUILD_RUNNING_MAX_S", default_value_t = Limits::default().running_max_s)]
    build_running_max_s: i64,
}

impl Scheduling {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            deleted_kept_s: Limits::default().deleted_kept_s,
            platform: self.builds_max,
            organization: self.organization_builds_max,
            site: self.site_builds_max,
            waiting_max_s: self.build_waiting_max_s,
            running_max_s: self.build_running_max_s,
        }
    }
}

/// What one build may use and publish.
#[derive(Debug, Clone, Args)]
pub(crate) struct Building {
    /// Main memory of a build, in bytes
    #[arg(long, env = "PAGEFOLD_BUILD_MEMORY_BYTES", default_value_t = spec::Limits::default().memory_bytes)]
    build_memory_bytes: u64,
    /// Main memory of a build of a site of size `large`, in bytes
    #[arg(long, env = "PAGEFOLD_BUILD_LARGE_MEMORY_BYTES", default_value_t = 8 << 30)]
    pub(crate) build_large_memory_bytes: u64,
    /// Processes and threads of a build at the same time
    #[arg(long, env = "PAGEFOLD_BUILD_PIDS", default_value_t = spec::Limits::default().pids)]
    build_pids: u32,
    /// The longest file that a build may write, in bytes
    #[arg(long, env = "PAGEFOLD_BUILD_FILE_BYTES", default_value_t = spec::Limits::default().file_bytes)]
    build_file_bytes: u64,
    /// Temporary files of a build, `/tmp` and `/dev/shm` each, in bytes; they count as memory
    #[arg(long, env = "PAGEFOLD_BUILD_TMP_BYTES", default_value_t = spec::Limits::default().tmp_bytes)]
    build_tmp_bytes: u64,
    /// Disk that the checkout, the home and the cache of a build may take together, in bytes
    #[arg(long, env = "PAGEFOLD_BUILD_DISK_BYTES", default_value_t = spec::Limits::default().disk_bytes)]
    build_disk_bytes: u64,
    /// Files and folders in the checkout, the home and the cache of a build together
    #[arg(long, env = "PAGEFOLD_BUILD_DISK_FILES", default_value_t = spec::Limits::default().disk_files)]
    build_disk_files: u64,
    /// Disk that is kept for everything else, in bytes: builds are given back when less is left, and none is taken
    #[arg(long, env = "PAGEFOLD_BUILD_DISK_RESERVE_BYTES", default_value_t = spec::Limits::default().disk_reserve_bytes)]
    build_disk_reserve_bytes: u64,
    /// Share of the processors of a build, 1 to 10000; 100 is what everything else on the machine has
    #[arg(long, env = "PAGEFOLD_BUILD_CPU_WEIGHT", default_value_t = spec::Limits::default().cpu_weight)]
    build_cpu_weight: u32,
    /// Time of processors of a build, in thousandths of one
    #[arg(long, env = "PAGEFOLD_BUILD_CPU_MILLIS", default_value_t = spec::Limits::default().cpu_millis)]
    build_cpu_millis: u32,
    /// Share of the disk's time of a build, 10 to 1000, where the kernel weighs it; 0 for none
    #[arg(long, env = "PAGEFOLD_BUILD_IO_WEIGHT", default_value_t = spec::Limits::default().io_weight)]
    build_io_weight: u32,
    /// How far a build's processes stand back behind others, 0 to 19
    #[arg(long, env = "PAGEFOLD_BUILD_NICE", default_value_t = spec::Limits::default().nice)]
    build_nice: u32,
    /// Files that a build may publish
    #[arg(long, env = "PAGEFOLD_OUTPUT_FILES", default_value_t = OutputLimits::default().files)]
    output_files: u64,
    /// All files that a build publishes together, in bytes
    #[arg(long, env = "PAGEFOLD_OUTPUT_BYTES", default_value_t = OutputLimits::default().bytes)]
    output_bytes: u64,
}

/// What the caches of builds may take of the launcher's disk.
#[derive(Debug, Clone, Args)]
pub(crate) struct Caching {
    /// Disk that the caches of one site may take, in bytes: those that were used last are kept, and none is longer
    #[arg(long, env = "PAGEFOLD_CACHE_SITE_BYTES", default_value_t = cache::Space::default().site_bytes)]
    cache_site_bytes: u64,
    /// Disk that all caches may take together, in bytes: those that were used last are kept
    #[arg(long, env = "PAGEFOLD_CACHE_BYTES", default_value_t = cache::Space::default().all_bytes)]
    cache_bytes: u64,
}

impl Caching {
    pub(crate) fn space(&self) -> cache::Space {
        cache::Space { site_bytes: self.cache_site_bytes, all_bytes: self.cache_bytes }
    }
}

/// What the launcher's mirrors of repositories may take of the disk.
#[derive(Debug, Clone, Args)]
pub(crate) struct Mirroring {
    /// Disk that the mirror of one repository may take, in bytes: a larger repository is not fetched
    #[arg(long, env = "PAGEFOLD_MIRROR_BYTES", default_value_t = Space::default().mirror_bytes)]
    mirror_bytes: u64,
    /// Disk that all mirrors may take together, in bytes: those that were used last are kept
    #[arg(long, env = "PAGEFOLD_MIRRORS_BYTES", default_value_t = Space::default().mirrors_bytes)]
    mirrors_bytes: u64,
}

impl Mirroring {
    pub(crate) fn space(&self) -> Space {
        Space { mirror_bytes: self.mirror_bytes, mirrors_bytes: self.mirrors_bytes }
    }
}

impl Building {
    pub(crate) fn limits(&self) -> spec::Limits {
        spec::Limits {
            memory_bytes: self.build_memory_bytes,
            pids: self.build_pids,
            file_bytes: self.build_file_bytes,
            tmp_bytes: self.build_tmp_bytes,
            disk_bytes: self.build_disk_bytes,
            disk_files: self.build_disk_files,
            disk_reserve_bytes: self.build_disk_reserve_bytes,
            cpu_weight: self.build_cpu_weight.clamp(1, 10_000),
            cpu_millis: self.build_cpu_millis.max(10),
            io_weight: self.build_io_weight,
            nice: self.build_nice.min(19),
        }
    }

    pub(crate) fn output(&self) -> OutputLimits {
        OutputLimits { files: self.output_files, bytes: self.output_bytes }
    }
}
