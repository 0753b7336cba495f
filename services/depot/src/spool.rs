//! Takes an arriving body: a small one stays in memory and goes into the index, a larger one streams into a file.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use s3s::S3ErrorCode;
use s3s::dto::StreamingBlob;
use uuid::Uuid;

use crate::blocking;
use crate::bodies::{Bodies, Draft, Guard};
use crate::digest::{Claims, Digest, Digested};
use crate::error::Fault;

/// A body of this size or less lies in the index, where one commit makes many of them durable.
pub(crate) const MAX_INLINE_BYTES: usize = 16 * 1024;

/// How much is gathered before a trip to the thread that writes and hashes.
const BATCH_BYTES: usize = 1024 * 1024;

/// The limit of S3 on one upload that is not multipart, and on one part.
const MAX_PUT_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// A client that sends nothing for this long gives its place to another.
const STALL: Duration = Duration::from_secs(60);

/// A durable or in-memory body that no record names yet.
pub(crate) struct Staged {
    pub id: Uuid,
    pub size: u64,
    pub content: Content,
}

pub(crate) enum Content {
    Inline(Vec<u8>),
    File(Guard),
}

struct Spool {
    bodies: Arc<Bodies>,
    digest: Digest,
    pending: Vec<Bytes>,
    pending_bytes: usize,
    size: u64,
    draft: Option<Draft>,
}

/// Receives a whole body and checks it against `claims`.
pub(crate) async fn receive(
    bodies: &Arc<Bodies>,
    body: Option<StreamingBlob>,
    claims: &Claims,
) -> Result<(Staged, Digested), Fault> {
    let mut spool = Spool {
        bodies: Arc::clone(bodies),
        digest: Digest::new(claims),
        pending: Vec::new(),
        pending_bytes: 0,
        size: 0,
        draft: None,
    };
    if let Some(mut stream) = body {
        while let Some(chunk) = next(&mut stream).await? {
            spool.take(chunk)?;
            if spool.pending_bytes >= BATCH_BYTES {
                spool = blocking::run(move || spool.flush()).await?;
            }
        }
    }
    spool.finish(claims).await
}

async fn next(stream: &mut StreamingBlob) -> Result<Option<Bytes>, Fault> {
    let chunk = tokio::time::timeout(STALL, stream.next()).await.map_err(|_| S3ErrorCode::RequestTimeout)?;
    Ok(chunk.transpose().map_err(|error| {
        tracing::debug!(%error, "body did not arrive whole");
        S3ErrorCode::IncompleteBody
    })?)
}

impl Spool {
    fn take(&mut self, chunk: Bytes) -> Result<(), Fault> {
        self.size += chunk.len() as u64;
        if self.size > MAX_PUT_BYTES {
            return Err(S3ErrorCode::EntityTooLarge.into());
        }
        self.pending_bytes += chunk.len();
        self.pending.push(chunk);
        Ok(())
    }

    fn flush(mut self) -> Result<Self, Fault> {
        let mut draft = match self.draft.take() {
            Some(draft) => draft,
            None => self.bodies.create().map_err(Fault::File)?,
        };
        for chunk in self.pending.drain(..) {
            self.digest.update(&chunk);
            draft.write(&chunk).map_err(Fault::File)?;
        }
        self.pending_bytes = 0;
        self.draft = Some(draft);
        Ok(self)
    }

    async fn finish(mut self, claims: &Claims) -> Result<(Staged, Digested), Fault> {
        if self.draft.is_some() || self.pending_bytes > MAX_INLINE_BYTES {
            self = blocking::run(move || self.flush()).await?;
        }
        for chunk in &self.pending {
            self.digest.update(chunk);
        }
        // The digests decide before the file takes its place, so a wrong body costs no durable write.
        let digested = self.digest.finish(claims)?;
        let staged = match self.draft {
            Some(draft) => {
                let id = draft.id;
                let guard = blocking::run(move || draft.finish().map_err(Fault::File)).await?;
                Staged { id, size: self.size, content: Content::File(guard) }
            }
            None => Staged { id: Uuid::now_v7(), size: self.size, content: Content::Inline(self.pending.concat()) },
        };
        Ok((staged, digested))
    }
}
