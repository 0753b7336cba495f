//! The two listing operations of S3 over [`list`]: version 1 pages by marker, version 2 by token.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::S3ErrorCode;
use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object, ObjectStorageClass,
};

use crate::clock;
use crate::error::Fault;
use crate::list::{self, Found, Page, Query};
use crate::records;
use crate::store::Store;

/// The limit of S3 on one page.
const MAX_KEYS: i32 = 1000;

/// What may stand in an encoded key as it is; `/` may, so that paths stay legible.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// How names are written into the answer. XML cannot carry every key, so a client may ask for encoded ones.
#[derive(Clone, Copy)]
pub(crate) struct Encoding(bool);

impl Encoding {
    pub(crate) fn new(asked: Option<&EncodingType>) -> Result<Self, Fault> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Self(false)),
            Some(EncodingType::URL) => Ok(Self(true)),
            Some(_) => Err(S3ErrorCode::InvalidArgument.into()),
        }
    }

    pub(crate) fn write(self, name: impl Into<String>) -> String {
        let name = name.into();
        if self.0 { utf8_percent_encode(&name, ENCODED).to_string() } else { name }
    }
}

/// The number of entries a page may have.
pub(crate) fn limit(asked: Option<i32>) -> Result<i32, Fault> {
    match asked {
        Some(count) if count < 0 => Err(S3ErrorCode::InvalidArgument.into()),
        Some(count) => Ok(count.min(MAX_KEYS)),
        None => Ok(MAX_KEYS),
    }
}

struct Listed {
    objects: Vec<Object>,
    prefixes: Vec<CommonPrefix>,
    next: Option<String>,
}

impl Store {
    async fn list(&self, bucket: &str, query: Query, encoding: Encoding) -> Result<Listed, Fault> {
        let bucket = bucket.to_owned();
        self.read(move |snapshot| {
            snapshot.require_bucket(&bucket)?;
            let page = list::page(&query, |start| snapshot.objects_from(&bucket, start))?;
            listed(page, encoding)
        })
        .await
    }

    pub(crate) async fn list_v1(&self, input: ListObjectsInput) -> Result<ListObjectsOutput, Fault> {
        let encoding = Encoding::new(input.encoding_type.as_ref())?;
        let max_keys = limit(input.max_keys)?;
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone(),
            after: input.marker.clone().unwrap_or_default(),
            limit: usize::try_from(max_keys).unwrap_or(0),
        };
        let listed = self.list(&input.bucket, query, encoding).await?;
        Ok(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(encoding.write(input.prefix.unwrap_or_default())),
            marker: Some(encoding.write(input.marker.unwrap_or_default())),
            max_keys: Some(max_keys),
            is_truncated: Some(listed.next.is_some()),
            contents: Some(listed.objects),
            common_prefixes: Some(listed.prefixes),
            delimiter: input.delimiter.map(|delimiter| encoding.write(delimiter)),
            next_marker: listed.next.map(|next| encoding.write(next)),
            encoding_type: input.encoding_type,
            ..ListObjectsOutput::default()
        })
    }

    pub(crate) async fn list_v2(&self, input: ListObjectsV2Input) -> Result<ListObjectsV2Output, Fault> {
        let encoding = Encoding::new(input.encoding_type.as_ref())?;
        let max_keys = limit(input.max_keys)?;
        let after = match &input.continuation_token {
            Some(token) => from_token(token)?,
            None => input.start_after.clone().unwrap_or_default(),
        };
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone(),
            after,
            limit: usize::try_from(max_keys).unwrap_or(0),
        };
        let listed = self.list(&input.bucket, query, encoding).await?;
        Ok(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(encoding.write(input.prefix.unwrap_or_default())),
            max_keys: Some(max_keys),
            key_count: i32::try_from(listed.objects.len() + listed.prefixes.len()).ok(),
            continuation_token: input.continuation_token,
            is_truncated: Some(listed.next.is_some()),
            next_continuation_token: listed.next.map(hex::encode),
            contents: Some(listed.objects),
            common_prefixes: Some(listed.prefixes),
            delimiter: input.delimiter.map(|delimiter| encoding.write(delimiter)),
            encoding_type: input.encoding_type,
            start_after: input.start_after.map(|after| encoding.write(after)),
            ..ListObjectsV2Output::default()
        })
    }
}

/// A token is the last name of the page before, in a form that clients do not take apart.
fn from_token(token: &str) -> Result<String, Fault> {
    let bytes = hex::decode(token).map_err(|_| S3ErrorCode::InvalidArgument)?;
    Ok(String::from_utf8(bytes).map_err(|_| S3ErrorCode::InvalidArgument)?)
}

fn listed(page: Page<crate::index::Row>, encoding: Encoding) -> Result<Listed, Fault> {
    let mut listed = Listed { objects: Vec::new(), prefixes: Vec::new(), next: page.next };
    for entry in page.entries {
        match entry {
            Found::Prefix(prefix) => listed.prefixes.push(CommonPrefix { prefix: Some(encoding.write(prefix)) }),
            Found::Key(key, row) => {
                let object: records::Object = records::decode(row.value())?;
                listed.objects.push(Object {
                    key: Some(encoding.write(key)),
                    e_tag: Some(ETag::Strong(object.etag)),
                    size: i64::try_from(object.size).ok(),
                    last_modified: Some(clock::timestamp(object.modified_ms)),
                    storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                    ..Object::default()
                });
            }
        }
    }
    Ok(listed)
}
