//! The log of a build: lines a launcher writes and anybody follows, addressed by byte offset so that a reader can
//! resume anywhere, in the stream or in the archive.

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

/// Writes one build's log. Lines are sent when a chunk is full or [`Writer::flush`] is called.
pub struct Writer {
    connection: Connection,
    subject: String,
    offset: u64,
    full: bool,
    dropped: Dropped,
    /// Sent without an answer: it may be stored, so it is sent again as it is, not with what came later.
    sending: Bytes,
    waiting: Vec<u8>,
}

/// What a build wrote that was not kept, since that was last said.
#[derive(Default)]
struct Dropped {
    lines: u64,
    bytes: u64,
}

impl Writer {
    /// Opens the log of `build` at its end: a second attempt goes on where the first stopped.
    ///
    /// # Errors
    /// [`Error`] if the log stream cannot be reached.
    pub async fn open(connection: &Connection, build: BuildId) -> Result<Self, Error> {
        let subject = subject::logs(build);
        let last = read::last_of(connection, subject::LOGS, &subject).await?;
        let offset = last.map_or(0, |stored| chunk(&stored.headers, stored.payload).end());
        let (full, dropped) = (offset >= LOG_MAX - OWN_RESERVE, Dropped::default());
        let (sending, waiting) = (Bytes::new(), Vec::new());
        Ok(Self { connection: connection.clone(), subject, offset, full, dropped, sending, waiting })
    }

    /// Adds a line of the build's, or counts it if its log is full.
    ///
    /// # Errors
    /// [`Error`] if a full chunk cannot be sent; the lines are kept and sent with the next.
    pub async fn line(&mut self, line: &str) -> Result<(), Error> {
        let length = line.len() as u64 + 1;
        if !self.full && self.end() + length <= LOG_MAX - OWN_RESERVE {
            return self.add(line).await;
        }
        self.dropped.lines += 1;
        self.dropped.bytes += length;
        if std::mem::replace(&mut self.full, true) {
            return Ok(());
        }
        let limit = LOG_MAX >> 20;
        self.add(&format!("{OWN_MARK}the log is longer than {limit} MiB; the rest of the build's lines is not kept"))
            .await
    }

    /// Adds a line of the platform's own, which has its mark. However long the build's output is, there is room for it.
    ///
    /// # Errors
    /// [`Error`] if a full chunk cannot be sent; the lines are kept and sent with the next.
    pub async fn own_line(&mut self, line: &str) -> Result<(), Error> {
        let Dropped { lines, bytes } = std::mem::take(&mut self.dropped);
        if lines == 0 {
            return self.add(line).await;
        }
        let noun = if lines == 1 { "line" } else { "lines" };
        let told = self.add(&format!("{OWN_MARK}not kept: {lines} {noun} of the build, {bytes} bytes")).await;
        told.and(self.add(line).await)
    }

    async fn add(&mut self, line: &str) -> Result<(), Error> {
        // Nothing is lost by an error here: this line waits as well.
        let sent = if self.waiting.len() + line.len() >= CHUNK_MAX { self.flush().await } else { Ok(()) };
        self.waiting.extend_from_slice(line.as_bytes());
        self.waiting.push(b'\n');
        sent
    }

    /// Where the log ends once everything is sent.
    fn end(&self) -> u64 {
        self.offset + (self.sending.len() + self.waiting.len()) as u64
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// [`Error`] if it cannot be sent; it is kept.
    pub async fn flush(&mut self) -> Result<(), Error> {
        loop {
            if self.sending.is_empty() {
                let rest = self.waiting.split_off(self.waiting.len().min(CHUNK_MAX));
                self.sending = std::mem::replace(&mut self.waiting, rest).into();
            }
            if self.sending.is_empty() {
                return Ok(());
            }
            self.send().await?;
            self.offset += self.sending.len() as u64;
            self.sending.clear();
        }
    }

    async fn send(&self) -> Result<(), Error> {
        let mut headers = HeaderMap::new();
        headers.insert(OFFSET, self.offset.to_string());
        // A repeated send of the same chunk is stored once.
        headers.insert("Nats-Msg-Id", format!("{}@{}", self.subject, self.offset));
        let jetstream = &self.connection.jetstream;
        let sent = jetstream.publish_with_headers(self.subject.clone(), headers, self.sending.clone()).await;
        let doing = "write a build log";
        sent.map_err(Error::unavailable(doing))?.await.map_err(Error::unavailable(doing))?;
        Ok(())
    }

    /// Bytes sent so far.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
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
