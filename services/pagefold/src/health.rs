//! What a process looks after besides the log and the read model, which `web` looks after by itself.

use projections::Store;
use runtime::error::chain;
use runtime::health::{Health, Need};
use storage::Storage;
use tokio_util::sync::CancellationToken;

pub(crate) fn watch_storage(health: &Health, storage: &Storage, need: Need, stop: &CancellationToken) {
    let storage = storage.clone();
    health.part("object_store", need).watch(stop, move || {
        let storage = storage.clone();
        async move { storage.check().await.map_err(|error| chain(&error)) }
    });
}

pub(crate) fn watch_read_model(health: &Health, store: &Store, stop: &CancellationToken) {
    let store = store.clone();
    health.part("read_model", Need::Must).watch(stop, move || {
        let store = store.clone();
        async move { store.check().await.map_err(|error| chain(&error)) }
    });
}
