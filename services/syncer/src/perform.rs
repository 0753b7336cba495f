//! Carries out the sync of one deploy: read the artifact, plan, upload packs, then the file list, and the deploy's
//! manifest last, so that a deploy is there whole or not at all.
//!
//! Safe to repeat at any point: what is not named by a manifest is only bytes, packs are named by their content, and a
//! manifest once written is the answer of every later try.

mod artifact;
mod rules;

use crate::plan::{Known, Location, PACK_BYTES, Pack, Placed, Plan, Spot, plan};
use ::rules::Rules;
use artifact::Artifact;
use events::event::RulesDialect;
use events::{BuildId, DeployId, Digest, SiteId};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::path::Path;
use std::sync::Arc;
use storage::{Body, Head, Manifest, Requests, SiteBucket, SiteFile, Storage, Uploaded, content_type};

pub use artifact::{FILE_MAX_BYTES, FILES_MAX, Refused};

/// Packs built and sent at the same time: a deploy holds at most so many in memory.
const PACKS_AT_ONCE: usize = 4;

/// The deploy to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its id.
    pub id: DeployId,
    /// The site it belongs to.
    pub site: SiteId,
    /// The build that made it.
    pub build: BuildId,
    /// By whose grammar its rules are read.
    pub dialect: RulesDialect,
}

/// What a synced deploy is and what it cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Digest of its file list: equal content, equal digest.
    pub content: Digest,
    /// Files in it.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Files whose content the bucket did not have; files of equal content count once.
    pub uploaded_files: u64,
    /// Bytes sent for them.
    pub uploaded_bytes: u64,
    /// Requests that were sent to the site's bucket, repeated ones among them.
    pub requests: u64,
}

/// Why a deploy was not synced.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object store failed or refused.
    #[error("failed to store deploy `{deploy}` of site `{site}`")]
    Storage {
        /// Which deploy.
        deploy: DeployId,
        /// Of which site.
        site: SiteId,
        /// Why.
        #[source]
        source: storage::Error,
    },
    /// The artifact is not what a build may leave.
    #[error("the artifact of deploy `{deploy}` is refused")]
    Artifact {
        /// Which deploy.
        deploy: DeployId,
        /// Why.
        #[source]
        source: Refused,
    },
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Storage { source, .. } => source.is_transient(),
            Self::Artifact { source, .. } => source.is_transient(),
        }
    }
}

/// Makes `deploy` of the tar file `artifact` in its site's bucket. Content that one of `known_deploys` has, newest first,
/// is not sent again. Repeating it gives the same result, even with other known deploys.
///
/// # Errors
/// [`Error::Artifact`] if the artifact is torn or has what a site may not have; [`Error::Storage`] if the store fails.
pub async fn sync(
    storage: &Storage,
    deploy: Wanted,
    artifact: &Path,
    known_deploys: &[DeployId],
) -> Result<Sent, Error> {
    let (bucket, requests) = storage.site(deploy.site).counted();
    let sync = Sync { bucket, requests, deploy };
    // The client's futures are large: a caller need not hold them in its own.
    Box::pin(sync.run(artifact, known_deploys)).await
}

/// What earlier deploys brought, and the bases they use.
#[derive(Default)]
struct Earlier {
    places: Known,
    bases: Vec<Digest>,
}

impl Earlier {
    fn add(&mut self, manifest: &Manifest) {
        let location = |entry: &SiteFile| Location { pack: entry.pack, offset: entry.offset };
        self.places.extend(manifest.iter().map(|entry| (entry.digest, location(entry))));
        self.bases.extend(manifest.base().filter(|base| !self.bases.contains(base)));
    }
}

struct Sync {
    bucket: SiteBucket,
    requests: Requests,
    deploy: Wanted,
}

impl Sync {
    fn stored(&self, source: storage::Error) -> Error {
        Error::Storage { deploy: self.deploy.id.clone(), site: self.deploy.site, source }
    }

    fn refused(&self, source: Refused) -> Error {
        Error::Artifact { deploy: self.deploy.id.clone(), source }
    }

    async fn run(&self, artifact: &Path, known_deploys: &[DeployId]) -> Result<Sent, Error> {
        let (read, entered) = tokio::join!(self.read(artifact), self.bucket.enter(&self.deploy.id));
        entered.map_err(|source| self.stored(source))?;
        let stored = match read {
            Ok((artifact, rules)) => self.store(artifact, rules, known_deploys).await,
            Err(error) => Err(error),
        };
        let left = self.bucket.leave(&self.deploy.id).await.map_err(|source| self.stored(source));
        let manifest = stored?;
        left?;
        Ok(synced(&manifest, &self.requests))
    }

    /// Writes what is new of it, and the manifest. Nothing is collected meanwhile.
    async fn store(
        &self,
        artifact: Arc<Artifact>,
        rules: Option<Rules>,
        known_deploys: &[DeployId],
    ) -> Result<Manifest, Error> {
        let mut known = Earlier::default();
        let mut plan = plan(artifact.files.clone(), &known.places);
        // The newest deploy mostly has all there is: the others are asked only for what it lacks.
        for deploy in known_deploys {
            if plan.packs.is_empty() && !known.bases.is_empty() {
                break;
            }
            if let Some(manifest) = self.earlier(deploy).await? {
                known.add(&manifest);
                plan = self::plan(artifact.files.clone(), &known.places);
            }
        }
        let uploads = plan.packs.clone().into_iter().map(|pack| self.upload(Arc::clone(&artifact), pack));
        let packs: Vec<Digest> = stream::iter(uploads).buffered(PACKS_AT_ONCE).try_collect().await?;
        let manifest = self.manifest(plan, &packs).with_rules(rules);
        // A manifest that stands already is the answer: an earlier try has written it.
        self.bucket.put_manifest(manifest, &known.bases).await.map_err(|source| self.stored(source))
    }

    /// An earlier deploy. One that is gone or unreadable only costs uploads.
    async fn earlier(&self, deploy: &DeployId) -> Result<Option<Manifest>, Error> {
        match self.bucket.manifest(deploy).await {
            Ok(manifest) => Ok(manifest),
            Err(error) if error.is_transient() => Err(self.stored(error)),
            Err(error) => {
                tracing::warn!(%deploy, error = &error as &dyn std::error::Error, "an earlier deploy is unreadable");
                Ok(None)
            }
        }
    }

    async fn read(&self, path: &Path) -> Result<(Arc<Artifact>, Option<Rules>), Error> {
        let (path, dialect) = (path.to_owned(), self.deploy.dialect);
        let read = move || {
            let mut artifact = Artifact::open(&path)?;
            let rules = rules::take(&mut artifact, dialect)?;
            Ok((Arc::new(artifact), rules))
        };
        blocking(read).await.map_err(|source| self.refused(source))
    }

    async fn upload(&self, artifact: Arc<Artifact>, pack: Pack) -> Result<Digest, Error> {
        let (digest, body) = match pack.blobs.as_slice() {
            [only] if only.size > PACK_BYTES => {
                let range = only.position..only.position + only.size;
                (only.digest, Body::File { path: artifact.path.clone(), range })
            }
            _ => {
                let bytes = blocking(move || artifact.pack(&pack)).await.map_err(|source| self.refused(source))?;
                (Digest::of(&bytes), Body::Bytes(bytes.into()))
            }
        };
        self.bucket.put_pack(digest, body).await.map_err(|source| self.stored(source))?;
        Ok(digest)
    }

    fn manifest(&self, plan: Plan, packs: &[Digest]) -> Manifest {
        let Wanted { id, site, build, .. } = self.deploy.clone();
        let uploaded = Uploaded { files: plan.new_blobs(), bytes: plan.new_bytes() };
        let entries = plan.files.into_iter().filter_map(|Placed { file, spot }| {
            let location = match spot {
                Spot::Known(location) => location,
                Spot::New { pack, offset } => Location { pack: *packs.get(pack)?, offset },
            };
            let content_type = content_type::of(&file.path).into();
            let Location { pack, offset } = location;
            Some(SiteFile { path: file.path, digest: file.digest, size: file.size, content_type, pack, offset })
        });
        Manifest::new(Head { deploy: id, site, build, uploaded }, entries)
    }
}

fn synced(manifest: &Manifest, requests: &Requests) -> Sent {
    let Uploaded { files: uploaded_files, bytes: uploaded_bytes } = manifest.head().uploaded;
    let (content, files, bytes) = (manifest.content(), manifest.files(), manifest.bytes());
    Sent { content, files, bytes, uploaded_files, uploaded_bytes, requests: requests.sent() }
}

/// Reading and hashing a site takes long enough to starve everything else on this thread.
async fn blocking<T, F>(work: F) -> Result<T, Refused>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Refused> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Refused::Stopped(error)))
}
