//! What one deploy has that another has not.

use super::{Manifest, SiteFile};
use std::cmp::Ordering;

/// The files in which two deploys differ, each list sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference<'a> {
    /// Files that only the later one has.
    pub added: Vec<&'a SiteFile>,
    /// Files whose content or type is another, as the later one has them.
    pub changed: Vec<&'a SiteFile>,
    /// Files that only the earlier one has.
    pub removed: Vec<&'a SiteFile>,
}

impl Manifest {
    /// What has become of `earlier`'s files in this deploy.
    #[must_use]
    pub fn since<'a>(&'a self, earlier: &'a Self) -> Difference<'a> {
        let mut difference = Difference::default();
        let (mut olds, mut news) = (earlier.iter().peekable(), self.iter().peekable());
        loop {
            let order = match (olds.peek(), news.peek()) {
                (Some(old), Some(new)) => old.path.cmp(&new.path),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return difference,
            };
            let old = if order == Ordering::Greater { None } else { olds.next() };
            let new = if order == Ordering::Less { None } else { news.next() };
            match (old, new) {
                (Some(old), Some(new)) if old.digest == new.digest && old.content_type == new.content_type => {}
                (Some(_), Some(new)) => difference.changed.push(new),
                (Some(old), None) => difference.removed.push(old),
                (None, new) => difference.added.extend(new),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::{Head, Manifest, SiteFile, Uploaded};
    use events::{BuildId, DeployId, Digest, SiteId};
    use proptest::collection::btree_map;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    type Files = BTreeMap<String, u8>;

    fn manifest(files: &Files) -> Manifest {
        let build = BuildId(Uuid::nil());
        let uploaded = Uploaded::default();
        let head = Head { deploy: DeployId::of(build), site: SiteId(Uuid::nil()), build, uploaded };
        let file = |(path, content): (&String, &u8)| SiteFile {
            path: path.clone(),
            digest: Digest::of(&[*content]),
            size: 1,
            content_type: "text/plain".into(),
            pack: Digest::of(b"pack"),
            offset: 0,
        };
        Manifest::new(head, files.iter().map(file))
    }

    fn paths(files: &[&SiteFile]) -> Vec<String> {
        files.iter().map(|file| file.path.clone()).collect()
    }

    proptest! {
        #[test]
        fn a_difference_is_what_looking_up_each_path_finds(
            old in btree_map("[a-c]{1,2}", 0..3_u8, 0..8),
            new in btree_map("[a-c]{1,2}", 0..3_u8, 0..8),
        ) {
            let (earlier, later) = (manifest(&old), manifest(&new));
            let found = later.since(&earlier);
            let those = |files: &Files, wanted: &dyn Fn(&String, &u8) -> bool| -> Vec<String> {
                files.iter().filter(|(path, content)| wanted(path, content)).map(|(path, _)| path.clone()).collect()
            };
            prop_assert_eq!(paths(&found.added), those(&new, &|path, _| !old.contains_key(path)));
            prop_assert_eq!(paths(&found.removed), those(&old, &|path, _| !new.contains_key(path)));
            let other = |path: &String, content: &u8| old.get(path).is_some_and(|before| before != content);
            prop_assert_eq!(paths(&found.changed), those(&new, &other));
        }
    }
}
