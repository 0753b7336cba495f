//! Packs what a build made into one archive: the same files give the same bytes.
//!
//! The build is not trusted. A link may lead anywhere inside the checkout, never outside, so that no file of this machine is
//! published; and everything that grows with the build's output has a limit. Call it only when the build is dead.

use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use storage::path::{Paths, Unfit, check};

mod links;

use crate::brought::{Brought, FILE};
use crate::disk;
use crate::words::counted;
use links::resolve;

/// The folder that a build leaves.
pub const FOLDER: &str = "_site";

/// How much a build may publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputLimits {
    /// Files, and as many folders.
    pub files: u64,
    /// All files together.
    pub bytes: u64,
}

impl Default for OutputLimits {
    fn default() -> Self {
        Self { files: 100_000, bytes: 4 << 30 }
    }
}

/// What was packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    pub files: u64,
    pub bytes: u64,
}

/// Why the output was not packed. All but [`Error::Io`] are the build's own fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the build left no `_site` folder")]
    Missing,
    #[error("the build left nothing to publish in `_site`")]
    Empty,
    #[error("`{path}` links to nothing, or to something outside of the checkout")]
    Escapes { path: String },
    #[error("`{path}` links to a folder that it is in")]
    Endless { path: String },
    #[error("`{path}` is neither a file nor a folder")]
    Special { path: String },
    #[error("the path of `{path}` {why}")]
    Path { path: String, why: Unfit },
    #[error("the output has more than {}", counted(*limit, "file"))]
    ManyFiles { limit: u64 },
    #[error("the output has more than {}", counted(*limit, "byte"))]
    ManyBytes { limit: u64 },
    #[error("failed to pack `{path}`")]
    Io { path: String, source: io::Error },
}

impl Error {
    /// Whether another try may succeed with the same source.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Io { .. })
    }

    /// Whether there was no room for the archive.
    pub fn is_about_disk(&self) -> bool {
        matches!(self, Self::Io { source, .. } if disk::is_full(source))
    }
}

/// A file to publish.
struct Found {
    path: String,
    source: PathBuf,
    size: u64,
}

/// Writes the regular files below `site_dir/_site` to `tar`, sorted by path, without owner, mode or time of their own, and with them
/// the file that says how they are shown, which is none of them.
/// Blocks: call it off the async threads.
pub fn pack(site_dir: &Path, tar: impl Write, limits: &OutputLimits, brought: &Brought) -> Result<Packed, Error> {
    let mut search = Search::start(site_dir, limits, brought)?;
    search.found.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    let mut archive = tar::Builder::new(tar);
    if let Some(file) = &brought.file {
        let mut header = header(file.len() as u64);
        archive.append_data(&mut header, FILE, &**file).map_err(failed(FILE))?;
    }
    for file in &search.found {
        append(&mut archive, file).map_err(failed(&file.path))?;
    }
    archive.finish().and_then(|()| archive.get_mut().flush()).map_err(failed(FOLDER))?;
    Ok(Packed { files: search.found.len() as u64, bytes: search.bytes })
}

fn append(archive: &mut tar::Builder<impl Write>, file: &Found) -> io::Result<()> {
    let mut header = header(file.size);
    // Exactly the announced size, or an error: a header that lies would shift everything behind it.
    let mut content = File::open(&file.source)?.take(file.size);
    archive.append_data(&mut header, &file.path, &mut content)?;
    if content.limit() == 0 { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header
}

struct Search<'a> {
    root: PathBuf,
    limits: &'a OutputLimits,
    brought: &'a Brought,
    /// The folders we are in, links resolved.
    trail: Vec<PathBuf>,
    found: Vec<Found>,
    paths: Paths,
    bytes: u64,
    folders: u64,
}

impl<'a> Search<'a> {
    fn start(site_dir: &Path, limits: &'a OutputLimits, brought: &'a Brought) -> Result<Self, Error> {
        let root = site_dir.canonicalize().map_err(failed("."))?;
        let (trail, found, paths) = (Vec::new(), Vec::new(), Paths::default());
        let mut search = Self { root, limits, brought, trail, found, paths, bytes: 0, folders: 0 };
        if fs::symlink_metadata(site_dir.join(FOLDER)).is_err() {
            return Err(Error::Missing);
        }
        let output = search.resolve(&search.root.join(FOLDER), FOLDER)?;
        if !output.is_dir() {
            return Err(Error::Missing);
        }
        search.folder(output, "")?;
        if search.found.is_empty() { Err(Error::Empty) } else { Ok(search) }
    }

    fn folder(&mut self, folder: PathBuf, path: &str) -> Result<(), Error> {
        if self.trail.contains(&folder) {
            return Err(Error::Endless { path: path.to_owned() });
        }
        self.folders += 1;
        if self.folders > self.limits.files {
            return Err(Error::ManyFiles { limit: self.limits.files });
        }
        let entries = fs::read_dir(&folder).map_err(failed(path))?;
        self.trail.push(folder);
        for entry in entries {
            let entry = entry.map_err(failed(path))?;
            let name = entry.file_name();
            let path = join(path, &name.to_string_lossy());
            if !self.brought.wants(&path, entry.file_type().map_err(failed(&path))?) {
                continue;
            }
            if name.to_str().is_none() {
                return Err(unfit(&path)(Unfit::Encoding));
            }
            self.entry(&entry.path(), path)?;
        }
        self.trail.pop();
        Ok(())
    }

    fn entry(&mut self, entry: &Path, path: String) -> Result<(), Error> {
        // Asked of folders too: a chain of them without end is left before it is followed.
        check(path.as_bytes()).map_err(unfit(&path))?;
        let source = self.resolve(entry, &path)?;
        let metadata = fs::metadata(&source).map_err(failed(&path))?;
        if metadata.is_dir() {
            return self.folder(source, &path);
        }
        if !metadata.is_file() {
            return Err(Error::Special { path });
        }
        self.paths.add(&path).map_err(unfit(&path))?;
        self.bytes = self.bytes.saturating_add(metadata.len());
        self.found.push(Found { path, source, size: metadata.len() });
        if self.found.len() as u64 > self.limits.files {
            return Err(Error::ManyFiles { limit: self.limits.files });
        }
        if self.bytes > self.limits.bytes {
            return Err(Error::ManyBytes { limit: self.limits.bytes });
        }
        Ok(())
    }

    fn resolve(&self, entry: &Path, path: &str) -> Result<PathBuf, Error> {
        resolve(&self.root, entry).ok_or_else(|| Error::Escapes { path: path.to_owned() })
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// A path that cannot be published is shown with what cannot be seen escaped, on one line.
fn unfit(path: &str) -> impl FnOnce(Unfit) -> Error {
    move |why| Error::Path { path: path.escape_debug().to_string(), why }
}

fn failed(path: &str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
