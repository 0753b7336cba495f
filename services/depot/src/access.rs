//! Who may do what: signatures of version 4 by the configured keys, and the grants of each key.

use std::collections::HashMap;
use std::sync::Arc;

use hyper::HeaderMap;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{Credentials, S3Auth, SecretKey};
use s3s::dto::{CopyObjectInput, UploadPartCopyInput};
use s3s::path::{S3Path, check_bucket_name};
use s3s::{S3ErrorCode, S3Request, S3Result};
use secrecy::ExposeSecret as _;

use crate::copy;
use crate::error::Error;
use crate::{Access, Grant, Key};

/// The operations that change nothing. Whatever is named neither here nor in [`ADDS`] needs [`Access::Write`].
const READS: [&str; 7] =
    ["GetBucketLocation", "GetObject", "HeadBucket", "HeadObject", "ListBuckets", "ListObjects", "ListObjectsV2"];
/// The operations by which objects come.
const ADDS: [&str; 6] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CreateMultipartUpload",
    "ListMultipartUploads",
    "PutObject",
    "UploadPart",
];

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The configured keys by id.
#[derive(Clone)]
pub(crate) struct Keys(Arc<HashMap<String, Key>>);

impl Keys {
    pub(crate) fn new(keys: Vec<Key>) -> Result<Self, Error> {
        let mut by_id = HashMap::new();
        for key in keys {
            key.grants.iter().try_for_each(validate)?;
            if let Some(key) = by_id.insert(key.id.clone(), key) {
                return Err(Error::DuplicateKey { id: key.id });
            }
        }
        Ok(Self(Arc::new(by_id)))
    }

    /// Whether `place`, a bucket or an object as `bucket/key`, is open to a key.
    pub(crate) fn allows(&self, credentials: Option<&Credentials>, place: &str, access: Access) -> bool {
        let key = credentials.and_then(|credentials| self.0.get(&credentials.access_key));
        key.is_some_and(|key| key.grants.iter().any(|grant| grant.allows(place, access)))
    }

    fn require(&self, credentials: Option<&Credentials>, place: &str, access: Access) -> S3Result<()> {
        if self.allows(credentials, place, access) { Ok(()) } else { Err(S3ErrorCode::AccessDenied.into()) }
    }

    fn require_source(&self, credentials: Option<&Credentials>, headers: &HeaderMap) -> S3Result<()> {
        let (bucket, key) = copy::source(headers)?;
        self.require(credentials, &format!("{bucket}/{key}"), Access::Read)
    }
}

fn needed(operation: &str) -> Access {
    match operation {
        read if READS.contains(&read) => Access::Read,
        add if ADDS.contains(&add) => Access::Add,
        _ => Access::Write,
    }
}

/// A grant that can never match is a mistake better found at start than by a refused request.
fn validate(grant: &Grant) -> Result<(), Error> {
    let is_valid = match (grant.buckets.strip_suffix('*'), grant.buckets.split_once('/')) {
        (Some(prefix), Some((bucket, _))) => check_bucket_name(bucket) && !prefix.contains('*'),
        (Some(prefix), None) => !prefix.contains('*'),
        (None, Some(_)) => false,
        (None, None) => check_bucket_name(&grant.buckets),
    };
    if is_valid { Ok(()) } else { Err(Error::Grant { buckets: grant.buckets.clone() }) }
}

impl Grant {
    fn allows(&self, place: &str, access: Access) -> bool {
        let bucket = place.split('/').next().unwrap_or_default();
        let is_named = match self.buckets.strip_suffix('*') {
            Some(prefix) => place.starts_with(prefix),
            None => bucket == self.buckets,
        };
        is_named && (self.access == Access::Write || self.access == access)
    }
}

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let key = self.0.get(access_key).ok_or(S3ErrorCode::InvalidAccessKeyId)?;
        Ok(SecretKey::from(key.secret.expose_secret()))
    }
}

#[async_trait::async_trait]
impl S3Access for Keys {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() || !is_version_4(context) {
            return Err(S3ErrorCode::AccessDenied.into());
        }
        let access = needed(context.s3_op().name());
        match context.s3_path() {
            // The list of buckets is cut to what its reader may read.
            S3Path::Root if access == Access::Read => Ok(()),
            S3Path::Root => Err(S3ErrorCode::AccessDenied.into()),
            S3Path::Bucket { bucket } => self.require(context.credentials(), bucket, access),
            S3Path::Object { bucket, key } => self.require(context.credentials(), &format!("{bucket}/{key}"), access),
        }
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        self.require_source(request.credentials.as_ref(), &request.headers)
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        self.require_source(request.credentials.as_ref(), &request.headers)
    }
}

/// Version 2 signs with SHA-1 and leaves most of a request out, and forms sign a policy; neither has a user here.
fn is_version_4(context: &S3AccessContext<'_>) -> bool {
    let header = context.headers().get("authorization").and_then(|value| value.to_str().ok());
    let in_header = header.is_some_and(|value| value.starts_with(ALGORITHM));
    let parameter =
        |pair: &str| pair.split_once('=').is_some_and(|(name, value)| name == "X-Amz-Algorithm" && value == ALGORITHM);
    let in_query = context.uri().query().is_some_and(|query| query.split('&').any(parameter));
    in_header || (header.is_none() && in_query)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(buckets: &str, access: Access) -> Grant {
        Grant { buckets: buckets.into(), access }
    }

    #[test]
    fn a_grant_names_one_bucket_or_a_family() {
        assert!(grant("site-a", Access::Read).allows("site-a", Access::Read));
        assert!(!grant("site-a", Access::Read).allows("site-ab", Access::Read));
        assert!(grant("site-*", Access::Read).allows("site-ab", Access::Read));
        assert!(!grant("site-*", Access::Read).allows("logs", Access::Read));
        assert!(grant("site-a", Access::Read).allows("site-a/key", Access::Read));
        assert!(!grant("site-*", Access::Read).allows("logs/site-a", Access::Read));
    }

    #[test]
    fn a_grant_of_a_part_is_for_its_objects_alone() {
        let grant = grant("logs/new/*", Access::Add);
        assert!(grant.allows("logs/new/key", Access::Add));
        for place in ["logs", "logs/old", "logs/new", "logs-new/new/key", "other/logs/new/key"] {
            assert!(!grant.allows(place, Access::Add), "{place}");
        }
    }

    #[test]
    fn writing_includes_reading_and_adding_and_neither_includes_another() {
        for needed in [Access::Read, Access::Add, Access::Write] {
            assert!(grant("*", Access::Write).allows("any", needed));
            for given in [Access::Read, Access::Add] {
                assert_eq!(grant("*", given).allows("any", needed), given == needed);
            }
        }
    }

    #[test]
    fn whoever_adds_neither_reads_nor_removes() {
        for operation in ["PutObject", "UploadPart", "AbortMultipartUpload"] {
            assert_eq!(needed(operation), Access::Add, "{operation}");
        }
        for operation in ["GetObject", "HeadObject", "ListObjectsV2", "DeleteObject", "CreateBucket", "CopyObject"] {
            assert_ne!(needed(operation), Access::Add, "{operation}");
        }
    }

    #[test]
    fn a_grant_that_can_never_match_is_refused() {
        assert!(validate(&grant("Site", Access::Read)).is_err());
        assert!(validate(&grant("a*b*", Access::Read)).is_err());
        assert!(validate(&grant("site/part", Access::Read)).is_err());
        assert!(validate(&grant("Site/part/*", Access::Read)).is_err());
        assert!(validate(&grant("site/part/*", Access::Read)).is_ok());
        assert!(validate(&grant("*", Access::Read)).is_ok());
    }
}
