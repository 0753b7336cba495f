//! Builds in a bubblewrap sandbox, where no container engine runs.
//!
//! The sandbox has namespaces of its own, one of the network too; no capability; a read-only system; and dies with us. Run by root, it is given up to an unprivileged user first, if that user can reach the workspace.

use super::cgroups::{self, Cgroups};
use super::share::Share;
use super::view::Extras;
use super::{Config, Ended, Error, Exit, blocking, is_root, passed_through};
use crate::spec::{ContainerSpec, Limits, container_name};
use crate::workspace::{Identity, Workspace};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{self, Sender};
use tokio_util::sync::CancellationToken;

mod plan;
mod process;

use plan::Plan;
use process::Process;

/// How long the control groups of a build that was stopped may take to go before nobody waits for that any more.
const CLEARING_MAX: Duration = Duration::from_millis(200);

/// The `bwrap` of this machine, tried out.
pub struct Bubblewrap {
    extras: Arc<Extras>,
    /// Who builds run as outside; absent if they run as ourselves.
    identity: Option<Identity>,
    installation: String,
}

impl Bubblewrap {
    /// Runs `true` in a sandbox, and finds out whether root can give it up to another user.
    pub async fn probe(config: &Config) -> Result<Self, Error> {
        let env = passed_through(&config.env_passthrough);
        let extras = Arc::new(Extras { read_only_paths: config.read_only_paths.clone(), env });
        let wanted = is_root().then_some(config.identity);
        let installation = config.installation.clone();
        let given_up = Self { extras: Arc::clone(&extras), identity: wanted, installation: installation.clone() };
        let works = match given_up.try_out().await {
            Err(error) if wanted.is_some() => {
                let own = Self { extras, identity: None, installation };
                own.try_out().await.map(|()| {
                    tracing::warn!(error = &error as &dyn std::error::Error, "builds run as root without capabilities");
                    own
                })
            }
            outcome => outcome.map(|()| given_up),
        }?;
        works.tell_what_holds(&config.work).await?;
        Ok(works)
    }

    /// Says once which limits of builds hold here.
    async fn tell_what_holds(&self, work: &Path) -> Result<(), Error> {
        let (name, work) = (cgroups::name(&self.installation, "probe"), work.to_owned());
        let tried = blocking("try out control groups", move || {
            let cgroups = Cgroups::create(&name, &Limits::default());
            let share = Share::at(&work, &cgroups);
            // A weight that nobody looks at holds nothing.
            let holds = |controller: &str| cgroups.hold(controller) && (controller != "io" || share == Share::Weight);
            let (held, missing): (Vec<_>, Vec<_>) = cgroups::CONTROLLERS.into_iter().partition(|name| holds(name));
            cgroups.remove();
            Ok((held, missing, share))
        });
        let (held, missing, share) = tried.await?;
        tracing::info!(
            ?held,
            ?missing,
            disk = share.word(),
            "builds are limited by these control groups, and stand back by nice and ionice"
        );
        Ok(())
    }

    async fn try_out(&self) -> Result<(), Error> {
        let folder = blocking("make a folder to try bubblewrap in", || {
            let folder = tempfile::tempdir()?;
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
            Ok(folder)
        });
        let folder = folder.await?;
        let build = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let root = folder.path().join("workspace");
        let workspace = blocking("make a workspace to try bubblewrap in", || Workspace::create(root)).await?;
        let spec = ContainerSpec {
            name: container_name(&build),
            build,
            command: vec!["true".to_owned()],
            env: Default::default(),
            variables: Default::default(),
            workspace,
            limits: Limits::default(),
            gate: None,
        };
        let (lines, mut said) = mpsc::channel(16);
        let stop = CancellationToken::new();
        let running = async move { self.run(&spec, &lines, &stop).await };
        let reading = async {
            let mut complaint = String::new();
            while let Some(line) = said.recv().await {
                complaint = line;
            }
            complaint
        };
        let (ended, complaint) = tokio::join!(running, reading);
        match ended {
            Ok(Ended { exit: Exit::Code(0), .. }) => Ok(()),
            Ok(_) | Err(Error::NotRun) => Err(Error::Bubblewrap { complaint }),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn run(
        &self,
        spec: &ContainerSpec,
        lines: &Sender<String>,
        stop: &CancellationToken,
    ) -> Result<Ended, Error> {
        let planned = stop.run_until_cancelled(Plan::make(self, spec)).await;
        let Some(planned) = planned else { return Ok(Exit::Stopped.into()) };
        let Plan { command, cgroups, notes } = planned?;
        let mut process = Process::start(command, &self.installation).await?;
        let following = async {
            for note in notes {
                let _ = lines.send(format!("[sandbox] {note}")).await;
            }
            process.follow(spec.lines(), lines).await
        };
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            ended = following => Some(ended),
        };
        process.end().await?;
        let clearing = blocking("remove the control groups", move || {
            let (starved, used) = (cgroups.ran_out_of_memory(), cgroups.used());
            cgroups.remove();
            Ok((starved, used))
        });
        let Some(ended) = ended.transpose()? else {
            // What takes longer goes on beside: who stops a build waits for its slot.
            let cleared = tokio::time::timeout(CLEARING_MAX, clearing).await;
            let used = cleared.ok().and_then(Result::ok).map(|(_, used)| used).unwrap_or_default();
            return Ok(Ended { exit: Exit::Stopped, used });
        };
        let (starved, used) = clearing.await?;
        let exit = match ended {
            Some(0) => Exit::Code(0),
            Some(_) if starved => Exit::OutOfMemory,
            Some(code) => Exit::Code(code),
            None => return Err(Error::NotRun),
        };
        Ok(Ended { exit, used })
    }

    pub(super) async fn sweep(&self, build: &str) -> Result<(), Error> {
        let name = cgroups::name(&self.installation, build);
        let sweep = move || {
            cgroups::sweep(&name);
            Ok(())
        };
        blocking("remove the control groups of an earlier attempt", sweep).await
    }
}
