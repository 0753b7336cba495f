//! How a launcher is told to work, and why it cannot.

use crate::cache;
use crate::gate::Policy;
use crate::output::OutputLimits;
use crate::sandbox;
use crate::source;
use crate::spec::Limits;
use crate::variables::BuildKey;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often what is left over is looked for, unless somebody asks for another time.
pub const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How builds are run here.
#[derive(Debug, Clone)]
pub struct Config {
    /// Builds at the same time.
    pub slots: usize,
    /// Folder of mirrors and workspaces; of one launcher alone.
    pub data_dir: PathBuf,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Which sandbox runs them.
    pub sandbox: sandbox::Config,
    /// Where sources may be.
    pub sources: source::Rules,
    /// What mirrors of repositories may take.
    pub mirrors: source::Space,
    /// What caches of builds may take.
    pub caches: cache::Space,
    /// What one build may use.
    pub limits: Limits,
    /// The main memory of a large one, in bytes.
    pub large_memory_bytes: u64,
    /// What builds may reach.
    pub network: Arc<Policy>,
    /// What one build may publish.
    pub output: OutputLimits,
    /// By which it reads what builds are given.
    pub key: BuildKey,
    /// How often what earlier builds left over is looked for.
    pub sweep_every: Duration,
}

/// Why the launcher cannot run. A sandbox that is away is no reason: it is waited for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory cannot be used.
    #[error("failed to use the data directory `{}`", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why; `ResourceBusy` if another launcher has it.
        #[source]
        source: io::Error,
    },
    /// The mirrors cannot be kept.
    #[error("failed to prepare the mirrors")]
    Source(#[source] source::Error),
    /// The log failed.
    #[error("failed to listen to the log")]
    Log(#[source] runtime::Error),
}
