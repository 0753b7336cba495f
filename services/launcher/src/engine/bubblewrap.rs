//! Builds in a bubblewrap sandbox, where no container engine runs.
//!
//! The sandbox has namespaces of its own except, where allowed, the network; no capability; a read-only system; and dies
//! with us. Run by root, it is given up to an unprivileged user first, if that user can reach the workspace.

use super::cgroups::{self, Cgroups};
use super::sandbox::{self, Extras};
use super::{Config, Error, Exit, OPEN_FILES, blocking, is_root, passed_through};
use crate::spec::{ContainerSpec, Limits, container_name};
use crate::workspace::{Identity, Workspace};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use tokio::sync::mpsc::{self, Sender};
use tokio_util::sync::CancellationToken;

mod process;

use process::Process;

const ENTER: &str = include_str!("enter.sh");

/// The `bwrap` of this machine, tried out.
pub struct Bubblewrap {
    extras: Arc<Extras>,
    /// Who builds run as outside; absent if they run as ourselves.
    identity: Option<Identity>,
}

/// Everything decided before a sandbox starts.
struct Plan {
    command: Vec<OsString>,
    cgroups: Cgroups,
    notes: Vec<String>,
}

impl Bubblewrap {
    /// Runs `true` in a sandbox, and finds out whether root can give it up to another user.
    pub async fn probe(config: &Config) -> Result<Self, Error> {
        let env = passed_through(&config.env_passthrough);
        let extras = Arc::new(Extras { read_only_paths: config.read_only_paths.clone(), env });
        let wanted = is_root().then_some(config.identity);
        let given_up = Self { extras: Arc::clone(&extras), identity: wanted };
        match given_up.try_out().await {
            Err(error) if wanted.is_some() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "builds run as root without capabilities");
                let own = Self { extras, identity: None };
                own.try_out().await.map(|()| own)
            }
            outcome => outcome.map(|()| given_up),
        }
    }

    async fn try_out(&self) -> Result<(), Error> {
        let folder = blocking("make a folder to try bubblewrap in", || {
            let folder = tempfile::tempdir()?;
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
            Ok(folder)
        });
        let folder = folder.await?;
        let build = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let workspace = Workspace::create(folder.path().join("workspace"))
            .map_err(|source| Error::Io { action: "make a workspace to try bubblewrap in", source })?;
        let spec = ContainerSpec {
            name: container_name(&build),
            build,
            command: vec!["true".to_owned()],
            env: Default::default(),
            workspace,
            limits: Limits::default(),
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
            Ok(Exit::Code(0)) => Ok(()),
            Ok(_) | Err(Error::NotRun) => Err(Error::Bubblewrap { complaint }),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn run(
        &self,
        spec: &ContainerSpec,
        lines: &Sender<String>,
        stop: &CancellationToken,
    ) -> Result<Exit, Error> {
        let Plan { command, cgroups, notes } = self.plan(spec).await?;
        let mut process = Process::start(command).await?;
        let following = async {
            for note in notes {
                let _ = lines.send(format!("[sandbox] {note}")).await;
            }
            process.follow(lines).await
        };
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            ended = following => Some(ended),
        };
        process.end().await?;
        let starved = blocking("remove the control groups", move || {
            let starved = cgroups.ran_out_of_memory();
            cgroups.remove();
            Ok(starved)
        });
        let starved = starved.await?;
        match ended.transpose()? {
            None => Ok(Exit::Stopped),
            Some(Some(0)) => Ok(Exit::Code(0)),
            Some(_) if starved => Ok(Exit::OutOfMemory),
            Some(Some(code)) => Ok(Exit::Code(code)),
            Some(None) => Err(Error::NotRun),
        }
    }

    pub(super) async fn sweep(&self, build: &str) -> Result<(), Error> {
        let name = container_name(build);
        blocking("remove the control groups of an earlier attempt", move || {
            cgroups::sweep(&name);
            Ok(())
        })
        .await
    }

    async fn plan(&self, spec: &ContainerSpec) -> Result<Plan, Error> {
        let (identity, owned) = (self.identity, spec.clone());
        let prepared = blocking("prepare the workspace", move || {
            let workspace = &owned.workspace;
            sandbox::write_etc(&workspace.etc())?;
            let mut notes = Vec::new();
            let identity = match (identity, workspace.barrier()?) {
                (Some(_), Some(_)) => {
                    notes.push(
                        "the folder of builds is closed to the build user, so the launcher's own user is taken"
                            .to_owned(),
                    );
                    None
                }
                (identity, _) => identity,
            };
            if let Some(identity) = identity {
                workspace.give_to(identity)?;
            }
            let cgroups = Cgroups::create(&owned.name, &owned.limits);
            Ok((identity, cgroups, notes))
        });
        let (identity, cgroups, mut notes) = prepared.await?;
        let capped = cgroups.hold("pids");
        if !cgroups.hold("memory") {
            notes.push("no control group can be made here: the memory limit is not enforced".to_owned());
        }
        if !capped && is_root() && identity.is_none() {
            notes.push("no control group can be made here: the limit of processes is not enforced".to_owned());
        }
        let mut command = entrance(&cgroups);
        command.extend(identity.map(give_up).unwrap_or_default());
        command.extend(resource_limits(&spec.limits, capped));
        command.push("bwrap".into());
        command.extend(sandbox::arguments(spec, &self.extras)?);
        Ok(Plan { command, cgroups, notes })
    }
}

fn entrance(cgroups: &Cgroups) -> Vec<OsString> {
    let doors = cgroups.doors();
    let mut words: Vec<OsString> = ["sh", "-euc", ENTER, "enter"].map(OsString::from).to_vec();
    words.push(doors.len().to_string().into());
    words.extend(doors.into_iter().map(OsString::from));
    words
}

fn give_up(Identity { uid, gid }: Identity) -> Vec<OsString> {
    let (uid, gid) = (format!("--reuid={uid}"), format!("--regid={gid}"));
    ["setpriv", &uid, &gid, "--clear-groups", "--no-new-privs", "--"].map(OsString::from).to_vec()
}

/// Limits that the kernel keeps per process, and per user for processes, never above our own.
fn resource_limits(limits: &Limits, capped: bool) -> Vec<OsString> {
    let own = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let at_most = |name: &str, wanted: u64| hard_limit(&own, name).map_or(wanted, |own| own.min(wanted));
    let mut words = vec![
        "prlimit".to_owned(),
        "--core=0".to_owned(),
        format!("--nofile={}", at_most("Max open files", OPEN_FILES)),
        format!("--fsize={}", at_most("Max file size", limits.file_bytes)),
    ];
    if !capped {
        words.push(format!("--nproc={}", at_most("Max processes", u64::from(limits.pids))));
    }
    words.push("--".to_owned());
    words.into_iter().map(OsString::from).collect()
}

/// The hard limit in `/proc/self/limits`; absent if unlimited.
fn hard_limit(own: &str, name: &str) -> Option<u64> {
    let line = own.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::hard_limit;

    #[test]
    fn the_hard_limit_is_the_second_number() {
        let own = "Limit                     Soft Limit           Hard Limit           Units     \n\
                   Max file size             unlimited            unlimited            bytes     \n\
                   Max open files            1024                 4096                 files     \n";
        assert_eq!(hard_limit(own, "Max open files"), Some(4096));
        assert_eq!(hard_limit(own, "Max file size"), None);
        assert_eq!(hard_limit(own, "Max processes"), None);
    }
}
