//! Bodies, from memory or from a part of a file, and the upload of a large file in parts.

use crate::body::Body;
use crate::bucket::{Bucket, Put, decoded, found};
use crate::client;
use crate::error::Error;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, EncodingType};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::path::Path;

/// From this size on a file is sent in parts, so that a broken connection costs one part.
const MULTIPART_BYTES: u64 = 64 * 1024 * 1024;
const PART_BYTES: u64 = 32 * 1024 * 1024;
/// Parts in one upload, by the S3 protocol; longer files have larger parts.
const PARTS_MAX: u64 = 10_000;
const PARTS_AT_ONCE: usize = 4;

impl Bucket {
    /// Writes a file as one object, whole or not at all.
    pub(crate) async fn put_file(&self, key: &str, path: &Path, with: Put<'_>) -> Result<(), Error> {
        let size = tokio::fs::metadata(path).await.map_err(Error::file(path))?.len();
        if size < MULTIPART_BYTES {
            let body = Body::File { path: path.to_owned(), range: 0..size };
            return self.put(key, body, with).await.map(|_| ());
        }
        // A key has one writer at a time, so what is unfinished under it was begun by one that was killed.
        self.abandon(key).await?;
        let request = self.client.create_multipart_upload().bucket(&*self.name).key(key);
        let request = request
            .set_content_type(with.content_type.map(str::to_owned))
            .set_cache_control(with.cache_control.map(str::to_owned));
        let upload =
            request.send().await.map_err(|error| Error::request("begin to write", self.resource(key), error))?;
        let upload = Upload { bucket: self, key, id: upload.upload_id().unwrap_or_default() };
        let done = upload.send(path, size).await;
        if done.is_err() {
            upload.abort().await;
        }
        done
    }
}

impl Bucket {
    /// Ends every unfinished upload to a key that starts with `prefix`: what a killed process began takes space and is in
    /// no listing of objects.
    pub(crate) async fn abandon(&self, prefix: &str) -> Result<(), Error> {
        loop {
            let request = self.client.list_multipart_uploads().bucket(&*self.name).prefix(prefix);
            let listed = request.encoding_type(EncodingType::Url).send().await;
            let listed = listed.map_err(|error| Error::request("list the uploads to", self.resource(prefix), error));
            let Some(listed) = found(listed)? else { return Ok(()) };
            for (key, id) in listed.uploads().iter().filter_map(|upload| upload.key().zip(upload.upload_id())) {
                let (key, request) = (decoded(key), self.client.abort_multipart_upload().bucket(&*self.name));
                let aborted = request.key(&key).upload_id(id).send().await;
                found(aborted.map_err(|error| Error::request("end an upload to", self.resource(&key), error)))?;
            }
            // What was listed is gone, so the next page is the first.
            if listed.is_truncated() != Some(true) || listed.uploads().is_empty() {
                return Ok(());
            }
        }
    }
}

struct Upload<'a> {
    bucket: &'a Bucket,
    key: &'a str,
    id: &'a str,
}

impl Upload<'_> {
    async fn send(&self, path: &Path, size: u64) -> Result<(), Error> {
        let part_bytes = PART_BYTES.max(size.div_ceil(PARTS_MAX));
        let part = |number: u64| {
            let start = number * part_bytes;
            let body = Body::File { path: path.to_owned(), range: start..(start + part_bytes).min(size) };
            self.part(i32::try_from(number + 1).unwrap_or(i32::MAX), body)
        };
        let parts = stream::iter(0..size.div_ceil(part_bytes)).map(part).buffered(PARTS_AT_ONCE);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.try_collect().await?)).build();
        let request = self.bucket.client.complete_multipart_upload().bucket(&*self.bucket.name).key(self.key);
        let request = request.upload_id(self.id).multipart_upload(parts).customize();
        let completed = request.config_override(client::within(client::JOIN_TIMEOUT)).send().await;
        completed.map_err(|error| Error::request("write", self.bucket.resource(self.key), error)).map(|_| ())
    }

    async fn part(&self, number: i32, body: Body) -> Result<CompletedPart, Error> {
        let request = self.bucket.client.upload_part().bucket(&*self.bucket.name).key(self.key).upload_id(self.id);
        let time = client::within(client::sending(body.size()));
        let request = request.part_number(number).body(body.stream().await?);
        let sent = request.customize().config_override(time).send().await;
        let sent = sent.map_err(|error| Error::request("write a part of", self.bucket.resource(self.key), error))?;
        Ok(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build())
    }

    /// Frees what the store holds. If that fails too, [`Bucket::abandon`] does it later.
    async fn abort(&self) {
        let request = self.bucket.client.abort_multipart_upload().bucket(&*self.bucket.name).key(self.key);
        drop(request.upload_id(self.id).send().await);
    }
}
