//! Where a path in the checkout really leads, links followed as the build saw them: `/site` is the checkout, and nothing
//! above it exists.

use crate::spec::SITE;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// As many as the kernel follows.
const LINKS: u32 = 40;

/// The real place of `path`, which is below `root`; nothing if it is not there or a link leads outside. `root` has no link in
/// it, nor has the result.
pub(super) fn resolve(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut real = root.to_owned();
    let mut pending = segments(path.strip_prefix(root).ok()?)?;
    let mut links = 0;
    while let Some(segment) = pending.pop() {
        if segment == ".." {
            if real == root {
                return None;
            }
            real.pop();
            continue;
        }
        let next = real.join(segment);
        if !fs::symlink_metadata(&next).ok()?.is_symlink() {
            real = next;
            continue;
        }
        links += 1;
        let target = fs::read_link(&next).ok().filter(|_| links <= LINKS)?;
        if target.is_absolute() {
            real = root.to_owned();
            pending.extend(segments(target.strip_prefix(SITE).ok()?)?);
        } else {
            pending.extend(segments(&target)?);
        }
    }
    Some(real)
}

/// The segments of a relative path, last first.
fn segments(path: &Path) -> Option<Vec<OsString>> {
    path.components()
        .rev()
        .filter(|component| *component != Component::CurDir)
        .map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
        })
        .collect()
}
