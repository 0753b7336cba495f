//! What a bubblewrap sandbox shows: the arguments of `bwrap`, from the container's description and the look of the host.

use crate::gate;
use crate::spec::{CACHE, ContainerSpec, HOME, SITE};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The user inside, whoever it is outside.
const INSIDE: u32 = 1000;
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Folders that most systems merged into `/usr`; where they are real folders, they are shown as they are.
const SYSTEM: [&str; 5] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"];
/// What programs need of `/etc` to find libraries, hosts and certificates. Keys beside the certificates stay out of sight.
const ETC: [&str; 13] = [
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/resolv.conf",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
];

/// What an operator adds to every sandbox.
pub(super) struct Extras {
    pub(super) read_only_paths: Vec<PathBuf>,
    pub(super) env: Vec<(String, String)>,
}

/// Writes the files that [`arguments`] shows as `/etc/passwd` and `/etc/group`. They are for whoever owns them: the build user,
/// whom the workspace is given to.
pub(super) fn write_etc(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    let files = [
        ("passwd", format!("build:x:{INSIDE}:{INSIDE}:build:{HOME}:/bin/sh\n")),
        ("group", format!("build:x:{INSIDE}:\n")),
    ];
    for (name, text) in files {
        fs::write(folder.join(name), text)?;
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// The arguments of `bwrap`, without the command.
pub(super) fn arguments(spec: &ContainerSpec, extras: &Extras) -> io::Result<Vec<OsString>> {
    let mut list = Arguments(Vec::new());
    list.add(&[
        "--unshare-all",
        "--unshare-user",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
        "--hostname",
        "build",
    ]);
    let inside = INSIDE.to_string();
    list.add(&["--uid", &inside, "--gid", &inside, "--cap-drop", "ALL", "--json-status-fd", "3"]);
    show_system(&mut list);
    let etc = spec.workspace.etc().canonicalize()?;
    list.bind("--ro-bind", &etc.join("passwd"), "/etc/passwd");
    list.bind("--ro-bind", &etc.join("group"), "/etc/group");
    for path in &extras.read_only_paths {
        list.bind("--ro-bind", path, path);
    }
    show_memory(&mut list, spec.limits.tmp_bytes);
    if let Some(gate) = &spec.gate {
        list.bind("--ro-bind", &gate.canonicalize()?, gate::FOLDER);
    }
    list.bind("--bind", &spec.workspace.site().canonicalize()?, SITE);
    list.bind("--bind", &spec.workspace.home().canonicalize()?, HOME);
    list.bind("--bind", &spec.workspace.cache().canonicalize()?, CACHE);
    list.add(&["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SITE, "--clearenv"]);
    list.add(&["--setenv", "PATH", &search_path(&extras.read_only_paths)]);
    for (name, value) in spec.variables.iter() {
        list.add(&["--setenv", name, value]);
    }
    for (name, value) in extras.env.iter().map(|(name, value)| (name, value)).chain(&spec.env) {
        list.add(&["--setenv", name, value]);
    }
    Ok(list.0)
}

fn show_system(list: &mut Arguments) {
    list.add(&["--ro-bind", "/usr", "/usr"]);
    for folder in SYSTEM {
        match fs::read_link(folder) {
            Ok(target) => list.bind("--symlink", &target, folder),
            Err(_) => list.add(&["--ro-bind-try", folder, folder]),
        }
    }
    for path in ETC {
        list.add(&["--ro-bind-try", path, path]);
    }
    list.add(&["--proc", "/proc", "--dev", "/dev"]);
}

/// The folders in memory, each bounded: what they hold counts as memory of the build.
fn show_memory(list: &mut Arguments, tmp_bytes: u64) {
    let size = tmp_bytes.to_string();
    for folder in ["/dev/shm", "/tmp"] {
        list.add(&["--perms", "1777", "--size", &size, "--tmpfs", folder]);
    }
    list.add(&["--dir", "/run", "--dir", "/var", "--symlink", "../tmp", "/var/tmp"]);
}

fn search_path(read_only_paths: &[PathBuf]) -> String {
    let added = read_only_paths.iter().map(|path| path.join("bin")).filter(|folder| folder.is_dir());
    let mut folders: Vec<String> = added.map(|folder| folder.to_string_lossy().into_owned()).collect();
    folders.push(PATH.to_owned());
    folders.join(":")
}

struct Arguments(Vec<OsString>);

impl Arguments {
    fn add(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    fn bind(&mut self, how: &str, from: &Path, to: impl AsRef<Path>) {
        self.0.extend([OsString::from(how), from.into(), to.as_ref().into()]);
    }
}
