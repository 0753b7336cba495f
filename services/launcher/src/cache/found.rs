//! The archives that are there, and which of them are too many.

use super::{Name, Space};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long an archive is kept that no build uses.
const UNUSED_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// What the name of an archive begins with while it is written.
pub(super) const DRAFT: &str = ".draft-";
const END: &str = ".tar";

/// An archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    stem: String,
    /// Which build left it.
    pub(super) number: u64,
    pub(super) bytes: u64,
    /// When it was used last.
    pub(super) used: SystemTime,
}

impl Found {
    fn at(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(END)?;
        let (stem, number) = name.rsplit_once('-')?;
        let (stem, number) = (stem.to_owned(), number.parse().ok()?);
        let metadata = fs::metadata(&path).ok()?;
        let (bytes, used) = (metadata.len(), metadata.modified().ok()?);
        Some(Self { path, stem, number, bytes, used })
    }

    pub(super) fn is(&self, name: &Name) -> bool {
        self.stem == name.stem()
    }

    fn site(&self) -> Option<&Path> {
        self.path.parent()
    }
}

/// The archives of a site, of which nothing may have been kept yet.
pub(super) fn found(folder: &Path) -> io::Result<Vec<Found>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().filter_map(|entry| Found::at(entry.path())).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The archives of all sites.
pub(super) fn all(root: &Path) -> io::Result<Vec<Found>> {
    let sites = fs::read_dir(root)?.flatten().filter(|entry| entry.path().is_dir());
    sites.map(|site| found(&site.path())).collect::<io::Result<Vec<_>>>().map(|sites| sites.concat())
}

/// What the last build left under a name, whose number is `from` or greater.
pub(super) fn newest(folder: &Path, name: &Name, from: Option<u64>) -> io::Result<Option<Found>> {
    let from = from.unwrap_or_default();
    let good = found(folder)?.into_iter().filter(|found| found.is(name) && found.number >= from);
    Ok(good.max_by_key(|found| found.number))
}

/// The archives that must go: those that were not used for long, and of the rest those used longest ago where a site, or all
/// together, have too much.
pub(super) fn surplus(mut found: Vec<Found>, space: &Space, now: SystemTime) -> Vec<PathBuf> {
    found.sort_by_key(|found| std::cmp::Reverse(found.used));
    let (mut of_sites, mut of_all, mut surplus) = (HashMap::<PathBuf, u64>::new(), 0_u64, Vec::new());
    for found in found {
        let of_site = of_sites.entry(found.site().unwrap_or(Path::new("")).to_owned()).or_default();
        let is_old = now.duration_since(found.used).is_ok_and(|unused| unused > UNUSED_MAX);
        if is_old || *of_site + found.bytes > space.site_bytes || of_all + found.bytes > space.all_bytes {
            surplus.push(found.path);
        } else {
            *of_site += found.bytes;
            of_all += found.bytes;
        }
    }
    surplus
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(path: &str, bytes: u64, used_day: u64) -> Found {
        let used = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * used_day);
        Found { path: path.into(), stem: "live-a".to_owned(), number: 1, bytes, used }
    }

    #[test]
    fn what_was_used_last_stays_as_far_as_a_site_and_all_sites_have_room() {
        let today = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * 100);
        let there = || {
            vec![
                archive("/docs/old", 40, 90),
                archive("/docs/new", 40, 99),
                archive("/docs/newest", 40, 100),
                archive("/blog/only", 40, 95),
                archive("/shop/forgotten", 1, 69),
            ]
        };
        let gone = |site_bytes, all_bytes| {
            let surplus = surplus(there(), &Space { site_bytes, all_bytes }, today);
            surplus.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(gone(1000, 1000), ["/shop/forgotten"]);
        assert_eq!(gone(80, 1000), ["/docs/old", "/shop/forgotten"]);
        assert_eq!(gone(80, 80), ["/blog/only", "/docs/old", "/shop/forgotten"]);
        assert_eq!(gone(39, 1000).len(), 5);
    }
}
