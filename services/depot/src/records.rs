//! The records of the index. They are JSON so that a field can be added without rewriting a store.

use s3s::dto::ETag;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Fault;
use crate::headers::Headers;

/// A published object. `body` names its bytes, which several objects may share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Object {
    pub etag: String,
    pub size: u64,
    pub modified_ms: i64,
    pub body: Uuid,
    #[serde(flatten)]
    pub headers: Headers,
}

impl Object {
    pub(crate) fn etag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }
}

/// A multipart upload that is neither complete nor aborted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub initiated_ms: i64,
    #[serde(flatten)]
    pub headers: Headers,
}

/// One part of an upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub etag: String,
    pub size: u64,
    pub modified_ms: i64,
    pub body: Uuid,
}

/// A part and its place among those of its upload.
#[derive(Clone, Debug)]
pub(crate) struct NumberedPart {
    pub number: u32,
    pub part: Part,
}

pub(crate) fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(record).map_err(Fault::Record)
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(Fault::Record)
}
