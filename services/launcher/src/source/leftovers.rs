//! What git leaves in a mirror when it is killed: half-written packs, and locks on which every later run would fail.

use std::fs;
use std::path::Path;

/// Removes them. Call it only while nothing runs on the mirror.
pub(crate) fn remove(mirror: &Path) {
    let temporary = |name: &str| name.starts_with("tmp_") || name.ends_with(".lock");
    let folders = [mirror.to_owned(), mirror.join("objects/pack"), mirror.join("objects")];
    let objects = fs::read_dir(mirror.join("objects")).into_iter().flatten().flatten().map(|entry| entry.path());
    let branches = ["refs/branches", "refs/commits", "refs/heads"].map(|folder| mirror.join(folder));
    for folder in folders.into_iter().chain(objects).chain(branches) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_name().to_str().is_some_and(temporary) {
                let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                if let Err(error) = removed {
                    tracing::warn!(%error, path = %path.display(), "what git left half-written could not be removed");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::remove;
    use std::fs;

    #[test]
    fn locks_and_half_written_packs_are_removed_and_nothing_else() {
        let mirror = tempfile::tempdir().unwrap();
        let left = ["shallow.lock", "objects/pack/tmp_pack_x", "objects/ab/tmp_obj_y", "refs/branches/z.lock"];
        let kept = ["HEAD", "shallow", "objects/pack/pack-1.pack", "objects/ab/cdef", "refs/branches/z"];
        for name in left.iter().chain(&kept) {
            let path = mirror.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::create_dir(mirror.path().join("objects/tmp_objdir-incoming-q")).unwrap();
        remove(mirror.path());
        assert!(left.iter().all(|name| !mirror.path().join(name).exists()));
        assert!(!mirror.path().join("objects/tmp_objdir-incoming-q").exists());
        assert!(kept.iter().all(|name| mirror.path().join(name).exists()));
    }
}
