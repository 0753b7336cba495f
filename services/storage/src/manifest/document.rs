//! Manifests as they are stored: bases, and deploys as differences from a base. [`crate::manifest`] has the format.

use super::rows::{Rows, Unlisted};
use crate::manifest::{Head, Manifest, SiteFile, Uploaded};
use events::{BuildId, DeployId, Digest, SiteId};
use rules::Rules;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

const VERSION: u32 = 1;
/// A difference of more than one part in so many is not worth a second request.
const DELTA_PARTS: usize = 4;

pub(crate) type List = Arc<[Arc<SiteFile>]>;

/// Why stored bytes are no manifest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Invalid {
    #[error("it is not the JSON of a manifest ({0})")]
    Json(serde_json::Error),
    #[error("it has version {0}, this program reads version {VERSION}")]
    Version(u32),
    #[error("the entry of `{0}` names a pack or type that is not listed")]
    Index(String),
    #[error("its files do not have the content digest it states")]
    Content,
}

impl From<Unlisted> for Invalid {
    fn from(Unlisted(path): Unlisted) -> Self {
        Self::Index(path)
    }
}

#[derive(Serialize, Deserialize)]
struct Base {
    version: u32,
    list: Rows,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Deploy {
    version: u32,
    pub deploy: DeployId,
    site: SiteId,
    build: BuildId,
    content: Digest,
    files: u64,
    bytes: u64,
    uploaded: Uploaded,
    pub base: Option<Digest>,
    put: Rows,
    removed: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<Arc<Rules>>,
}

/// What turns a base into a deploy's list.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Delta {
    put: Vec<Arc<SiteFile>>,
    removed: Vec<String>,
}

impl Delta {
    /// Both lists are sorted by path.
    pub(crate) fn between(base: &[Arc<SiteFile>], list: &[Arc<SiteFile>]) -> Self {
        let old: HashMap<&str, &Arc<SiteFile>> = base.iter().map(|entry| (entry.path.as_str(), entry)).collect();
        let kept: HashSet<&str> = list.iter().map(|entry| entry.path.as_str()).collect();
        let changed = |entry: &&Arc<SiteFile>| old.get(entry.path.as_str()) != Some(entry);
        let gone = |entry: &&Arc<SiteFile>| !kept.contains(entry.path.as_str());
        Self {
            put: list.iter().filter(changed).cloned().collect(),
            removed: base.iter().filter(gone).map(|entry| entry.path.clone()).collect(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.put.len() + self.removed.len()
    }

    /// Whether a list of so many files is better told as this difference than as a new base.
    pub(crate) fn is_small(&self, files: usize) -> bool {
        self.len() * DELTA_PARTS <= files
    }

    fn apply(self, base: &[Arc<SiteFile>]) -> Vec<Arc<SiteFile>> {
        let replaced: HashSet<&str> = self.put.iter().map(|entry| entry.path.as_str()).collect();
        let removed: HashSet<&str> = self.removed.iter().map(String::as_str).collect();
        let stays = |entry: &&Arc<SiteFile>| {
            let path = entry.path.as_str();
            !replaced.contains(path) && !removed.contains(path)
        };
        let mut list: Vec<_> = base.iter().filter(stays).chain(&self.put).cloned().collect();
        list.sort_by(|a, b| a.path.cmp(&b.path));
        list
    }
}

/// The bytes of a base. Equal lists have equal bytes.
pub(crate) fn encode_base(list: &[Arc<SiteFile>]) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Base { version: VERSION, list: Rows::of(list) })
}

pub(crate) fn decode_base(json: &[u8]) -> Result<List, Invalid> {
    let base: Base = serde_json::from_slice(json).map_err(Invalid::Json)?;
    supported(base.version)?;
    Ok(base.list.entries()?.into())
}

pub(crate) fn encode_deploy(manifest: &Manifest, delta: &Delta) -> Result<Vec<u8>, serde_json::Error> {
    let head = manifest.head();
    serde_json::to_vec(&Deploy {
        version: VERSION,
        deploy: head.deploy.clone(),
        site: head.site,
        build: head.build,
        content: manifest.content(),
        files: manifest.files(),
        bytes: manifest.bytes(),
        uploaded: head.uploaded,
        base: manifest.base(),
        put: Rows::of(&delta.put),
        removed: delta.removed.clone(),
        rules: manifest.rules().cloned(),
    })
}

/// The bytes of a manifest that needs no base.
pub(crate) fn encode_whole(manifest: &Manifest) -> Result<Vec<u8>, serde_json::Error> {
    let whole = Delta { put: manifest.entries().to_vec(), removed: Vec::new() };
    encode_deploy(&manifest.clone().without_base(), &whole)
}

impl Deploy {
    pub(crate) fn decode(json: &[u8]) -> Result<Self, Invalid> {
        let deploy: Self = serde_json::from_slice(json).map_err(Invalid::Json)?;
        supported(deploy.version)?;
        Ok(deploy)
    }

    /// The manifest that this deploy's record and its base make together.
    pub(crate) fn onto(self, base: &[Arc<SiteFile>]) -> Result<Manifest, Invalid> {
        let list = Delta { put: self.put.entries()?, removed: self.removed }.apply(base);
        let head = Head { deploy: self.deploy, site: self.site, build: self.build, uploaded: self.uploaded };
        let manifest = Manifest::of_sorted(head, self.base, list, self.rules);
        if manifest.content() == self.content { Ok(manifest) } else { Err(Invalid::Content) }
    }
}

fn supported(version: u32) -> Result<(), Invalid> {
    if version == VERSION { Ok(()) } else { Err(Invalid::Version(version)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    fn head() -> Head {
        let build = BuildId(uuid::Uuid::from_u128(7));
        let uploaded = Uploaded { files: 1, bytes: 2 };
        Head { deploy: DeployId::of(build), site: SiteId(uuid::Uuid::nil()), build, uploaded }
    }

    fn entry(path: &str, content: u8) -> SiteFile {
        let digest = Digest::of(&[content]);
        let content_type = crate::content_type::of(path).into();
        SiteFile { path: path.to_owned(), digest, size: 1, content_type, pack: digest, offset: content.into() }
    }

    fn manifest(files: impl IntoIterator<Item = (String, u8)>) -> Manifest {
        Manifest::new(head(), files.into_iter().map(|(path, content)| entry(&path, content)))
    }

    #[test]
    fn one_changed_page_of_many_takes_a_few_hundred_bytes() {
        let files =
            |changed: u8| (0..2_000).map(move |n| (format!("page/{n:04}.html"), if n == 7 { changed } else { 0 }));
        let (before, after) = (manifest(files(0)), manifest(files(1)));
        let delta = Delta::between(before.entries(), after.entries());
        assert!(delta.is_small(2_000));
        let after = after.with_base(Digest::of(b"base"));
        assert!(encode_deploy(&after, &delta).unwrap().len() < 800);
    }

    #[test]
    fn a_list_that_changes_by_more_than_a_quarter_becomes_a_base() {
        let files = |changed: u8| manifest((0..8).map(move |n| (format!("{n}"), u8::from(n < changed))));
        assert!(Delta::between(files(0).entries(), files(2).entries()).is_small(8));
        assert!(!Delta::between(files(0).entries(), files(3).entries()).is_small(8));
    }

    #[test]
    fn unknown_fields_are_passed_over_and_other_versions_refused() {
        let json = encode_base(manifest([("a".to_owned(), 1)]).entries()).unwrap();
        let mut value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        value["later"] = 1.into();
        value["list"]["files"][0]["e"] = "br".into();
        assert!(decode_base(value.to_string().as_bytes()).is_ok());
        value["version"] = 2.into();
        assert!(matches!(decode_base(value.to_string().as_bytes()), Err(Invalid::Version(2))));
    }

    #[test]
    fn a_record_upon_the_wrong_base_is_refused() {
        let (old, new) = (manifest([("a".to_owned(), 1)]), manifest([("a".to_owned(), 1), ("b".to_owned(), 2)]));
        let json = encode_deploy(&new, &Delta::between(old.entries(), new.entries())).unwrap();
        assert_eq!(Deploy::decode(&json).unwrap().onto(old.entries()).unwrap().content(), new.content());
        assert!(matches!(Deploy::decode(&json).unwrap().onto(&[]), Err(Invalid::Content)));
    }

    #[test]
    fn rules_travel_with_a_deploy_and_one_without_is_as_it_ever_was() {
        let plain = manifest([("a".to_owned(), 1)]);
        let json = String::from_utf8(plain.to_json().unwrap()).unwrap();
        assert!(!json.contains("rules"), "{json}");
        assert_eq!(plain.clone().with_rules(None), plain);
        let read = |file: &str| rules::read(events::event::RulesDialect::Netlify, Some(file.as_bytes()), None);
        let ruled = plain.clone().with_rules(read("/old /new\n/bad\n"));
        assert_ne!(ruled.content(), plain.content());
        assert_ne!(ruled.content(), plain.clone().with_rules(read("/old /newer\n/bad\n")).content());
        let json = ruled.to_json().unwrap();
        assert_eq!(Manifest::from_json(&json).unwrap(), ruled);
        let torn = String::from_utf8(json).unwrap().replace("\"rules\"", "\"laws\"");
        assert_eq!(Manifest::from_json(torn.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_list_reads_back_from_any_base(
            old in btree_map("[a-z/]{1,3}", any::<u8>(), 0..30),
            new in btree_map("[a-z/]{1,3}", any::<u8>(), 0..30),
        ) {
            let (old, new) = (manifest(old), manifest(new).with_base(Digest::of(b"base")));
            let base = decode_base(&encode_base(old.entries()).unwrap()).unwrap();
            prop_assert_eq!(&*base, old.entries());
            let json = encode_deploy(&new, &Delta::between(&base, new.entries())).unwrap();
            let read = Deploy::decode(&json).unwrap().onto(&base).unwrap();
            prop_assert_eq!(&read, &new);
            prop_assert_eq!(Manifest::from_json(&new.to_json().unwrap()), Some(new.clone().without_base()));
            prop_assert_eq!(Manifest::from_json(&json), None);
            for entry in new.iter() {
                prop_assert_eq!(read.get(&entry.path), Some(entry));
            }
            prop_assert_eq!(read.get("absent/path"), None);
        }

        #[test]
        fn content_tells_equal_lists_from_others(
            a in btree_map("[a-c]{1,2}", 0..3_u8, 0..4), b in btree_map("[a-c]{1,2}", 0..3_u8, 0..4),
        ) {
            prop_assert_eq!(manifest(a.clone()).content() == manifest(b.clone()).content(), a == b);
        }
    }
}
