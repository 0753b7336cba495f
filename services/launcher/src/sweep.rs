//! Clears away what an earlier life of this launcher left: processes, containers, control groups, workspaces, and what git
//! was writing. Never what belongs to another launcher of the machine, nor to a build in hand.

use crate::hands::Hands;
use crate::installation::{Installation, MARK};
use crate::memory::Memory;
use crate::workspace::Workspace;
use crate::{blocking, sandbox};
use events::Build;
use runtime::Log;
use rustix::process::{Pid, Signal, kill_process};
use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Kills the processes of an earlier life. Call it only before anything was started in this one.
pub(crate) fn processes(installation: &Installation) {
    let (mark, mirrors) = (format!("{MARK}={}", installation.name()), installation.mirrors());
    let settings = format!("GIT_CONFIG_GLOBAL={}/", mirrors.display());
    let ours = |variable: &[u8]| variable == mark.as_bytes() || variable.starts_with(settings.as_bytes());
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in all {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        let id = process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        let Some(id) = id.filter(|id| *id != rustix::process::getpid()) else { continue };
        if environment.split(|byte| *byte == 0).any(ours) {
            tracing::warn!(pid = id.as_raw_nonzero(), "a process of an earlier life is killed");
            // It may have ended meanwhile.
            let _ = kill_process(id, Signal::KILL);
        }
    }
}

/// Removes what killed runs of git left half-written in the mirrors. Call it only before git is run.
pub(crate) fn mirrors(folder: &Path) {
    for mirror in entries(folder) {
        crate::source::leftovers::remove(&mirror);
    }
}

/// Clears away what builds left that are not in hand.
pub(crate) struct Sweeper {
    pub(crate) every: Duration,
    pub(crate) sandbox: sandbox::Config,
    pub(crate) installation: Arc<Installation>,
    pub(crate) hands: Arc<Hands>,
    pub(crate) memory: Memory,
    pub(crate) worker: String,
    pub(crate) log: Log,
}

impl Sweeper {
    pub(crate) async fn keep_sweeping(&self) -> Infallible {
        loop {
            tokio::time::sleep(self.every).await;
            self.builds().await;
            self.notes().await;
        }
    }

    /// Removes containers, control groups and workspaces of builds that are not in hand.
    pub(crate) async fn builds(&self) {
        sandbox::sweep_all(&self.sandbox, |build| self.hands.hold(build)).await;
        let (work, trash) = (self.installation.work(), self.installation.trash());
        let hands = Arc::clone(&self.hands);
        let swept = blocking(move || {
            for folder in entries(&work).into_iter().filter(|folder| !hands.hold(build_of(folder))) {
                tracing::warn!(folder = %folder.display(), "a workspace of an earlier build is removed");
                Workspace::at(folder).discard(&trash)?;
            }
            entries(&trash).into_iter().try_for_each(|folder| Workspace::at(folder).remove())
        });
        if let Err(error) = swept.await {
            tracing::warn!(%error, "workspaces of earlier builds could not be removed");
        }
    }

    /// Forgets the attempts at builds that another launcher took over, or that ended while nobody here looked.
    async fn notes(&self) {
        let builds = self.memory.builds().await.unwrap_or_default();
        for build in builds.into_iter().filter(|build| !self.hands.hold(&build.to_string())) {
            // What cannot be looked at now is looked at the next time.
            let Ok(loaded) = self.log.load::<Build>(&build.to_string()).await else { continue };
            if loaded.state.attempt_of(&self.worker).is_none()
                && let Err(error) = self.memory.forget(build).await
            {
                tracing::warn!(%build, %error, "what is remembered of a build could not be removed");
            }
        }
    }
}

/// The build that a workspace belongs to: its name is the build's id and the attempt's number.
fn build_of(folder: &Path) -> &str {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.rsplit_once('-').map_or(name, |(build, _)| build)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
    read.unwrap_or_else(|error: io::Error| {
        if error.kind() != io::ErrorKind::NotFound {
            tracing::warn!(%error, folder = %folder.display(), "a folder cannot be looked through");
        }
        Vec::new()
    })
}
