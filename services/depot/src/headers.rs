//! The headers a client gives with an object and gets back with it.

use std::collections::BTreeMap;

use s3s::S3ErrorCode;
use s3s::dto::{CopyObjectInput, CreateMultipartUploadInput, Metadata, PutObjectInput, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::Fault;

/// The limit of S3 on user metadata, names and values together.
const MAX_METADATA_BYTES: usize = 2048;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Headers {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website_redirect_location: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user: BTreeMap<String, String>,
}

impl Headers {
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.expires_s.map(|seconds| clock::timestamp(seconds.saturating_mul(1000)))
    }

    pub(crate) fn metadata(&self) -> Option<Metadata> {
        (!self.user.is_empty()).then(|| self.user.clone().into_iter().collect())
    }
}

fn user_metadata(given: Option<Metadata>) -> Result<BTreeMap<String, String>, Fault> {
    let user: BTreeMap<_, _> = given.unwrap_or_default().into_iter().collect();
    let size_bytes: usize = user.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size_bytes > MAX_METADATA_BYTES {
        return Err(S3ErrorCode::MetadataTooLarge.into());
    }
    Ok(user)
}

/// What is asked for and not kept must be refused: a client that believes its object is encrypted or locked is worse off.
macro_rules! take_headers {
    ($input:ident) => {{
        if $input.sse_customer_algorithm.is_some()
            || $input.server_side_encryption.is_some()
            || $input.object_lock_mode.is_some()
            || $input.object_lock_legal_hold_status.is_some()
            || $input.tagging.is_some()
        {
            return Err(S3ErrorCode::NotImplemented.into());
        }
        Ok(Headers {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_encoding: $input.content_encoding.take(),
            content_disposition: $input.content_disposition.take(),
            content_language: $input.content_language.take(),
            expires_s: $input.expires.take().as_ref().map(clock::seconds),
            website_redirect_location: $input.website_redirect_location.take(),
            user: user_metadata($input.metadata.take())?,
        })
    }};
}

pub(crate) fn of_put(input: &mut PutObjectInput) -> Result<Headers, Fault> {
    take_headers!(input)
}

pub(crate) fn of_copy(input: &mut CopyObjectInput) -> Result<Headers, Fault> {
    take_headers!(input)
}

pub(crate) fn of_upload(input: &mut CreateMultipartUploadInput) -> Result<Headers, Fault> {
    take_headers!(input)
}
