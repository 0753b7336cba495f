//! Puts and deletes. A put is published by one index commit, under which its condition is checked.

use s3s::dto::{
    Checksum, DeleteObjectInput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, ETagCondition,
    Error as Refused, ObjectIdentifier, PutObjectInput, PutObjectOutput,
};
use s3s::{S3ErrorCode, S3Request};

use crate::clock;
use crate::condition::OnWrite;
use crate::digest::Claims;
use crate::error::Fault;
use crate::headers::{self, Headers};
use crate::records::Object;
use crate::spool::{self, Staged};
use crate::store::Store;
use crate::tables::Tables;

/// The limit of S3 on one request to delete objects.
const MAX_DELETES: usize = 1000;

/// A body on its way to becoming an object.
pub(crate) struct Publication {
    pub bucket: String,
    pub key: String,
    pub etag: String,
    pub headers: Headers,
    pub condition: OnWrite,
}

impl Publication {
    /// Checks and publishes under the write transaction, so that of many conditional writers one wins.
    pub(crate) fn publish(self, tables: &mut Tables<'_>, staged: Staged) -> Result<(), Fault> {
        tables.require_bucket(&self.bucket)?;
        self.condition.check(tables.object(&self.bucket, &self.key)?.as_ref())?;
        let object = Object {
            etag: self.etag,
            size: staged.size,
            modified_ms: clock::now_ms(),
            body: staged.id,
            headers: self.headers,
        };
        tables.put_body(staged)?;
        tables.put_object(&self.bucket, &self.key, &object)
    }
}

impl Store {
    pub(crate) async fn put(&self, request: S3Request<PutObjectInput>) -> Result<PutObjectOutput, Fault> {
        let mut input = request.input;
        if input.write_offset_bytes.is_some() {
            return Err(S3ErrorCode::NotImplemented.into());
        }
        let claimed = Checksum {
            checksum_crc32: input.checksum_crc32.take(),
            checksum_crc32c: input.checksum_crc32c.take(),
            checksum_crc64nvme: input.checksum_crc64nvme.take(),
            checksum_sha1: input.checksum_sha1.take(),
            checksum_sha256: input.checksum_sha256.take(),
            checksum_type: None,
        };
        let claims =
            Claims::new(input.content_md5.take(), claimed)?.with_trailers(&request.headers, request.trailing_headers);
        let headers = headers::of_put(&mut input)?;
        let (staged, digested) = spool::receive(&self.bodies, input.body, &claims).await?;
        let size = i64::try_from(staged.size).ok();
        let etag = hex::encode(digested.md5);
        let publication = Publication {
            bucket: input.bucket,
            key: input.key,
            etag: etag.clone(),
            headers,
            condition: OnWrite { if_match: input.if_match, if_none_match: input.if_none_match },
        };
        self.write(move |tables| publication.publish(tables, staged)).await?;
        Ok(PutObjectOutput {
            e_tag: Some(ETag::Strong(etag)),
            checksum_crc32: digested.checksum.checksum_crc32,
            checksum_crc32c: digested.checksum.checksum_crc32c,
            checksum_crc64nvme: digested.checksum.checksum_crc64nvme,
            checksum_sha1: digested.checksum.checksum_sha1,
            checksum_sha256: digested.checksum.checksum_sha256,
            size,
            ..PutObjectOutput::default()
        })
    }

    /// Deleting what is not there succeeds, unless a condition says what must be there.
    pub(crate) async fn delete(&self, input: DeleteObjectInput) -> Result<(), Fault> {
        refuse_version(input.version_id.as_deref())?;
        if input.if_match_last_modified_time.is_some() || input.if_match_size.is_some() {
            return Err(S3ErrorCode::NotImplemented.into());
        }
        self.write(move |tables| {
            tables.require_bucket(&input.bucket)?;
            delete_if(tables, &input.bucket, &input.key, input.if_match)
        })
        .await
    }

    pub(crate) async fn delete_many(&self, input: DeleteObjectsInput) -> Result<DeleteObjectsOutput, Fault> {
        let is_quiet = input.delete.quiet.unwrap_or(false);
        if input.delete.objects.is_empty() || input.delete.objects.len() > MAX_DELETES {
            return Err(S3ErrorCode::MalformedXML.into());
        }
        self.write(move |tables| {
            tables.require_bucket(&input.bucket)?;
            let (mut deleted, mut errors) = (Vec::new(), Vec::new());
            for object in input.delete.objects {
                let key = object.key.clone();
                match delete_one(tables, &input.bucket, object) {
                    Ok(()) if is_quiet => {}
                    Ok(()) => deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() }),
                    Err(Fault::Refused(code)) => {
                        let code = Some(code.as_str().to_owned());
                        errors.push(Refused { key: Some(key), code, ..Refused::default() });
                    }
                    Err(fault) => return Err(fault),
                }
            }
            Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..DeleteObjectsOutput::default() })
        })
        .await
    }
}

fn delete_one(tables: &mut Tables<'_>, bucket: &str, object: ObjectIdentifier) -> Result<(), Fault> {
    refuse_version(object.version_id.as_deref())?;
    if object.last_modified_time.is_some() || object.size.is_some() {
        return Err(S3ErrorCode::NotImplemented.into());
    }
    delete_if(tables, bucket, &object.key, object.e_tag.map(ETagCondition::ETag))
}

fn delete_if(tables: &mut Tables<'_>, bucket: &str, key: &str, if_match: Option<ETagCondition>) -> Result<(), Fault> {
    let condition = OnWrite { if_match, if_none_match: None };
    condition.check(tables.object(bucket, key)?.as_ref())?;
    tables.remove_object(bucket, key)
}

/// There are no versions, so a request for one must not be answered with another.
pub(crate) fn refuse_version(version: Option<&str>) -> Result<(), Fault> {
    match version {
        None | Some("" | "null") => Ok(()),
        Some(_) => Err(S3ErrorCode::NoSuchVersion.into()),
    }
}
