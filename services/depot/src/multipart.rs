//! Multipart uploads: parts are bodies of their own, and completion joins them into one body published like a put.

mod assembly;

use std::sync::Arc;

use assembly::Assembly;
use s3s::dto::{
    AbortMultipartUploadInput, Checksum, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyPartResult,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, GetObjectInput, Range, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3ErrorCode, S3Request, S3Result};
use uuid::Uuid;

use crate::blocking;
use crate::clock;
use crate::condition::OnWrite;
use crate::copy;
use crate::digest::Claims;
use crate::error::Fault;
use crate::headers;
use crate::object::Publication;
use crate::records::{Part, Upload};
use crate::spool::{self, Staged};
use crate::store::Store;
use crate::tables::UploadPath;

/// The most parts that S3 allows.
const MAX_PARTS: u32 = 10_000;

pub(crate) fn upload_id(text: &str) -> Result<Uuid, Fault> {
    Uuid::try_parse(text).map_err(|_| S3ErrorCode::NoSuchUpload.into())
}

fn part_number(number: i32) -> Result<u32, Fault> {
    let number = u32::try_from(number).ok().filter(|number| (1..=MAX_PARTS).contains(number));
    number.ok_or_else(|| S3ErrorCode::InvalidArgument.into())
}

/// Where a part belongs.
struct PartPath {
    bucket: String,
    key: String,
    id: Uuid,
    number: u32,
}

impl Store {
    pub(crate) async fn create_upload(
        &self,
        mut input: CreateMultipartUploadInput,
    ) -> Result<CreateMultipartUploadOutput, Fault> {
        let headers = headers::of_upload(&mut input)?;
        let (bucket, key, id) = (input.bucket.clone(), input.key.clone(), Uuid::now_v7());
        self.write(move |tables| {
            tables.require_bucket(&bucket)?;
            let upload = Upload { initiated_ms: clock::now_ms(), headers };
            tables.put_upload(UploadPath { bucket: &bucket, key: key.as_bytes(), id }, &upload)
        })
        .await?;
        Ok(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id.simple().to_string()),
            ..CreateMultipartUploadOutput::default()
        })
    }

    pub(crate) async fn upload_part(&self, request: S3Request<UploadPartInput>) -> Result<UploadPartOutput, Fault> {
        let input = request.input;
        let (id, number) = (upload_id(&input.upload_id)?, part_number(input.part_number)?);
        let claimed = Checksum {
            checksum_crc32: input.checksum_crc32,
            checksum_crc32c: input.checksum_crc32c,
            checksum_crc64nvme: input.checksum_crc64nvme,
            checksum_sha1: input.checksum_sha1,
            checksum_sha256: input.checksum_sha256,
            checksum_type: None,
        };
        let claims = Claims::new(input.content_md5, claimed)?.with_trailers(&request.headers, request.trailing_headers);
        let (staged, digested) = spool::receive(&self.bodies, input.body, &claims).await?;
        let part =
            self.keep_part(PartPath { bucket: input.bucket, key: input.key, id, number }, staged, digested.md5).await?;
        Ok(UploadPartOutput {
            e_tag: Some(ETag::Strong(part.etag)),
            checksum_crc32: digested.checksum.checksum_crc32,
            checksum_crc32c: digested.checksum.checksum_crc32c,
            checksum_crc64nvme: digested.checksum.checksum_crc64nvme,
            checksum_sha1: digested.checksum.checksum_sha1,
            checksum_sha256: digested.checksum.checksum_sha256,
            ..UploadPartOutput::default()
        })
    }

    /// A part that is a range of an object. Its bytes are copied, as completion joins parts by copying anyway.
    pub(crate) async fn copy_part(&self, request: S3Request<UploadPartCopyInput>) -> S3Result<UploadPartCopyOutput> {
        let (bucket, key) = copy::source(&request.headers)?;
        let input = request.input;
        let (id, number) = (upload_id(&input.upload_id)?, part_number(input.part_number)?);
        let range = input.copy_source_range.as_deref().map(Range::parse).transpose();
        let asked = GetObjectInput {
            bucket,
            key,
            range: range.map_err(|_| S3ErrorCode::InvalidArgument)?,
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
            ..GetObjectInput::default()
        };
        let source = self.get(asked).await?;
        let (staged, digested) = spool::receive(&self.bodies, source.body, &Claims::default()).await?;
        let part =
            self.keep_part(PartPath { bucket: input.bucket, key: input.key, id, number }, staged, digested.md5).await?;
        let result = CopyPartResult {
            e_tag: Some(ETag::Strong(part.etag)),
            last_modified: Some(clock::timestamp(part.modified_ms)),
            ..CopyPartResult::default()
        };
        Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() })
    }

    async fn keep_part(&self, path: PartPath, staged: Staged, md5: [u8; 16]) -> Result<Part, Fault> {
        let part = Part { etag: hex::encode(md5), size: staged.size, modified_ms: clock::now_ms(), body: staged.id };
        let kept = part.clone();
        self.write(move |tables| {
            let PartPath { bucket, key, id, number } = &path;
            tables.require_bucket(bucket)?;
            tables.upload(UploadPath { bucket, key: key.as_bytes(), id: *id })?;
            tables.put_body(staged)?;
            tables.put_part(*id, *number, &kept)
        })
        .await?;
        Ok(part)
    }

    pub(crate) async fn abort_upload(&self, input: AbortMultipartUploadInput) -> Result<(), Fault> {
        let id = upload_id(&input.upload_id)?;
        self.write(move |tables| {
            let path = UploadPath { bucket: &input.bucket, key: input.key.as_bytes(), id };
            tables.require_bucket(&input.bucket)?;
            tables.upload(path)?;
            tables.remove_upload(path)
        })
        .await
    }

    pub(crate) async fn complete_upload(
        &self,
        mut input: CompleteMultipartUploadInput,
    ) -> Result<CompleteMultipartUploadOutput, Fault> {
        let id = upload_id(&input.upload_id)?;
        let named = input.multipart_upload.take().and_then(|upload| upload.parts).unwrap_or_default();
        let claims = claims(&mut input)?;
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let (upload, stored) = self
            .read(move |snapshot| {
                snapshot.require_bucket(&bucket)?;
                let upload = snapshot.upload(UploadPath { bucket: &bucket, key: key.as_bytes(), id })?;
                Ok((upload, snapshot.parts(id)?))
            })
            .await?;
        let assembly = Assembly::of(&stored, &named)?;
        if input.mpu_object_size.is_some_and(|claimed| u64::try_from(claimed) != Ok(assembly.size())) {
            return Err(S3ErrorCode::InvalidRequest.into());
        }
        let etag = assembly.etag()?;
        let staged = self.join(assembly.clone(), claims).await?;
        let publication = Publication {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            etag: etag.clone(),
            headers: upload.headers,
            condition: OnWrite { if_match: input.if_match, if_none_match: input.if_none_match },
        };
        self.write(move |tables| {
            let (bucket, key) = (publication.bucket.clone(), publication.key.clone());
            let path = UploadPath { bucket: &bucket, key: key.as_bytes(), id };
            tables.upload(path)?;
            assembly.require_unchanged(&tables.parts(id)?)?;
            publication.publish(tables, staged)?;
            tables.remove_upload(path)
        })
        .await?;
        Ok(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(etag)),
            ..CompleteMultipartUploadOutput::default()
        })
    }

    /// Joins the parts outside any transaction: a large object may take seconds, and others are writing.
    async fn join(&self, assembly: Assembly, claims: Claims) -> Result<Staged, Fault> {
        let (bodies, ids) = (Arc::clone(&self.bodies), assembly.bodies());
        let inline = self.read(move |snapshot| ids.into_iter().map(|id| snapshot.inline_body(id)).collect()).await?;
        blocking::run(move || assembly.join(&bodies, inline, &claims)).await
    }
}

fn claims(input: &mut CompleteMultipartUploadInput) -> Result<Claims, Fault> {
    let claimed = Checksum {
        checksum_crc32: input.checksum_crc32.take(),
        checksum_crc32c: input.checksum_crc32c.take(),
        checksum_crc64nvme: input.checksum_crc64nvme.take(),
        checksum_sha1: input.checksum_sha1.take(),
        checksum_sha256: input.checksum_sha256.take(),
        checksum_type: None,
    };
    let claims = Claims::new(None, claimed)?;
    if claims.has_composite() { Err(S3ErrorCode::NotImplemented.into()) } else { Ok(claims) }
}
