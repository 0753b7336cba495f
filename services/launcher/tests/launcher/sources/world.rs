//! A repository and a launcher's mirrors.

use dialer::Dialer;
use events::address::Allowed;
use launcher::source::{Config, Error, Mirror, Origin, Rules, Space};
use launcher::spec::Limits;
use launcher::workspace::Identity;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Somebody who has nothing on this machine.
pub(crate) const READER: Identity = Identity { uid: 61_000, gid: 61_000 };

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) mirror: Mirror,
}

impl World {
    /// Repositories may be anywhere in the world's folder and on loopback.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with other rules.
    pub(crate) fn with(change: impl FnOnce(&mut Rules)) -> Self {
        Self::configured(|config| change(&mut config.rules))
    }

    /// The same with anything else.
    pub(crate) fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Whoever reads repositories for root has to pass.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        let allowed = Allowed { private: true, folders: vec![folder.path().to_owned()] };
        let rules =
            Rules { dialer: Dialer { allowed, own: Vec::new() }, closed: vec![folder.path().join("data")], own: None };
        let mut config = Config {
            root: folder.path().join("data/mirrors"),
            rules,
            reader: is_root().then_some(READER),
            timeout: Duration::from_secs(30),
            stall: Duration::from_secs(1),
            space: Space::default(),
            limits: Limits { disk_reserve_bytes: 0, ..Limits::default() },
        };
        change(&mut config);
        let world = Self { mirror: Mirror::open(config).unwrap(), folder };
        fs::create_dir(world.remote()).unwrap();
        world.git(&["init", "-q", "-b", "main"]);
        world
    }

    pub(crate) fn remote(&self) -> PathBuf {
        self.folder.path().join("remote")
    }

    pub(crate) fn address(&self) -> String {
        self.remote().display().to_string()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.remote(), arguments)
    }

    pub(crate) fn commit(&self, path: &str, content: &str) -> String {
        fs::write(self.remote().join(path), content).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", content]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Checks out into a fresh folder and gives it with whether the mirror had the commit.
    pub(crate) async fn checkout(&self, commit: &str) -> Result<(TempDir, bool), Error> {
        self.checkout_of(&self.address(), commit).await
    }

    pub(crate) async fn checkout_of(&self, address: &str, commit: &str) -> Result<(TempDir, bool), Error> {
        let into = tempfile::tempdir().unwrap();
        let fetched = self.mirror.checkout(&Origin::public(address, "main"), commit, into.path()).await?;
        Ok((into, fetched.from_mirror))
    }

    pub(crate) fn mirrors(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("data/mirrors")).unwrap();
        entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "git"))
            .collect()
    }
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let done = Command::new("git")
        .args(["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

pub(crate) fn read(folder: &TempDir, path: &str) -> String {
    fs::read_to_string(folder.path().join(path)).unwrap()
}
