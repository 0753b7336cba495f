//! What a history shows at its end, put into the object store: the edge looks for every deploy that is shown.

use events::{AliasEvent, BuildId, DeployId, Event, Recorded, SiteId};
use futures::{StreamExt as _, stream};
use std::collections::BTreeMap;
use storage::{Head, Manifest, Storage, Uploaded};
use uuid::Uuid;

/// Sites that are written at the same time.
const AT_ONCE: usize = 32;

/// The deploy that each alias of each site shows.
#[derive(Default)]
pub(crate) struct Shown(BTreeMap<SiteId, BTreeMap<String, DeployId>>);

impl Shown {
    pub(crate) fn hear(&mut self, fact: &Recorded) {
        if let Event::Alias(AliasEvent::Promoted { site, alias, deploy, .. }) = &fact.event {
            self.0.entry(*site).or_default().insert(alias.to_string(), deploy.clone());
        }
        if let Event::Alias(AliasEvent::Removed { site, alias, .. }) = &fact.event {
            self.0.entry(*site).or_default().remove(&alias.to_string());
        }
    }

    /// Writes an empty deploy for each.
    pub(crate) async fn store(self, storage: &Storage) {
        let sites = stream::iter(self.0);
        sites.for_each_concurrent(AT_ONCE, |(site, deploys)| Box::pin(store(storage, site, deploys))).await;
    }
}

async fn store(storage: &Storage, site: SiteId, deploys: BTreeMap<String, DeployId>) {
    let bucket = storage.site(site);
    bucket.ensure().await.unwrap();
    for deploy in deploys.into_values() {
        let uploaded = Uploaded { files: 0, bytes: 0 };
        let head = Head { deploy, site, build: BuildId(Uuid::nil()), uploaded };
        bucket.put_manifest(Manifest::new(head, []), &[]).await.unwrap();
    }
}
