//! Secrets of one installation: made on first use, kept in a file only its owner reads.

use anyhow::{Context, Result};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use uuid::Uuid;

/// Who has a key of the S3 server, and what it opens.
const S3_KEYS: &[(&str, &[(Bucket, depot::Access)])] = &[
    ("web", &[(Bucket::Platform, depot::Access::Read)]),
    ("launcher", &[(Bucket::Platform, depot::Access::Write)]),
    ("syncer", &[(Bucket::Platform, depot::Access::Write), (Bucket::Sites, depot::Access::Write)]),
    ("edge", &[(Bucket::Sites, depot::Access::Read)]),
    ("operator", &[(Bucket::Platform, depot::Access::Read), (Bucket::Sites, depot::Access::Read)]),
];

#[derive(Clone, Copy)]
enum Bucket {
    Platform,
    Sites,
}

#[derive(Serialize, Deserialize)]
struct File {
    token: String,
    github_webhook_secret: String,
    s3: BTreeMap<String, String>,
}

/// The secrets.
pub(super) struct Secrets(File);

impl Secrets {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("secrets.json");
        if let Ok(text) = std::fs::read(&path) {
            let known = serde_json::from_slice(&text);
            return Ok(Self(known.with_context(|| format!("`{}` is not what it should be", path.display()))?));
        }
        let s3 = S3_KEYS.iter().map(|(name, _)| ((*name).to_owned(), fresh())).collect();
        let file = File { token: fresh(), github_webhook_secret: fresh(), s3 };
        let mut options = std::fs::OpenOptions::new();
        let mut out = options.write(true).create_new(true).mode(0o600).open(&path)?;
        out.write_all(&serde_json::to_vec_pretty(&file)?)?;
        out.sync_all()?;
        Ok(Self(file))
    }

    pub(super) fn token(&self) -> String {
        self.0.token.clone()
    }

    pub(super) fn github_webhook_secret(&self) -> String {
        self.0.github_webhook_secret.clone()
    }

    /// The key of `name`: its id and its secret.
    pub(super) fn s3(&self, name: &str) -> (String, String) {
        (name.to_owned(), self.0.s3.get(name).cloned().unwrap_or_default())
    }

    /// The keys as the S3 server knows them.
    pub(super) fn s3_keys(&self) -> Vec<depot::Key> {
        let key = |(name, grants): &(&str, &[(Bucket, depot::Access)])| {
            let (id, secret) = self.s3(name);
            depot::Key { id, secret: SecretString::from(secret), grants: grants.iter().map(grant).collect() }
        };
        S3_KEYS.iter().map(key).collect()
    }
}

fn grant((bucket, access): &(Bucket, depot::Access)) -> depot::Grant {
    let buckets = match bucket {
        Bucket::Platform => storage::PLATFORM_BUCKET.to_owned(),
        Bucket::Sites => format!("{}*", storage::SITE_BUCKET_PREFIX),
    };
    depot::Grant { buckets, access: *access }
}

/// 244 random bits.
fn fresh() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
