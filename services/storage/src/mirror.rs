//! The plain trees `site/…`, `demo/…`, `preview/<branch>/…`: each file under its own key, for CDNs that read the bucket.
//!
//! A tree is no switch: while it is written, a reader may see files of two deploys. So assets come before the pages
//! that name them, and what is gone goes last.
//!
//! The tree of branch `a` contains the keys of branch `a/b`. Git refuses two such branches at one time, and a marked tree
//! is removed file by file.

mod copying;

use crate::bucket::Object;
use crate::error::Error;
use crate::keys;
use crate::manifest::{Manifest, SiteFile};
use crate::mark::Mark;
use crate::site::SiteBucket;
use events::AliasName;

/// What a mirror run changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mirrored {
    /// Objects written.
    pub written: u64,
    /// Objects removed.
    pub removed: u64,
}

impl SiteBucket {
    /// Makes the plain tree `tree` (no trailing slash) show `manifest`. The tree's mark says what it shows whole, so that
    /// only the difference is written; without that every file is written and what else lies in the tree is removed.
    ///
    /// # Errors
    /// [`Error::Busy`] while another process writes the tree; when a pack does not have a file, or the store fails or
    /// refuses. The tree may then show files of both deploys, and its mark does not say otherwise, until it is mirrored
    /// again.
    pub async fn mirror(&self, tree: &str, manifest: &Manifest) -> Result<Mirrored, Error> {
        let mark = Mark::Shows(manifest.head().deploy.clone());
        let Some(turn) = self.turn(tree, &mark).await? else { return Ok(Mirrored::default()) };
        let rewritten = turn.hold(Box::pin(self.rewrite(tree, manifest, turn.before.as_ref()))).await?;
        turn.end(mark).await?;
        Ok(rewritten)
    }

    /// Removes a plain tree; returns how many objects it had. A marked tree loses exactly the files it shows, so that the
    /// tree of a branch `a/b` survives the removal of the tree of `a`.
    ///
    /// # Errors
    /// [`Error::Busy`] while another process writes the tree; else when the store fails or refuses.
    pub async fn remove_tree(&self, tree: &str) -> Result<u64, Error> {
        // What never was needs no mark, nor a bucket.
        if self.bucket.size(&keys::mark(tree)).await?.is_none() && self.listed(tree).await?.is_empty() {
            return Ok(0);
        }
        let Some(turn) = self.turn(tree, &Mark::Empty).await? else { return Ok(0) };
        let removed = turn.hold(Box::pin(self.clear(tree, turn.before.as_ref()))).await?;
        turn.end(Mark::Empty).await?;
        Ok(removed)
    }

    /// The aliases whose trees are there, or were.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn trees(&self) -> Result<Vec<AliasName>, Error> {
        let marks = keys::mark("");
        let objects = self.bucket.list(&marks).await?;
        Ok(objects.iter().filter_map(|object| AliasName::of_tree(object.key.strip_prefix(&marks)?)).collect())
    }

    async fn rewrite(&self, tree: &str, manifest: &Manifest, before: Option<&Mark>) -> Result<Mirrored, Error> {
        let previous = self.shown(manifest, before).await?;
        let previous = previous.as_ref();
        let shown = |entry: &SiteFile| {
            previous.and_then(|previous| previous.get(&entry.path)).is_some_and(|old| same(old, entry))
        };
        let changed: Vec<&SiteFile> = manifest.iter().filter(|entry| !shown(entry)).collect();
        let (pages, assets): (Vec<_>, Vec<_>) =
            changed.iter().partition(|entry| entry.content_type.starts_with("text/html"));
        self.write_files(tree, assets).await?;
        self.write_files(tree, pages).await?;
        let stale: Vec<String> = match previous {
            Some(previous) => {
                let gone = previous.iter().filter(|entry| manifest.get(&entry.path).is_none());
                gone.map(|entry| format!("{tree}/{}", entry.path)).collect()
            }
            None => self.others(tree, manifest).await?,
        };
        let mirrored = Mirrored { written: changed.len() as u64, removed: stale.len() as u64 };
        self.bucket.delete_all(stale).await?;
        Ok(mirrored)
    }

    async fn clear(&self, tree: &str, before: Option<&Mark>) -> Result<u64, Error> {
        let shown = match before {
            Some(Mark::Shows(deploy)) => self.manifest(deploy).await?,
            Some(Mark::Empty | Mark::Writing { .. }) | None => None,
        };
        let keys: Vec<String> = match shown {
            Some(shown) => shown.iter().map(|entry| format!("{tree}/{}", entry.path)).collect(),
            None => self.listed(tree).await?,
        };
        let removed = keys.len() as u64;
        self.bucket.delete_all(keys).await?;
        Ok(removed)
    }

    /// What the tree shows whole, if that is known; what is written is a manifest like `manifest`.
    async fn shown(&self, manifest: &Manifest, before: Option<&Mark>) -> Result<Option<Manifest>, Error> {
        match before {
            Some(Mark::Shows(deploy)) => self.manifest(deploy).await,
            Some(Mark::Empty) => Ok(Some(Manifest::new(manifest.head().clone(), []))),
            Some(Mark::Writing { .. }) | None => Ok(None),
        }
    }

    /// The keys in the tree that the manifest does not have.
    async fn others(&self, tree: &str, manifest: &Manifest) -> Result<Vec<String>, Error> {
        let prefix = format!("{tree}/");
        let foreign = |key: &String| key.strip_prefix(&prefix).is_none_or(|path| manifest.get(path).is_none());
        Ok(self.listed(tree).await?.into_iter().filter(foreign).collect())
    }

    /// The keys in the tree, but for those of nested trees that are in use: they have marks of their own, which would lie.
    async fn listed(&self, tree: &str) -> Result<Vec<String>, Error> {
        let (below, marks) = (format!("{tree}/"), format!("{}/", keys::mark(tree)));
        let mut nested = Vec::new();
        for Object { key, .. } in self.bucket.list(&marks).await? {
            let mark = self.bucket.get(&key).await?;
            if mark.is_some_and(|mark| Mark::decode(&mark) != Some(Mark::Empty)) {
                nested.push(format!("{below}{}/", &key[marks.len()..]));
            }
        }
        let keys = self.bucket.list(&below).await?.into_iter().map(|object| object.key);
        Ok(keys.filter(|key| !nested.iter().any(|nested| key.starts_with(nested))).collect())
    }
}

/// Whether a reader of the tree would see no difference.
fn same(a: &SiteFile, b: &SiteFile) -> bool {
    (a.digest, &a.content_type) == (b.digest, &b.content_type)
}
