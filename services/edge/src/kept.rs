//! Manifests of the deploys in service, kept on disk so that a restart needs no store to find its way. Copies, in the form
//! in which the store has them: what is missing or unreadable here is fetched again.

use crate::error::Error;
use crate::files;
use crate::routes::Routes;
use events::{DeployId, SiteId};
use runtime::clock;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use storage::Manifest;

/// How long what no alias shows is kept after it was known to be there last.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// `<folder>/<site>/<deploy>.json`
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    folder: PathBuf,
}

impl Kept {
    pub(crate) async fn open(data_dir: &Path) -> Result<Self, Error> {
        let folder = data_dir.join("manifests");
        tokio::fs::create_dir_all(&folder).await.map_err(Error::file("create", &folder))?;
        Ok(Self { folder })
    }

    fn path(&self, site: &SiteId, deploy: &DeployId) -> PathBuf {
        self.folder.join(site.to_string()).join(format!("{deploy}.json"))
    }

    pub(crate) async fn load(&self, site: &SiteId, deploy: &DeployId) -> Option<Manifest> {
        let path = self.path(site, deploy);
        let manifest = match files::read(&path).await {
            Ok(json) => Manifest::from_json(&json?).filter(|manifest| manifest.head().site == *site),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "failed to read a kept manifest");
                return None;
            }
        };
        if manifest.is_none() {
            tracing::warn!(path = %path.display(), "a kept manifest is unreadable and is fetched again");
        }
        manifest.filter(|manifest| manifest.head().deploy == *deploy)
    }

    pub(crate) async fn store(&self, manifest: &Manifest) -> Result<(), Error> {
        let path = self.path(&manifest.head().site, &manifest.head().deploy);
        if tokio::fs::try_exists(&path).await.unwrap_or(false) {
            let touched = std::fs::File::options().append(true).open(&path);
            return touched
                .and_then(|file| file.set_modified(clock::now().into()))
                .map_err(Error::file("touch", &path));
        }
        let json = manifest.to_json().map_err(|error| Error::file("encode", &path)(error.into()))?;
        files::write(path, json).await
    }

    /// Keeps a manifest no longer.
    pub(crate) async fn forget(&self, site: &SiteId, deploy: &DeployId) {
        let path = self.path(site, deploy);
        if let Err(error) = tokio::fs::remove_file(&path).await {
            tracing::debug!(%error, path = %path.display(), "a kept manifest was not removed");
        }
    }

    /// Removes what no route needs, and nobody asked for lately. Slow where there are many sites.
    pub(crate) fn sweep(&self, routes: &Routes) {
        self.sweep_before(routes, SystemTime::from(clock::now()) - KEPT_FOR);
    }

    fn sweep_before(&self, routes: &Routes, moment: SystemTime) {
        let is_old = |path: &PathBuf| {
            let at = std::fs::metadata(path).and_then(|about| about.modified());
            at.is_ok_and(|at| at < moment)
        };
        let needed: HashSet<PathBuf> = routes.deploys().map(|(site, deploy)| self.path(site, deploy)).collect();
        for path in self.list().into_iter().filter(|path| !needed.contains(path) && is_old(path)) {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::debug!(%error, path = %path.display(), "failed to remove a kept manifest");
            }
        }
    }

    fn list(&self) -> Vec<PathBuf> {
        let inside = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        let files = inside(&self.folder).flat_map(|site| inside(&site.path()).collect::<Vec<_>>());
        files.map(|file| file.path()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{BuildId, Digest};
    use storage::{Head, SiteFile, Uploaded};

    fn manifest(number: u128) -> Manifest {
        let build = BuildId(uuid::Uuid::from_u128(number));
        let uploaded = Uploaded { files: 1, bytes: 2 };
        let head = Head { deploy: DeployId::of(build), site: SiteId(uuid::Uuid::nil()), build, uploaded };
        let entry = |path: &str, size| SiteFile {
            path: path.to_owned(),
            digest: Digest::of(path.as_bytes()),
            size,
            content_type: "text/html".into(),
            pack: Digest::of(b"pack"),
            offset: 5 * size,
        };
        Manifest::new(head, [entry("index.html", 3), entry("ü/a b", 0)])
    }

    #[tokio::test]
    async fn a_manifest_reads_back_and_a_damaged_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, manifest) = (Kept::open(folder.path()).await.unwrap(), manifest(1));
        let Head { site, deploy, .. } = manifest.head().clone();
        assert_eq!(kept.load(&site, &deploy).await, None);
        kept.store(&manifest).await.unwrap();
        assert_eq!(kept.load(&site, &deploy).await, Some(manifest));
        let path = kept.path(&site, &deploy);
        let text = std::fs::read_to_string(&path).unwrap();
        for damaged in [text.replace("index.html", "other.html"), text[..text.len() / 2].to_owned(), String::new()] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(kept.load(&site, &deploy).await, None);
        }
    }

    #[tokio::test]
    async fn what_no_route_needs_is_swept_away() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::open(folder.path()).await.unwrap();
        let (shown, gone) = (manifest(1), manifest(2));
        kept.store(&shown).await.unwrap();
        kept.store(&gone).await.unwrap();
        let slot = serde_json::json!({ "alias": "live", "shown": shown.head().deploy, "next": null });
        let site = serde_json::json!({ "deleted": false, "erased": false, "name": null, "slots": { "": slot } });
        let routes = serde_json::json!({ "hosts": {}, "sites": { shown.head().site.to_string(): site } });
        let routes = serde_json::from_value(routes).unwrap();
        kept.sweep(&routes);
        assert_eq!(kept.list().len(), 2, "somebody may come back to it");
        kept.sweep_before(&routes, SystemTime::from(clock::now()) + KEPT_FOR);
        assert_eq!(kept.list(), [kept.path(&shown.head().site, &shown.head().deploy)]);
    }
}
