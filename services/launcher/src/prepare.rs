//! What a launcher does before it listens: it takes its folder, and clears away what would disturb it.

use crate::cache::Caches;
use crate::config::{Config, Error};
use crate::installation::Installation;
use crate::memory::Memory;
use crate::presence::Presence;
use crate::reserve::Reserve;
use crate::source::{self, Mirror};
use crate::{blocking, sandbox, sweep};
use runtime::Health;
use runtime::health::{Need, Reporter};
use std::sync::Arc;
use std::time::Duration;

/// How long one run of git may take.
const GIT_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// How long a repository's server may send next to nothing.
const GIT_STALL: Duration = Duration::from_secs(30);

/// A launcher that has its folder, and has yet to find a sandbox.
pub struct Prepared {
    pub(crate) config: Config,
    pub(crate) installation: Arc<Installation>,
    pub(crate) memory: Memory,
    pub(crate) mirror: Mirror,
    pub(crate) caches: Caches,
    pub(crate) presence: Arc<Presence>,
    pub(crate) reserve: Arc<Reserve>,
}

/// What a launcher tells of itself.
#[derive(Debug, Clone)]
pub struct Parts {
    sandbox: Reporter,
    disk: Reporter,
}

impl Parts {
    /// Names them: `sandbox`, whether builds can run here, and `disk`, whether they have room.
    #[must_use]
    pub fn of(health: &Health, need: Need) -> Self {
        Self { sandbox: health.part("sandbox", need), disk: health.part("disk", need) }
    }
}

/// Takes the data directory, and ends what runs of an earlier life.
///
/// # Errors
/// [`Error`] if another launcher has the data directory, or the mirrors cannot be kept.
pub async fn prepare(mut config: Config, parts: Parts) -> Result<Prepared, Error> {
    let root = config.data_dir.clone();
    let (space, reserve_bytes) = (config.caches.clone(), config.limits.disk_reserve_bytes);
    let open = move || {
        let installation = Installation::open(&root)?;
        sweep::processes(&installation);
        sweep::mirrors(&installation.mirrors());
        let memory = Memory::open(installation.attempts())?;
        let caches = Caches::open(installation.caches(), space, reserve_bytes)?;
        Ok((Arc::new(installation), memory, caches))
    };
    let folder = config.data_dir.clone();
    let taken = |source| Error::Folder { folder: folder.clone(), source };
    let (installation, memory, caches) = blocking(open).await.map_err(taken)?;
    installation.name().clone_into(&mut config.sandbox.installation);
    config.sandbox.work = config.data_dir.clone();
    let mirrors = source::Config {
        root: installation.mirrors(),
        rules: config.sources.clone(),
        reader: sandbox::is_root().then_some(config.sandbox.identity),
        timeout: GIT_TIMEOUT,
        stall: GIT_STALL,
        space: config.mirrors.clone(),
        limits: config.limits.clone(),
    };
    let mirror = blocking(move || Ok(Mirror::open(mirrors))).await.map_err(taken)?.map_err(Error::Source)?;
    let presence = Arc::new(Presence::new(config.sandbox.clone(), parts.sandbox));
    let reserve = Reserve::new(config.data_dir.clone(), config.limits.disk_reserve_bytes, parts.disk);
    Ok(Prepared { config, installation, memory, mirror, caches, presence, reserve: Arc::new(reserve) })
}
