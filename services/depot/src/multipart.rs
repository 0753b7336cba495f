//! Multipart uploads: parts are bodies of their own, and completion joins them into one body published like a put.

use std::io::{self, Read as _};
use std::sync::Arc;

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, Checksum, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
    CopyPartResult, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, GetObjectInput, Range,
    UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3ErrorCode, S3Request, S3Result};
use uuid::Uuid;

use crate::blocking;
use crate::bodies::Bodies;
use crate::clock;
use crate::condition::OnWrite;
use crate::copy;
use crate::digest::{Claims, Digest};
use crate::error::Fault;
use crate::headers;
use crate::object::Publication;
use crate::records::{Part, Upload};
use crate::spool::{self, Content, MAX_INLINE_BYTES, Staged};
use crate::store::Store;
use crate::tables::Place;

/// The limits of S3: the number of parts, and the size of every part but the last.
const MAX_PARTS: u32 = 10_000;
const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;

const COPY_BYTES: usize = 1024 * 1024;

pub(crate) fn upload_id(text: &str) -> Result<Uuid, Fault> {
    Uuid::try_parse(text).map_err(|_| S3ErrorCode::NoSuchUpload.into())
}

fn part_number(number: i32) -> Result<u32, Fault> {
    let number = u32::try_from(number).ok().filter(|number| (1..=MAX_PARTS).contains(number));
    number.ok_or_else(|| S3ErrorCode::InvalidArgument.into())
}

/// Where a part belongs.
struct PartPlace {
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
            tables.put_upload(Place { bucket: &bucket, key: key.as_bytes(), id }, &upload)
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
        let part = self
            .keep_part(PartPlace { bucket: input.bucket, key: input.key, id, number }, staged, digested.md5)
            .await?;
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
        let part = self
            .keep_part(PartPlace { bucket: input.bucket, key: input.key, id, number }, staged, digested.md5)
            .await?;
        let result = CopyPartResult {
            e_tag: Some(ETag::Strong(part.etag)),
            last_modified: Some(clock::timestamp(part.modified_ms)),
            ..CopyPartResult::default()
        };
        Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() })
    }

    async fn keep_part(&self, place: PartPlace, staged: Staged, md5: [u8; 16]) -> Result<Part, Fault> {
        let part = Part { etag: hex::encode(md5), size: staged.size, modified_ms: clock::now_ms(), body: staged.id };
        let kept = part.clone();
        self.write(move |tables| {
            let PartPlace { bucket, key, id, number } = &place;
            tables.require_bucket(bucket)?;
            tables.upload(Place { bucket, key: key.as_bytes(), id: *id })?;
            tables.put_body(staged)?;
            tables.put_part(*id, *number, &kept)
        })
        .await?;
        Ok(part)
    }

    pub(crate) async fn abort_upload(&self, input: AbortMultipartUploadInput) -> Result<(), Fault> {
        let id = upload_id(&input.upload_id)?;
        self.write(move |tables| {
            let place = Place { bucket: &input.bucket, key: input.key.as_bytes(), id };
            tables.require_bucket(&input.bucket)?;
            tables.upload(place)?;
            tables.remove_upload(place)
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
                let upload = snapshot.upload(Place { bucket: &bucket, key: key.as_bytes(), id })?;
                Ok((upload, snapshot.parts(id)?))
            })
            .await?;
        let chosen = choose(&stored, &named)?;
        let size: u64 = chosen.iter().map(|(_, part)| part.size).sum();
        if input.mpu_object_size.is_some_and(|claimed| u64::try_from(claimed) != Ok(size)) {
            return Err(S3ErrorCode::InvalidRequest.into());
        }
        let etag = composite_etag(&chosen)?;
        let staged = self.join(chosen.clone(), claims).await?;
        let publication = Publication {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            etag: etag.clone(),
            headers: upload.headers,
            condition: OnWrite { if_match: input.if_match, if_none_match: input.if_none_match },
        };
        self.write(move |tables| {
            let (bucket, key) = (publication.bucket.clone(), publication.key.clone());
            let place = Place { bucket: &bucket, key: key.as_bytes(), id };
            tables.upload(place)?;
            require_unchanged(&tables.parts(id)?, &chosen)?;
            publication.publish(tables, staged)?;
            tables.remove_upload(place)
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
    async fn join(&self, parts: Vec<(u32, Part)>, claims: Claims) -> Result<Staged, Fault> {
        let bodies = Arc::clone(&self.bodies);
        let ids: Vec<Uuid> = parts.iter().map(|(_, part)| part.body).collect();
        let inline = self.read(move |snapshot| ids.into_iter().map(|id| snapshot.inline_body(id)).collect()).await?;
        blocking::run(move || join(&bodies, &parts, inline, &claims)).await
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

/// The stored parts the client names, which must be in order, as it knows them, and large enough.
fn choose(stored: &[(u32, Part)], named: &[CompletedPart]) -> Result<Vec<(u32, Part)>, Fault> {
    let mut chosen: Vec<(u32, Part)> = Vec::with_capacity(named.len());
    for part in named {
        let number = part_number(part.part_number.unwrap_or_default())?;
        if chosen.last().is_some_and(|(last, _)| *last >= number) {
            return Err(S3ErrorCode::InvalidPartOrder.into());
        }
        let index =
            stored.binary_search_by_key(&number, |(number, _)| *number).map_err(|_| S3ErrorCode::InvalidPart)?;
        let (_, found) = &stored[index];
        if part.e_tag.as_ref().is_some_and(|etag| etag.value() != found.etag) {
            return Err(S3ErrorCode::InvalidPart.into());
        }
        chosen.push((number, found.clone()));
    }
    let Some((_, all_but_last)) = chosen.split_last() else { return Err(S3ErrorCode::MalformedXML.into()) };
    if all_but_last.iter().any(|(_, part)| part.size < MIN_PART_BYTES) {
        return Err(S3ErrorCode::EntityTooSmall.into());
    }
    Ok(chosen)
}

/// A part that was replaced while the parts were joined is not the one the client named.
fn require_unchanged(stored: &[(u32, Part)], chosen: &[(u32, Part)]) -> Result<(), Fault> {
    let is_there = |(number, part): &(u32, Part)| stored.iter().any(|(n, p)| n == number && p.body == part.body);
    if chosen.iter().all(is_there) { Ok(()) } else { Err(S3ErrorCode::InvalidPart.into()) }
}

fn composite_etag(parts: &[(u32, Part)]) -> Result<String, Fault> {
    let mut md5 = Md5::new();
    for (_, part) in parts {
        md5.update(&hex::decode(&part.etag).map_err(|_| S3ErrorCode::InternalError)?);
    }
    Ok(format!("{}-{}", hex::encode(md5.finalize()), parts.len()))
}

fn join(
    bodies: &Bodies,
    parts: &[(u32, Part)],
    inline: Vec<Option<Vec<u8>>>,
    claims: &Claims,
) -> Result<Staged, Fault> {
    let size: u64 = parts.iter().map(|(_, part)| part.size).sum();
    let mut digest = Digest::new(claims);
    let mut small = Vec::new();
    let mut draft = if size > MAX_INLINE_BYTES as u64 { Some(bodies.create().map_err(Fault::File)?) } else { None };
    let mut buffer = vec![0; COPY_BYTES];
    for ((_, part), inline) in parts.iter().zip(inline) {
        let mut source: Box<dyn io::Read> = match inline {
            Some(bytes) => Box::new(io::Cursor::new(bytes)),
            None => Box::new(bodies.open(part.body).map_err(gone)?),
        };
        loop {
            let count = source.read(&mut buffer).map_err(Fault::File)?;
            if count == 0 {
                break;
            }
            digest.update(&buffer[..count]);
            match &mut draft {
                Some(draft) => draft.write(&buffer[..count]).map_err(Fault::File)?,
                None => small.extend_from_slice(&buffer[..count]),
            }
        }
    }
    digest.finish(claims)?;
    Ok(match draft {
        Some(draft) => Staged { id: draft.id, size, content: Content::File(draft.finish().map_err(Fault::File)?) },
        None => Staged { id: Uuid::now_v7(), size, content: Content::Inline(small) },
    })
}

/// The upload was aborted, or a part replaced, since its parts were read.
fn gone(error: io::Error) -> Fault {
    if error.kind() == io::ErrorKind::NotFound { S3ErrorCode::NoSuchUpload.into() } else { Fault::File(error) }
}
