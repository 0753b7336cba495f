//! The folder of one build: the checkout, a fresh home, and the few files of `/etc` that the sandbox shows.

use events::Folder;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder of one build alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
}

/// A user and a group by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub uid: u32,
    pub gid: u32,
}

impl Workspace {
    /// Names a workspace without touching the disk.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Makes the folder new and empty; what an earlier attempt left there is removed.
    pub fn create(root: impl Into<PathBuf>) -> io::Result<Self> {
        let workspace = Self::at(root);
        workspace.remove()?;
        fs::create_dir_all(&workspace.root)?;
        fs::set_permissions(&workspace.root, fs::Permissions::from_mode(0o700))?;
        for folder in [workspace.site(), workspace.home(), workspace.cache()] {
            fs::DirBuilder::new().mode(0o700).create(folder)?;
        }
        Ok(workspace)
    }

    /// The checkout, `/site` inside the sandbox.
    pub fn site(&self) -> PathBuf {
        self.root.join("site")
    }

    /// The home of the build, gone with it.
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// What earlier builds have left for it, and what it leaves for later ones, `/cache` inside the sandbox.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// The folder of the checkout that is the site; none if there is no such folder, or a link is on the way to it.
    pub(crate) fn folder_of(&self, base: Option<&Folder>) -> io::Result<Option<PathBuf>> {
        let mut folder = self.site();
        for part in base.map(Folder::as_str).into_iter().flat_map(|base| base.split('/')) {
            folder.push(part);
            match folder.symlink_metadata() {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(folder))
    }

    /// Files of `/etc` made for the sandbox; the build cannot change them.
    pub(crate) fn etc(&self) -> PathBuf {
        self.root.join("etc")
    }

    /// Where its way to the network begins. The build may pass through it, and change nothing.
    pub fn gate(&self) -> PathBuf {
        self.root.join("gate")
    }

    /// Removes everything. A folder that the build has locked away from us is unlocked first.
    pub fn remove(&self) -> io::Result<()> {
        if fs::symlink_metadata(&self.root).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
        let root = self.root.as_os_str();
        tree("rm", ["-rf", "--"], &[root])
            .or_else(|_| tree("chmod", ["-R", "u+rwX"], &[root]).and_then(|()| tree("rm", ["-rf", "--"], &[root])))
    }

    /// Moves everything out of the way, into the folder `trash` of the same disk, and gives what is to be removed there:
    /// however much that is, the place is free at once. Nothing if there is nothing.
    pub fn discard(&self, trash: &Path) -> io::Result<Option<Self>> {
        fs::create_dir_all(trash)?;
        let name = self.root.file_name().unwrap_or_default().to_string_lossy();
        let moved = trash.join(format!("{name}-{}", runtime::clock::new_id().simple()));
        match fs::rename(&self.root, &moved) {
            Ok(()) => Ok(Some(Self { root: moved })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives the checkout, the home, the cache, the gate and the files of `/etc` to `identity`, links themselves and never what they point to. Its
    /// group may pass through to them, and nobody else.
    pub(crate) fn give_to(&self, identity: Identity) -> io::Result<()> {
        let owner = format!("{}:{}", identity.uid, identity.gid);
        let mut given = vec![self.site(), self.home(), self.cache()];
        given.extend([self.etc(), self.gate()].into_iter().filter(|folder| folder.exists()));
        tree("chown", ["-Rh", &owner], &given.iter().map(|folder| folder.as_os_str()).collect::<Vec<_>>())?;
        chown(&self.root, None, Some(identity.gid))?;
        fs::set_permissions(&self.root, fs::Permissions::from_mode(0o710))
    }

    /// Who owns the checkout.
    pub(crate) fn owner(&self) -> io::Result<Identity> {
        let metadata = fs::metadata(self.site())?;
        Ok(Identity { uid: metadata.uid(), gid: metadata.gid() })
    }

    /// The first folder on the way to the workspace that keeps other users out, if there is one. Its own lets through whom
    /// it is given to.
    pub(crate) fn barrier(&self) -> io::Result<Option<PathBuf>> {
        let root = fs::canonicalize(&self.root)?;
        let closed = |folder: &&Path| fs::metadata(folder).is_ok_and(|found| found.mode() & 0o001 == 0);
        Ok(root.ancestors().skip(1).find(closed).map(Path::to_owned))
    }
}

/// Works on whole trees by the programs made for it: a build may nest folders deeper than a recursion of ours could follow.
fn tree<const N: usize>(program: &str, options: [&str; N], paths: &[&OsStr]) -> io::Result<()> {
    let done = Command::new(program).args(options).args(paths).stdin(Stdio::null()).output()?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(io::Error::other(format!("{program}: {}", said.lines().next().unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::Workspace;
    use std::process::Command;

    #[test]
    fn a_tree_deeper_than_any_path_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(folder.path().join("build")).unwrap();
        let dig =
            "i=0; while [ $i -lt 1000 ]; do mkdir deep && cd -P deep; i=$((i+1)); done; mkdir last; chmod 000 last";
        let dug = Command::new("sh").args(["-c", dig]).current_dir(workspace.site()).status().unwrap();
        assert!(dug.success());
        workspace.remove().unwrap();
        assert!(!folder.path().join("build").exists());
        workspace.remove().unwrap();
    }
}
