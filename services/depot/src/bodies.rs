//! Body files. A file is written under `incoming`, made durable, and renamed to a place named by its id, never by a key.
//!
//! A file in its place means nothing until the index names it; whatever the index does not name is swept at start.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::error::{Error, Fault};

const INCOMING: &str = "incoming";
const BODIES: &str = "bodies";

pub(crate) struct Bodies {
    root: PathBuf,
}

impl Bodies {
    /// Creates the directories. Nothing is read or removed here: the directory may still belong to another process.
    pub(crate) fn prepare(root: PathBuf) -> Result<Self, Error> {
        let bodies = Self { root };
        bodies.create_directories().map_err(|source| bodies.directory_error(source))?;
        Ok(bodies)
    }

    fn create_directories(&self) -> io::Result<()> {
        fs::create_dir_all(self.root.join(INCOMING))?;
        for shard in 0..=u8::MAX {
            fs::create_dir_all(self.root.join(BODIES).join(hex::encode([shard])))?;
        }
        sync_directory(&self.root.join(BODIES))?;
        sync_directory(&self.root)
    }

    fn directory_error(&self, source: io::Error) -> Error {
        Error::Directory { path: self.root.clone(), source }
    }

    pub(crate) fn create(&self) -> io::Result<Draft> {
        let id = Uuid::now_v7();
        let path = self.root.join(INCOMING).join(id.simple().to_string());
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Draft { file, id, place: self.place(id), guard: Guard { path: Some(path) } })
    }

    pub(crate) fn open(&self, id: Uuid) -> io::Result<File> {
        File::open(self.place(id))
    }

    /// Readers that have the file open keep it; the next start removes what cannot be removed now.
    pub(crate) fn remove(&self, id: Uuid) {
        if let Err(error) = remove_file(&self.place(id)) {
            tracing::warn!(%id, %error, "failed to remove a body file");
        }
    }

    /// Removes unfinished files and every body the index does not know; returns how many.
    pub(crate) fn sweep(&self, is_known: impl Fn(Uuid) -> Result<bool, Fault>) -> Result<usize, Fault> {
        let mut removed = remove_entries(&self.root.join(INCOMING), |_| Ok(false))?;
        for shard in 0..=u8::MAX {
            let directory = self.root.join(BODIES).join(hex::encode([shard]));
            removed += remove_entries(&directory, &is_known)?;
        }
        Ok(removed)
    }

    /// The last byte of an id is random, whereas its first bytes are the time.
    fn place(&self, id: Uuid) -> PathBuf {
        let shard = hex::encode(&id.as_bytes()[15..]);
        self.root.join(BODIES).join(shard).join(id.simple().to_string())
    }
}

fn remove_entries(directory: &Path, keep: impl Fn(Uuid) -> Result<bool, Fault>) -> Result<usize, Fault> {
    let mut removed = 0;
    for entry in fs::read_dir(directory).map_err(Fault::File)? {
        let entry = entry.map_err(Fault::File)?;
        let id = entry.file_name().to_str().and_then(|name| Uuid::try_parse(name).ok());
        // A name that is no id was not put there by this store, so it is not this store's to remove.
        let Some(id) = id else { continue };
        if !keep(id)? {
            remove_file(&entry.path()).map_err(Fault::File)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// A file that is already gone is as removed as it can be.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// A rename is durable only once its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// A body being written.
pub(crate) struct Draft {
    file: File,
    pub id: Uuid,
    place: PathBuf,
    guard: Guard,
}

impl Draft {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Makes the body durable in its place. The guard removes it again unless an index commit names it.
    pub(crate) fn finish(mut self) -> io::Result<Guard> {
        self.file.sync_all()?;
        if let Some(temporary) = self.guard.path.as_deref() {
            fs::rename(temporary, &self.place)?;
        }
        self.guard.path = Some(self.place.clone());
        if let Some(shard) = self.place.parent() {
            sync_directory(shard)?;
        }
        Ok(self.guard)
    }
}

/// A file that is removed when it is dropped before it is kept.
pub(crate) struct Guard {
    path: Option<PathBuf>,
}

impl Guard {
    pub(crate) fn keep(mut self) {
        self.path = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(path) = self.path.take() else { return };
        if let Err(error) = remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "failed to remove an unpublished body");
        }
    }
}
