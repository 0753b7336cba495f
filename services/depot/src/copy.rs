//! Copies. The copy names the body of its source, so a copy of any size costs one index commit.

use hyper::HeaderMap;
use s3s::dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, MetadataDirective};
use s3s::{S3ErrorCode, S3Request};

use crate::clock;
use crate::condition::{OnRead, OnWrite, Verdict};
use crate::error::Fault;
use crate::headers;
use crate::object::refuse_version;
use crate::records::Object;
use crate::store::Store;

const COPY_SOURCE: &str = "x-amz-copy-source";

/// The bucket and key of a copy source. S3 reads a plus in it as a space, as in a form, and some clients write it so.
pub(crate) fn source(headers: &HeaderMap) -> Result<(String, String), Fault> {
    let header = headers.get(COPY_SOURCE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match CopySource::parse(&header.replace('+', "%20")).map_err(|_| S3ErrorCode::InvalidArgument)? {
        CopySource::Bucket { bucket, key, version_id } => {
            refuse_version(version_id.as_deref())?;
            Ok((bucket.into(), key.into()))
        }
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => Err(S3ErrorCode::NotImplemented.into()),
    }
}

impl Store {
    pub(crate) async fn copy(&self, request: S3Request<CopyObjectInput>) -> Result<CopyObjectOutput, Fault> {
        let mut input = request.input;
        let condition = OnWrite::from_headers(&request.headers)?;
        let (from_bucket, from_key) = source(&request.headers)?;
        let directive = input.metadata_directive.take();
        let given = headers::of_copy(&mut input)?;
        let replaced = match directive.as_ref().map(MetadataDirective::as_str) {
            None | Some(MetadataDirective::COPY) => None,
            Some(MetadataDirective::REPLACE) => Some(given),
            Some(_) => return Err(S3ErrorCode::InvalidArgument.into()),
        };
        let on_source = OnRead {
            if_match: input.copy_source_if_match.take(),
            if_none_match: input.copy_source_if_none_match.take(),
            if_modified_since: input.copy_source_if_modified_since.take(),
            if_unmodified_since: input.copy_source_if_unmodified_since.take(),
        };
        let object = self
            .write(move |tables| {
                tables.require_bucket(&from_bucket)?;
                tables.require_bucket(&input.bucket)?;
                let source = tables.object(&from_bucket, &from_key)?.ok_or(S3ErrorCode::NoSuchKey)?;
                if on_source.check(&source) != Verdict::Read {
                    return Err(S3ErrorCode::PreconditionFailed.into());
                }
                if replaced.is_none() && from_bucket == input.bucket && from_key == input.key {
                    return Err(S3ErrorCode::InvalidRequest.into());
                }
                condition.check(tables.object(&input.bucket, &input.key)?.as_ref())?;
                let headers = replaced.unwrap_or(source.headers);
                let object = Object { modified_ms: clock::now_ms(), headers, ..source };
                // The body is named once more before the key may drop it: they can be the same.
                tables.share(object.body)?;
                tables.put_object(&input.bucket, &input.key, &object)?;
                Ok(object)
            })
            .await?;
        let result = CopyObjectResult {
            e_tag: Some(object.etag()),
            last_modified: Some(clock::timestamp(object.modified_ms)),
            ..CopyObjectResult::default()
        };
        Ok(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() })
    }
}
