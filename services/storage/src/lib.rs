//! The object store of Pagefold: one bucket per site and one for the platform. The S3 client lives only here.
//!
//! *Hears* its callers. *Says* nothing. *Touches* buckets over S3, with explicit credentials only.
//! *Safe to repeat because* every object is named by its content or by what made it, and is written whole or not at all.
//!
//! A site's bucket holds immutable deploys: `deploys/<id>` says which file is where, `manifests/<digest>` is a file list
//! that deploys share, `packs/<digest>` is the bytes of many files in one object. Read [`manifest`] for the format.
//! Beside them lie the plain trees `site/…`, `demo/…` and `preview/<branch>/…` that CDNs may read directly.

mod body;
mod bucket;
mod check;
mod client;
mod collection;
pub mod content_type;
mod error;
pub mod folder;
pub mod keys;
pub mod manifest;
mod mark;
mod mirror;
pub mod path;
mod patience;
mod platform;
mod probe;
mod requests;
mod site;
mod turn;
mod upload;

use events::SiteId;
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;

pub use body::Body;
pub use bucket::Object;
pub use collection::Unneeded;
pub use error::{Error, Resource};
pub use manifest::{Head, Manifest, SiteFile, Uploaded};
pub use mark::Rhythm;
pub use mirror::Mirrored;
pub use patience::Patience;
pub use platform::PlatformBucket;
pub use requests::Requests;
pub use site::SiteBucket;

use bucket::Bucket;
use mark::Sightings;
use site::Bases;

/// What a site's bucket name starts with, unless configured otherwise.
pub const SITE_BUCKET_PREFIX: &str = "pagefold-site-";
/// The platform's bucket, unless configured otherwise.
pub const PLATFORM_BUCKET: &str = "pagefold-platform";

/// Where the store is and who asks.
#[derive(Debug, Clone)]
pub struct Config {
    /// URL of the S3 endpoint; buckets are addressed by path.
    pub endpoint: String,
    /// The region that signatures name.
    pub region: String,
    /// The access key id.
    pub access_key: String,
    /// The secret that signs.
    pub secret_key: SecretString,
    /// What a site's bucket name starts with; the site's name follows.
    pub site_bucket_prefix: String,
    /// The bucket of artifacts and logs.
    pub platform_bucket: String,
}

impl Config {
    /// A configuration with the default bucket names.
    #[must_use]
    pub fn new(endpoint: String, region: String, access_key: String, secret_key: SecretString) -> Self {
        let (site_bucket_prefix, platform_bucket) = (SITE_BUCKET_PREFIX.to_owned(), PLATFORM_BUCKET.to_owned());
        Self { endpoint, region, access_key, secret_key, site_bucket_prefix, platform_bucket }
    }
}

/// The object store. A clone shares connections and the cache of base manifests.
#[derive(Debug, Clone)]
pub struct Storage {
    client: client::Client,
    config: Arc<Config>,
    bases: Bases,
    sightings: Sightings,
    rhythm: Rhythm,
    spool: Arc<Path>,
}

impl Storage {
    /// Prepares a client; nothing is sent before the first operation.
    #[must_use]
    pub fn connect(config: &Config) -> Self {
        let (sightings, rhythm) = (Sightings::default(), Rhythm::default());
        let (client, config) = (client::build(config), Arc::new(config.clone()));
        let spool = std::env::temp_dir().into();
        Self { client, config, bases: site::bases(), sightings, rhythm, spool }
    }

    /// The same store, which keeps large files on their way in `folder` and not in the system's folder for temporary
    /// files, so that whoever owns the folder can remove what a killed process left. The folder is made when needed.
    #[must_use]
    pub fn spooling_in(self, folder: &Path) -> Self {
        Self { spool: folder.into(), ..self }
    }

    /// The same store, with another rhythm for writers of plain trees. All of them must have the same.
    #[must_use]
    pub fn with_rhythm(self, rhythm: Rhythm) -> Self {
        Self { rhythm, ..self }
    }

    /// The bucket of a site, which may not exist yet.
    #[must_use]
    pub fn site(&self, site: SiteId) -> SiteBucket {
        let name = format!("{}{site}", self.config.site_bucket_prefix);
        let (bases, sightings) = (self.bases.clone(), self.sightings.clone());
        let spool = Arc::clone(&self.spool);
        SiteBucket { bucket: self.bucket(&name), bases, sightings, rhythm: self.rhythm, spool }
    }

    /// The platform's own bucket, which may not exist yet.
    #[must_use]
    pub fn platform(&self) -> PlatformBucket {
        PlatformBucket { bucket: self.bucket(&self.config.platform_bucket) }
    }

    fn bucket(&self, name: &str) -> Bucket {
        Bucket { client: self.client.clone(), name: name.into(), region: self.config.region.as_str().into() }
    }
}
