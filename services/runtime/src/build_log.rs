//! The log of a build: lines a launcher writes and anybody follows, addressed by byte offset so that a reader can
//! resume anywhere, in the stream or in the archive.

mod writer;

pub use writer::{Piece, Writer};

use crate::connection::Connection;
use crate::error::Error;
use crate::follow::Reader;
use crate::read;
use async_nats::HeaderMap;
use bytes::Bytes;
use events::{BuildId, subject};
use futures::{Stream, StreamExt, future};

const OFFSET: &str = "Pagefold-Offset";
/// Bytes in one message at most.
pub const CHUNK_MAX: usize = 32 << 10;
/// Bytes of one build's log at most; what a build writes beyond is dropped, and a line says how much that was.
pub const LOG_MAX: u64 = 8 << 20;
/// Bytes of [`LOG_MAX`] that no build fills, so that how it ended is always there.
pub const OWN_RESERVE: u64 = 64 << 10;
/// What every line of the platform's own begins with. Whoever writes a build's lines begins them otherwise.
pub const OWN_MARK: &str = "[pagefold] ";

/// A piece of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Where it begins, in bytes from the log's start.
    pub offset: u64,
    /// Whole lines, each with its newline; a line longer than [`CHUNK_MAX`] is spread over several chunks.
    pub text: Bytes,
}

impl Chunk {
    /// Where the next chunk begins.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + self.text.len() as u64
    }
}

/// What the stream holds of a build's log, from its start, no byte twice. Empty once it has aged out: then the archive
/// has it.
///
/// # Errors
/// [`Error`] if the log stream cannot be reached.
pub async fn read(connection: &Connection, build: BuildId) -> Result<Vec<Chunk>, Error> {
    let stored = read::subject_after(connection, subject::LOGS, &subject::logs(build), 0).await?;
    let mut end = 0;
    let news = |stored: read::Stored| advance(&mut end, chunk(&stored.headers, stored.payload));
    Ok(stored.into_iter().filter_map(news).collect())
}

/// Follows a build's log from `from` (a byte offset), for ever: the caller knows when the build has ended.
/// Interruptions are waited out.
///
/// # Errors
/// [`Error`] if the log stream cannot be reached now.
pub async fn follow(
    connection: &Connection,
    build: BuildId,
    from: u64,
) -> Result<impl Stream<Item = Chunk> + Send + Unpin + use<>, Error> {
    let reached = connection.jetstream.get_stream(subject::LOGS).await;
    reached.map_err(Error::unavailable("follow a build log"))?;
    let mut end = from;
    let reader = Reader::new(connection, subject::LOGS, subject::logs(build), 0);
    Ok(reader.messages().filter_map(move |delivered| {
        let headers = delivered.message.headers.clone().unwrap_or_default();
        future::ready(advance(&mut end, chunk(&headers, delivered.message.payload.clone())))
    }))
}

fn advance(end: &mut u64, chunk: Chunk) -> Option<Chunk> {
    let chunk = since(chunk, *end)?;
    *end = chunk.end();
    Some(chunk)
}

/// The part of `chunk` that begins at or after `from`, if there is one.
#[must_use]
pub fn since(chunk: Chunk, from: u64) -> Option<Chunk> {
    let skip = usize::try_from(from.saturating_sub(chunk.offset)).ok()?;
    (skip < chunk.text.len()).then(|| Chunk { offset: chunk.offset + skip as u64, text: chunk.text.slice(skip..) })
}

fn chunk(headers: &HeaderMap, text: Bytes) -> Chunk {
    let offset = headers.get(OFFSET).and_then(|value| value.as_str().parse().ok()).unwrap_or(0);
    Chunk { offset, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_resumes_inside_a_chunk() {
        let chunk = Chunk { offset: 10, text: Bytes::from_static(b"hello\n") };
        assert_eq!(since(chunk.clone(), 0), Some(chunk.clone()));
        assert_eq!(since(chunk.clone(), 12), Some(Chunk { offset: 12, text: Bytes::from_static(b"llo\n") }));
        assert_eq!(since(chunk, 16), None);
    }
}
