//! What is kept of a deploy, held against the store once more. A content is named by its digest, so what the store still has is
//! what is kept; what it has no more, or not whole, is kept no longer.

use super::{Content, Deployed, Failure, Key, fetched};
use answers::Answer;
use events::event::Serving;
use events::routing::RoutePath;
use events::{DeployId, Digest, SiteId};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use rules::Asked;
use std::sync::Arc;
use storage::SiteFile;

/// Contents that are asked for beside each other.
const AT_ONCE: usize = 8;

/// Pages of a deploy: those that answer a path, or all.
#[derive(Debug, Clone)]
pub(crate) struct Pages {
    pub(crate) site: SiteId,
    pub(crate) deploy: DeployId,
    pub(crate) path: Option<RoutePath>,
}

impl Content {
    /// Asks the store for whatever is kept of these pages, and keeps on what it has; they are shown meanwhile. Answers how many
    /// contents were given up.
    ///
    /// Fails if the store may answer another time: then all that it did not answer for is kept.
    pub(crate) async fn purge(&self, pages: &Pages) -> Result<usize, Failure> {
        let key: Key = (pages.site, pages.deploy.clone());
        self.absent.invalidate(&key).await;
        self.standing.invalidate(&key).await;
        let before = self.held(&key).await;
        let present = fetched(Box::pin(self.storage.site(pages.site).manifest(&pages.deploy))).await;
        let present = match present {
            Ok(present) => present,
            Err(failure) if failure.is_transient() => return Err(failure),
            // What cannot be read is as if it was not there.
            Err(_) => None,
        };
        if present.is_none() && pages.path.is_none() {
            self.kept.forget(&pages.site, &pages.deploy).await;
            self.manifests.invalidate(&key).await;
        }
        let known = match (before, present) {
            (Some(before), _) => before,
            (None, Some(present)) => Arc::new(Deployed::of(present).await),
            (None, None) => return Ok(0),
        };
        let files = chosen(&known, pages.path.as_ref());
        let checks = files.into_iter().map(|file| self.check(pages.site, file));
        let checked: Vec<bool> = stream::iter(checks).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(checked.into_iter().filter(|is_there| !is_there).count())
    }

    /// Gives up whatever is kept of these pages, unasked.
    pub(crate) async fn give_up(&self, pages: &Pages) {
        let Some(before) = self.held(&(pages.site, pages.deploy.clone())).await else { return };
        for file in chosen(&before, pages.path.as_ref()) {
            self.forget(file.digest).await;
        }
    }

    /// The manifest of a deploy, if it is kept.
    async fn held(&self, key: &Key) -> Option<Arc<Deployed>> {
        if let Some(held) = self.manifests.get(key).await {
            return Some(held);
        }
        let kept = self.kept.load(&key.0, &key.1).await?;
        Some(Arc::new(Deployed::of(kept).await))
    }

    /// Whether nothing of a file is kept that the store has no more.
    async fn check(&self, site: SiteId, file: SiteFile) -> Result<bool, Failure> {
        if !self.blobs.contains_key(&file.digest) && !self.disk.has(&file.digest) {
            return Ok(true);
        }
        match fetched(Box::pin(self.storage.site(site).blob(&file))).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.is_transient() => Err(failure),
            Err(_) => {
                self.forget(file.digest).await;
                Ok(false)
            }
        }
    }

    async fn forget(&self, digest: Digest) {
        self.blobs.invalidate(&digest).await;
        self.variants.forget(digest);
        self.disk.forget(digest).await;
    }
}

/// The files that answer a path, or are called so; all without one.
fn chosen(deployed: &Deployed, path: Option<&RoutePath>) -> Vec<SiteFile> {
    let Some(path) = path else { return deployed.iter().cloned().collect() };
    let asked = Asked { path: path.as_str(), ..Asked::default() };
    let answered = match answers::answer(deployed, deployed.rules(), Serving::default(), &asked).answer {
        Answer::File(file) | Answer::NotFound(Some(file)) | Answer::As(file, _) => Some(file.clone()),
        Answer::Led { .. } | Answer::Redirect(_) | Answer::NotFound(None) | Answer::Malformed | Answer::TooLong => None,
    };
    let decoded = path.decoded();
    let name = decoded.trim_start_matches('/');
    let named = [name.to_owned(), format!("{name}/index.html"), format!("{name}.html")];
    let named = named.iter().filter_map(|name| deployed.get(name)).cloned();
    let mut files: Vec<SiteFile> = answered.into_iter().chain(named).collect();
    files.dedup_by_key(|file| file.digest);
    files
}
