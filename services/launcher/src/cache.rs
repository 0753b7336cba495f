//! What builds leave to those that follow: packages that were fetched, and what an engine has computed.
//!
//! Each is one archive, of a site, of what the site is shown as, and of its lockfiles. An archive is never changed: a build gets
//! a copy of its own, and what it has in the end becomes another archive, which takes the place of the former at once. So
//! builds of one site that run at the same time see nothing of each other. All of it may be deleted at any time.

mod found;
mod name;
mod pack;

pub(crate) use name::Name;
pub(crate) use pack::{Print, Refused, print_of};

use crate::blocking;
use crate::disk::{is_short, left};
use crate::workspace::Workspace;
use found::{DRAFT, found, newest, surplus};
use runtime::clock;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use tokio::sync::Mutex as Turn;

/// What caches may take of a launcher's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// Those of one site together, in bytes, and so each.
    pub site_bytes: u64,
    /// All of them together, in bytes.
    pub all_bytes: u64,
}

impl Default for Space {
    fn default() -> Self {
        Self { site_bytes: 1 << 30, all_bytes: 16 << 30 }
    }
}

/// The caches of a launcher.
pub(crate) struct Caches {
    root: PathBuf,
    space: Space,
    /// What the disk keeps for others.
    reserve_bytes: u64,
    trimming: Turn<()>,
}

/// What was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The number of the build that had left it.
    pub(crate) number: u64,
    /// How long its archive is.
    pub(crate) bytes: u64,
}

impl Caches {
    /// Makes the folder if need be, and removes what an earlier life left half-written. Blocks.
    pub(crate) fn open(root: PathBuf, space: Space, reserve_bytes: u64) -> io::Result<Self> {
        // What builds keep is nobody else's to read.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&root)?;
        for site in fs::read_dir(&root)?.flatten() {
            let drafts = fs::read_dir(site.path()).into_iter().flatten().flatten();
            for draft in drafts.filter(|entry| entry.file_name().to_string_lossy().starts_with(DRAFT)) {
                fs::remove_file(draft.path())?;
            }
        }
        Ok(Self { root, space, reserve_bytes, trimming: Turn::default() })
    }

    /// Copies what was left under the name into the empty folder `into`, if a build left something there whose number is `from`
    /// or greater. What cannot be read is removed, and nothing of it stays in the folder.
    pub(crate) async fn restore(&self, name: &Name, from: Option<u64>, into: &Path) -> io::Result<Option<Kept>> {
        let (folder, owned) = (self.root.join(name.site()), name.clone());
        let open = move || {
            let Some(found) = newest(&folder, &owned, from)? else { return Ok(None) };
            let archive = fs::File::open(&found.path)?;
            // Where its use cannot be noted it gives way earlier than it should.
            let _ = archive.set_modified(clock::now().into());
            Ok(Some((found, archive)))
        };
        let Some((found, archive)) = blocking(open).await? else { return Ok(None) };
        let kept = Kept { number: found.number, bytes: found.bytes };
        let Err(error) = pack::unpack(archive, into).await else { return Ok(Some(kept)) };
        let into = into.to_owned();
        let clear = move || {
            fs::remove_file(found.path)?;
            fs::read_dir(into)?.flatten().try_for_each(|entry| Workspace::at(entry.path()).remove())
        };
        blocking(clear).await?;
        Err(error)
    }

    /// Keeps what is in a folder for those that follow, in the place of what builds of a smaller number have kept under the name.
    /// Answers how long its archive is.
    pub(crate) async fn keep(&self, name: &Name, number: u64, folder: &Path) -> Result<u64, Refused> {
        let shelf = self.root.join(name.site());
        let draft = {
            let shelf = shelf.clone();
            move || {
                fs::create_dir_all(&shelf)?;
                tempfile::Builder::new().prefix(DRAFT).tempfile_in(&shelf)
            }
        };
        let draft = blocking(draft).await?;
        pack::pack(folder, draft.as_file(), self.space.site_bytes).await?;
        let owned = name.clone();
        let place = move || {
            let bytes = draft.as_file().metadata()?.len();
            draft.persist(shelf.join(owned.of(number))).map_err(|error| error.error)?;
            let last = newest(&shelf, &owned, None)?.map_or(number, |found| found.number);
            let former = found(&shelf)?.into_iter().filter(|found| found.is(&owned) && found.number < last);
            former.for_each(|former| drop(fs::remove_file(former.path)));
            Ok(bytes)
        };
        Ok(blocking(place).await?)
    }

    /// Removes what was not used for long, and what nobody has used for longest, until the rest takes no more than it may and
    /// the disk has its reserve. Whoever is copying from an archive has it open and goes on.
    pub(crate) async fn trim(&self) {
        let _one_at_a_time = self.trimming.lock().await;
        let (root, space) = (self.root.clone(), self.space.clone());
        let trim = move || {
            let surplus = surplus(found::all(&root)?, &space, clock::now().into());
            surplus.into_iter().try_for_each(fs::remove_file)
        };
        if let Err(error) = blocking(trim).await {
            tracing::warn!(%error, "a cache that must give way could not be removed");
        }
        while left(&self.root).await.is_some_and(|left| is_short(left, self.reserve_bytes)) {
            let root = self.root.clone();
            let remove = move || match found::all(&root)?.into_iter().min_by_key(|found| found.used) {
                Some(oldest) => fs::remove_file(oldest.path).map(|()| true),
                None => Ok(false),
            };
            match blocking(remove).await {
                Ok(true) => tracing::info!("a cache gave way to others"),
                Ok(false) => return,
                Err(error) => return tracing::warn!(%error, "a cache that must give way could not be removed"),
            }
        }
    }
}

#[cfg(test)]
mod tests;
