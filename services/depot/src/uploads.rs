//! The listing of multipart uploads, so that unfinished ones can be found and aborted.

use s3s::S3ErrorCode;
use s3s::dto::{ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload};
use uuid::Uuid;

use crate::clock;
use crate::error::Fault;
use crate::listing::{Encoding, limit};
use crate::multipart::upload_id;
use crate::store::Store;
use crate::tables::UploadPath;

impl Store {
    /// Uploads are few, so those of a bucket are read whole. Folding them by a delimiter is not offered.
    pub(crate) async fn list_uploads(
        &self,
        input: ListMultipartUploadsInput,
    ) -> Result<ListMultipartUploadsOutput, Fault> {
        if input.delimiter.as_ref().is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(S3ErrorCode::NotImplemented.into());
        }
        let encoding = Encoding::new(input.encoding_type.as_ref())?;
        let max_uploads = limit(input.max_uploads)?;
        let after_key = input.key_marker.clone().unwrap_or_default();
        // A key marker alone means after all uploads of that key.
        let after_id = match &input.upload_id_marker {
            Some(marker) if !marker.is_empty() => upload_id(marker)?,
            Some(_) | None => Uuid::max(),
        };
        let bucket = input.bucket.clone();
        let prefix = input.prefix.clone().unwrap_or_default();
        let mut uploads = self
            .read(move |snapshot| {
                snapshot.require_bucket(&bucket)?;
                snapshot.uploads_after(UploadPath { bucket: &bucket, key: after_key.as_bytes(), id: after_id })
            })
            .await?;
        uploads.retain(|upload| upload.key.starts_with(&prefix));
        let is_truncated = cut(&mut uploads, max_uploads);
        let last = uploads.last().filter(|_| is_truncated);
        Ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: input.prefix.map(|prefix| encoding.write(prefix)),
            key_marker: input.key_marker.map(|marker| encoding.write(marker)),
            upload_id_marker: input.upload_id_marker,
            next_key_marker: last.map(|upload| encoding.write(&upload.key)),
            next_upload_id_marker: last.map(|upload| upload.id.simple().to_string()),
            max_uploads: Some(max_uploads),
            is_truncated: Some(is_truncated),
            encoding_type: input.encoding_type,
            uploads: Some(
                uploads
                    .into_iter()
                    .map(|upload| MultipartUpload {
                        key: Some(encoding.write(upload.key)),
                        upload_id: Some(upload.id.simple().to_string()),
                        initiated: Some(clock::timestamp(upload.initiated_ms)),
                        ..MultipartUpload::default()
                    })
                    .collect(),
            ),
            ..ListMultipartUploadsOutput::default()
        })
    }
}

/// Cuts a listing to its limit and says whether anything was cut off.
fn cut<T>(entries: &mut Vec<T>, limit: i32) -> bool {
    let limit = usize::try_from(limit).unwrap_or(0);
    let is_truncated = limit > 0 && entries.len() > limit;
    entries.truncate(limit);
    is_truncated
}
