//! Secrets of one installation: made on first use, kept in a file only its owner reads.

use crate::permissions::store::{KEYS, Names, Right};
use anyhow::{Context, Result};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
struct File {
    token: String,
    github_webhook_secret: String,
    /// The installation's key. One that was made before there was any gets it with its next start.
    #[serde(default)]
    key: String,
    s3: BTreeMap<String, String>,
    /// What the launcher reads the platform's own repositories by; another with each start.
    #[serde(skip, default = "fresh")]
    repositories_token: String,
}

/// The secrets.
pub(super) struct Secrets(File);

impl Secrets {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("secrets.json");
        if let Ok(text) = std::fs::read(&path) {
            let known: Result<File, _> = serde_json::from_slice(&text);
            let known = known.with_context(|| format!("`{}` is not what it should be", path.display()))?;
            return if known.key.is_empty() {
                Self(File { key: fresh(), ..known }).write(&path)
            } else {
                Ok(Self(known))
            };
        }
        let s3 = KEYS.iter().map(|(name, _)| ((*name).to_owned(), fresh())).collect();
        Self(File { token: fresh(), github_webhook_secret: fresh(), key: fresh(), s3, repositories_token: fresh() })
            .write(&path)
    }

    /// Whoever is interrupted has the secrets as they were, or as they are.
    fn write(self, path: &Path) -> Result<Self> {
        let new = path.with_extension("new");
        let mut options = std::fs::OpenOptions::new();
        let mut out = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        out.write_all(&serde_json::to_vec_pretty(&self.0)?)?;
        out.sync_all()?;
        std::fs::rename(new, path)?;
        Ok(self)
    }

    pub(super) fn key(&self) -> String {
        self.0.key.clone()
    }

    pub(super) fn repositories_token(&self) -> SecretString {
        self.0.repositories_token.clone().into()
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
        let names = Names::default();
        let key = |(name, rights): &(&str, &[Right])| {
            let (id, secret) = self.s3(name);
            depot::Key { id, secret: SecretString::from(secret), grants: names.grants(rights) }
        };
        KEYS.iter().map(key).collect()
    }
}

/// 244 random bits.
fn fresh() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
