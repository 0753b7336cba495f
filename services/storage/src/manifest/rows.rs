//! A list of files as it is stored.

use crate::manifest::SiteFile;
use events::Digest;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// The row of this path names a pack or type that is not listed.
#[derive(Debug)]
pub(super) struct Unlisted(pub(super) String);

/// A file list in which packs and content types are written once.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Rows {
    packs: Vec<Digest>,
    types: Vec<Arc<str>>,
    files: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(rename = "p")]
    path: String,
    #[serde(rename = "d")]
    digest: Digest,
    #[serde(rename = "s")]
    size: u64,
    #[serde(rename = "t")]
    content_type: usize,
    #[serde(rename = "k")]
    pack: usize,
    #[serde(rename = "o")]
    offset: u64,
}

impl Rows {
    pub(super) fn of(list: &[Arc<SiteFile>]) -> Self {
        let (mut packs, mut types) = (Table::default(), Table::default());
        let row = |entry: &Arc<SiteFile>| Row {
            path: entry.path.clone(),
            digest: entry.digest,
            size: entry.size,
            content_type: types.index(&entry.content_type),
            pack: packs.index(&entry.pack),
            offset: entry.offset,
        };
        let files = list.iter().map(row).collect();
        Self { packs: packs.values, types: types.values, files }
    }

    pub(super) fn entries(self) -> Result<Vec<Arc<SiteFile>>, Unlisted> {
        let Self { packs, types, files } = self;
        let entry = |row: Row| match (packs.get(row.pack), types.get(row.content_type)) {
            (Some(pack), Some(content_type)) => Ok(Arc::new(SiteFile {
                path: row.path,
                digest: row.digest,
                size: row.size,
                content_type: Arc::clone(content_type),
                pack: *pack,
                offset: row.offset,
            })),
            (None, _) | (_, None) => Err(Unlisted(row.path)),
        };
        files.into_iter().map(entry).collect()
    }
}

/// Values in the order in which they were first asked for.
struct Table<T> {
    values: Vec<T>,
    indices: HashMap<T, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { values: Vec::new(), indices: HashMap::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Table<T> {
    fn index(&mut self, value: &T) -> usize {
        if let Some(index) = self.indices.get(value) {
            return *index;
        }
        let index = self.values.len();
        self.values.push(value.clone());
        self.indices.insert(value.clone(), index);
        index
    }
}
