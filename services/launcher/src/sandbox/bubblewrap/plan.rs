//! Everything decided before a sandbox starts: who runs it, in which groups, and by which command.

use super::Bubblewrap;
use crate::rlimits;
use crate::sandbox::cgroups::{self, Cgroups};
use crate::sandbox::view;
use crate::sandbox::{Error, OPEN_FILES, blocking, is_root, standing_back};
use crate::spec::{ContainerSpec, Limits};
use crate::workspace::{Identity, Workspace};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const ENTER: &str = include_str!("../enter.sh");

pub(super) struct Plan {
    pub(super) command: Vec<OsString>,
    pub(super) cgroups: Cgroups,
    pub(super) notes: Vec<String>,
}

/// What was made on disk.
struct Prepared {
    identity: Option<Identity>,
    cgroups: Cgroups,
    arguments: PathBuf,
    notes: Vec<String>,
}

impl Plan {
    pub(super) async fn make(sandbox: &Bubblewrap, spec: &ContainerSpec) -> Result<Self, Error> {
        let (wanted, extras, owned) = (sandbox.identity, sandbox.extras.clone(), spec.clone());
        let group = cgroups::name(&sandbox.installation, &spec.build);
        let prepare = move || {
            let workspace = &owned.workspace;
            view::write_etc(&workspace.etc())?;
            let (identity, notes) = who(wanted, workspace)?;
            if let Some(identity) = identity {
                workspace.give_to(identity)?;
            }
            let arguments = write_arguments(&workspace.etc(), &view::arguments(&owned, &extras)?)?;
            let cgroups = Cgroups::create(&group, &owned.limits);
            Ok(Prepared { identity, cgroups, arguments, notes })
        };
        let prepared = blocking("prepare the workspace", prepare).await?;
        Ok(prepared.plan(spec))
    }
}

impl Prepared {
    fn plan(self, spec: &ContainerSpec) -> Plan {
        let Self { identity, cgroups, arguments, mut notes } = self;
        let capped = cgroups.hold("pids");
        if !cgroups.hold("memory") {
            notes.push("no control group can be made here: the memory limit is not enforced".to_owned());
        }
        if !capped && is_root() && identity.is_none() {
            notes.push("no control group can be made here: the limit of processes is not enforced".to_owned());
        }
        let mut command = entrance(&cgroups, &arguments);
        command.extend(standing_back(&spec.limits).into_iter().map(OsString::from));
        command.extend(identity.map(give_up).unwrap_or_default());
        command.extend(resource_limits(&spec.limits, capped));
        command.extend(["bwrap", "--args", "4", "--"].map(OsString::from));
        command.extend(spec.command.iter().map(OsString::from));
        Plan { command, cgroups, notes }
    }
}

/// Who the build runs as, and what there is to say about it.
fn who(wanted: Option<Identity>, workspace: &Workspace) -> io::Result<(Option<Identity>, Vec<String>)> {
    let closed = "the folder of builds is closed to the build user, so the launcher's own user is taken";
    Ok(match (wanted, workspace.barrier()?) {
        (Some(_), Some(_)) => (None, vec![closed.to_owned()]),
        (identity, _) => (identity, Vec::new()),
    })
}

/// The arguments of the sandbox go by a file: variables are among them, and every user of the machine can read the command
/// line of a process.
fn write_arguments(folder: &Path, arguments: &[OsString]) -> io::Result<PathBuf> {
    let path = folder.canonicalize()?.join("arguments");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    let words: Vec<&[u8]> = arguments.iter().map(OsString::as_os_str).map(OsStr::as_bytes).collect();
    file.write_all(&words.join(&0))?;
    Ok(path)
}

fn entrance(cgroups: &Cgroups, arguments: &Path) -> Vec<OsString> {
    let doors = cgroups.doors();
    let mut words: Vec<OsString> = ["sh", "-euc", ENTER, "enter"].map(OsString::from).to_vec();
    words.extend([arguments.into(), doors.len().to_string().into()]);
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
    let at_most = |name, wanted| rlimits::at_most(&own, name, wanted);
    let mut words = vec![
        "prlimit".to_owned(),
        "--core=0".to_owned(),
        format!("--nofile={}", at_most("nofile", OPEN_FILES)),
        format!("--fsize={}", at_most("fsize", limits.file_bytes)),
    ];
    if !capped {
        words.push(format!("--nproc={}", at_most("nproc", u64::from(limits.pids))));
    }
    words.push("--".to_owned());
    words.into_iter().map(OsString::from).collect()
}
