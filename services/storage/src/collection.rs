//! What no deploy needs any more goes, safely beside deploys that are being stored.
//!
//! A deploy that is being stored relies on packs and lists that earlier ones brought. So whoever stores one first says so
//! (`syncs/<deploy>`) and then looks whether somebody collects, and whoever collects first says so (the mark `collecting`) and
//! then looks whether somebody stores. The store shows every write to every later read, so of two who come at once at least
//! one sees the other and stands back.

use crate::body::Body;
use crate::bucket::{Object, Put, Tagged};
use crate::error::Error;
use crate::keys;
use crate::mark::Mark;
use crate::site::SiteBucket;
use bytes::Bytes;
use events::{DeployId, Digest};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Manifests that are read at the same time.
const READ_AT_ONCE: usize = 16;
/// How long a collection that has begun waits for deploys that began to be stored just before it.
const QUIET_MAX: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What a site's bucket has and needs no longer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unneeded {
    /// Deploys of those that were named, as far as they are there.
    pub deploys: u64,
    /// Packs that no other deploy has anything of.
    pub packs: u64,
    /// What all of that takes in the store, in bytes.
    pub bytes: u64,
    /// The objects, manifests first: what they name is there as long as they are.
    keys: Vec<String>,
}

/// What the deploys that stay are made of.
#[derive(Default)]
struct Needed {
    packs: HashSet<Digest>,
    bases: HashSet<Digest>,
}

impl SiteBucket {
    /// Says that `deploy` is being stored, so that nothing is collected until [`Self::leave`].
    ///
    /// # Errors
    /// [`Error::Busy`] while somebody collects; else when the store fails or refuses.
    pub async fn enter(&self, deploy: &DeployId) -> Result<(), Error> {
        let key = keys::sync(deploy);
        let say = || self.bucket.put(&key, Body::Bytes(Bytes::new()), Put::default());
        if let Err(error) = say().await {
            // The first deploy of a site may find no bucket.
            if !error.is_about_nothing() {
                return Err(error);
            }
            self.ensure().await?;
            say().await?;
        }
        let resource = self.bucket.resource(keys::COLLECTING);
        let Some(Tagged { content, tag }) = self.bucket.get_tagged(keys::COLLECTING).await? else { return Ok(()) };
        let is_held = matches!(Mark::decode(&content), Some(Mark::Writing { .. }));
        if !is_held || self.sightings.stood(&resource, &tag) >= self.rhythm.takeover {
            return Ok(());
        }
        self.leave(deploy).await?;
        Err(Error::Busy { resource })
    }

    /// Says that `deploy` is stored, or is not going to be now.
    ///
    /// # Errors
    /// When the store fails or refuses; until it is said, nothing is collected.
    pub async fn leave(&self, deploy: &DeployId) -> Result<(), Error> {
        self.bucket.delete(&keys::sync(deploy)).await
    }

    /// The deploys that are there.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn deploys(&self) -> Result<Vec<DeployId>, Error> {
        let objects = self.bucket.list(keys::DEPLOYS).await?;
        Ok(objects.iter().filter_map(|object| keys::deploy_of(&object.key)).collect())
    }

    /// Whether a deploy is there.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub async fn has(&self, deploy: &DeployId) -> Result<bool, Error> {
        Ok(self.bucket.size(&keys::deploy(deploy)).await?.is_some())
    }

    /// What would go without the deploys in `gone`: their manifests, and every pack and list that no other deploy has anything
    /// of, also what an interrupted sync left. What a sync has brought and not named yet is counted as well: only
    /// [`Self::collect`] waits for it.
    ///
    /// # Errors
    /// When a manifest that stays cannot be read, or the store fails or refuses.
    pub async fn unneeded(&self, gone: &[DeployId]) -> Result<Unneeded, Error> {
        let (packs, bases) = (self.bucket.list(keys::PACKS).await?, self.bucket.list(keys::BASES).await?);
        let deploys = self.bucket.list(keys::DEPLOYS).await?;
        let is_gone = |object: &&Object| keys::deploy_of(&object.key).is_some_and(|deploy| gone.contains(&deploy));
        let (goes, stays): (Vec<_>, Vec<_>) = deploys.iter().partition(is_gone);
        let stays = stays.iter().filter_map(|object| keys::deploy_of(&object.key)).collect();
        let needed = self.needed(stays).await?;
        let lacks = |kept: &HashSet<Digest>, object: &Object, prefix: &str| {
            object.key.strip_prefix(prefix).and_then(|name| name.parse().ok()).is_some_and(|name| !kept.contains(&name))
        };
        let packs: Vec<_> = packs.iter().filter(|object| lacks(&needed.packs, object, keys::PACKS)).collect();
        let bases = bases.iter().filter(|object| lacks(&needed.bases, object, keys::BASES));
        let counted = Unneeded { deploys: goes.len() as u64, packs: packs.len() as u64, ..Unneeded::default() };
        Ok(goes.into_iter().chain(bases).chain(packs).fold(counted, Unneeded::with))
    }

    async fn needed(&self, deploys: Vec<DeployId>) -> Result<Needed, Error> {
        let reading = deploys.into_iter().map(|deploy| async move { self.manifest(&deploy).await });
        let manifests = stream::iter(reading).buffer_unordered(READ_AT_ONCE);
        let add = |mut needed: Needed, manifest: Option<crate::Manifest>| async move {
            for manifest in manifest.iter() {
                needed.packs.extend(manifest.iter().map(|entry| entry.pack));
                needed.bases.extend(manifest.base());
            }
            Ok(needed)
        };
        manifests.try_fold(Needed::default(), add).await
    }

    /// Removes what [`Self::unneeded`] tells, and tells it.
    ///
    /// # Errors
    /// [`Error::Busy`] while a deploy is being stored, or somebody else collects; else as [`Self::unneeded`]. What was not removed
    /// is by the next try.
    pub async fn collect(&self, gone: &[DeployId]) -> Result<Unneeded, Error> {
        // Whoever is under way is not made to wait for a collection that has to wait for them.
        if self.is_stored_into().await? {
            return Err(self.stored_into());
        }
        let turn = self.turn_at(keys::COLLECTING.to_owned(), None).await?;
        let Some(turn) = turn else { return Err(self.stored_into()) };
        let removed = turn.hold(Box::pin(self.remove(gone))).await?;
        turn.end(Mark::Empty).await?;
        removed.ok_or_else(|| self.stored_into())
    }

    /// Waits until nobody stores, and removes; none if somebody goes on storing.
    async fn remove(&self, gone: &[DeployId]) -> Result<Option<Unneeded>, Error> {
        let begun = Instant::now();
        while self.is_stored_into().await? {
            if begun.elapsed() >= QUIET_MAX {
                return Ok(None);
            }
            sleep(LOOK_AGAIN).await;
        }
        let unneeded = self.unneeded(gone).await?;
        self.bucket.delete_all(unneeded.keys.clone()).await?;
        Ok(Some(unneeded))
    }

    async fn is_stored_into(&self) -> Result<bool, Error> {
        Ok(!self.bucket.list(keys::SYNCS).await?.is_empty())
    }

    fn stored_into(&self) -> Error {
        Error::Busy { resource: self.bucket.resource(keys::SYNCS) }
    }
}

impl Unneeded {
    fn with(mut self, object: &Object) -> Self {
        self.bytes += object.size;
        self.keys.push(object.key.clone());
        self
    }
}
