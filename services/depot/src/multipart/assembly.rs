//! The object that parts make together, in the order in which the client names them.

use std::io::{self, Read};

use s3s::S3ErrorCode;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::CompletedPart;
use uuid::Uuid;

use super::part_number;
use crate::bodies::Bodies;
use crate::digest::{Claims, Digest};
use crate::error::Fault;
use crate::records::NumberedPart;
use crate::spool::{Content, MAX_INLINE_BYTES, Staged};

/// What S3 asks of every part but the last.
const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
const COPY_BYTES: usize = 1024 * 1024;

#[derive(Clone)]
pub(super) struct Assembly(Vec<NumberedPart>);

impl Assembly {
    /// The stored parts the client names, which must be in order, as it knows them, and large enough.
    pub(super) fn of(stored: &[NumberedPart], named: &[CompletedPart]) -> Result<Self, Fault> {
        let mut chosen: Vec<NumberedPart> = Vec::with_capacity(named.len());
        for part in named {
            let number = part_number(part.part_number.unwrap_or_default())?;
            if chosen.last().is_some_and(|last| last.number >= number) {
                return Err(S3ErrorCode::InvalidPartOrder.into());
            }
            let index =
                stored.binary_search_by_key(&number, |stored| stored.number).map_err(|_| S3ErrorCode::InvalidPart)?;
            let found = &stored[index];
            if part.e_tag.as_ref().is_some_and(|etag| etag.value() != found.part.etag) {
                return Err(S3ErrorCode::InvalidPart.into());
            }
            chosen.push(found.clone());
        }
        let Some((_, all_but_last)) = chosen.split_last() else { return Err(S3ErrorCode::MalformedXML.into()) };
        if all_but_last.iter().any(|chosen| chosen.part.size < MIN_PART_BYTES) {
            return Err(S3ErrorCode::EntityTooSmall.into());
        }
        Ok(Self(chosen))
    }

    /// Where the bytes of its parts are.
    pub(super) fn bodies(&self) -> Vec<Uuid> {
        self.0.iter().map(|chosen| chosen.part.body).collect()
    }

    pub(super) fn size(&self) -> u64 {
        self.0.iter().map(|chosen| chosen.part.size).sum()
    }

    /// The digest of its parts' digests, and how many these are.
    pub(super) fn etag(&self) -> Result<String, Fault> {
        let mut md5 = Md5::new();
        for chosen in &self.0 {
            md5.update(&hex::decode(&chosen.part.etag).map_err(|_| S3ErrorCode::InternalError)?);
        }
        Ok(format!("{}-{}", hex::encode(md5.finalize()), self.0.len()))
    }

    /// A part that was replaced while the parts were joined is not the one the client named.
    pub(super) fn require_unchanged(&self, stored: &[NumberedPart]) -> Result<(), Fault> {
        let is_same = |stored: &NumberedPart, chosen: &NumberedPart| {
            stored.number == chosen.number && stored.part.body == chosen.part.body
        };
        let is_there = |chosen: &NumberedPart| stored.iter().any(|stored| is_same(stored, chosen));
        if self.0.iter().all(is_there) { Ok(()) } else { Err(S3ErrorCode::InvalidPart.into()) }
    }

    /// Copies the parts one behind another. `inline` has the bytes of those that lie in the index.
    pub(super) fn join(&self, bodies: &Bodies, inline: Vec<Option<Vec<u8>>>, claims: &Claims) -> Result<Staged, Fault> {
        let size = self.size();
        let mut digest = Digest::new(claims);
        let mut small = Vec::new();
        let mut draft = if size > MAX_INLINE_BYTES as u64 { Some(bodies.create().map_err(Fault::File)?) } else { None };
        let mut buffer = vec![0; COPY_BYTES];
        for (chosen, inline) in self.0.iter().zip(inline) {
            let mut source: Box<dyn Read> = match inline {
                Some(bytes) => Box::new(io::Cursor::new(bytes)),
                None => Box::new(bodies.open(chosen.part.body).map_err(gone)?),
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
}

/// The upload was aborted, or a part replaced, since its parts were read.
fn gone(error: io::Error) -> Fault {
    if error.kind() == io::ErrorKind::NotFound { S3ErrorCode::NoSuchUpload.into() } else { Fault::File(error) }
}
