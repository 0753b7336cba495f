//! What is read of a bucket's objects: whole, in part, or as it arrives.

use super::{Bucket, found};
use crate::error::Error;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use std::ops::Range;

const RANGE_NOT_SATISFIABLE: u16 = 416;

/// An object, and what names this version of it.
pub(crate) struct Tagged {
    pub content: Bytes,
    pub tag: String,
}

impl Bucket {
    /// The whole object, or `None` if there is none.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        match self.open(key, None).await? {
            Some(object) => self.collect(key, object.body).await.map(Some),
            None => Ok(None),
        }
    }

    /// The whole object with the tag that names this version of it, or `None` if there is none.
    pub(crate) async fn get_tagged(&self, key: &str) -> Result<Option<Tagged>, Error> {
        let Some(object) = self.open(key, None).await? else { return Ok(None) };
        let tag = object.e_tag.unwrap_or_default();
        Ok(Some(Tagged { content: self.collect(key, object.body).await?, tag }))
    }

    /// The bytes in `range` of an object that must have them.
    pub(crate) async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, Error> {
        let body = self.open_range(key, range).await?;
        self.collect(key, body).await
    }

    /// The bytes in `range`, not empty, as they arrive.
    pub(crate) async fn open_range(&self, key: &str, range: Range<u64>) -> Result<ByteStream, Error> {
        let wanted = range.end.saturating_sub(range.start);
        let header = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        let object = match self.open(key, Some(header)).await {
            Ok(Some(object)) => object,
            Ok(None) => return Err(Error::Missing { resource: self.resource(key) }),
            Err(error) if out_of_range(&error) => {
                return Err(Error::corrupt(self.resource(key), format!("it has no bytes at {}", range.start)));
            }
            Err(error) => return Err(error),
        };
        if object.content_length().and_then(|length| u64::try_from(length).ok()) != Some(wanted) {
            return Err(Error::corrupt(
                self.resource(key),
                format!("it does not have {wanted} bytes at {}", range.start),
            ));
        }
        Ok(object.body)
    }

    /// The bytes from `from` on; empty past the end, `None` if there is no object.
    pub(crate) async fn get_from(&self, key: &str, from: u64) -> Result<Option<Bytes>, Error> {
        match self.open(key, (from > 0).then(|| format!("bytes={from}-"))).await {
            Ok(Some(object)) => self.collect(key, object.body).await.map(Some),
            Ok(None) => Ok(None),
            Err(error) if out_of_range(&error) => Ok(Some(Bytes::new())),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn open(&self, key: &str, range: Option<String>) -> Result<Option<GetObjectOutput>, Error> {
        let opened = self.client.get_object().bucket(&*self.name).key(key).set_range(range).send().await;
        found(opened.map_err(|error| Error::request("read", self.resource(key), error)))
    }

    async fn collect(&self, key: &str, body: ByteStream) -> Result<Bytes, Error> {
        let collected = body.collect().await;
        collected.map(|data| data.into_bytes()).map_err(|source| Error::body(self.resource(key), source))
    }

    /// The object's size in bytes, or `None` if there is none.
    pub(crate) async fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        let head = self.client.head_object().bucket(&*self.name).key(key).send().await;
        let head = found(head.map_err(|error| Error::request("look for", self.resource(key), error)))?;
        Ok(head.and_then(|head| head.content_length()).and_then(|length| u64::try_from(length).ok()))
    }
}

/// Whether an answer says that the range starts past the end.
fn out_of_range(error: &Error) -> bool {
    error.status() == Some(RANGE_NOT_SATISFIABLE)
}
