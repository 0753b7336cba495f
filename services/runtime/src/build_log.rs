//! The log of a build: lines a launcher writes and anybody follows, addressed by byte offset so that a reader can
//! resume anywhere, in the stream or in the archive.

use crate::connection::Connection;
use crate::error::Error;
use crate::read;
use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use bytes::Bytes;
use events::{BuildId, subject};
use futures::{Stream, StreamExt, stream};

const OFFSET: &str = "Pagefold-Offset";
/// Bytes in one message at most.
pub const CHUNK_MAX: usize = 32 << 10;
/// Bytes of one build's log at most; what comes after is dropped, with a last line that says so.
pub const LOG_MAX: u64 = 8 << 20;

/// A piece of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Where it begins, in bytes from the log's start.
    pub offset: u64,
    /// Whole lines, each with its newline.
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
    waiting: Vec<u8>,
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
        Ok(Self { connection: connection.clone(), subject, offset, full: offset >= LOG_MAX, waiting: Vec::new() })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// [`Error`] if a full chunk cannot be sent; the lines are kept and sent with the next.
    pub async fn line(&mut self, line: &str) -> Result<(), Error> {
        if self.full {
            return Ok(());
        }
        if self.offset + (self.waiting.len() + line.len()) as u64 > LOG_MAX {
            self.full = true;
            self.waiting.extend_from_slice(b"[pagefold] the log is longer than 8 MiB; the rest is not kept\n");
            return self.flush().await;
        }
        if self.waiting.len() + line.len() >= CHUNK_MAX {
            self.flush().await?;
        }
        self.waiting.extend_from_slice(line.as_bytes());
        self.waiting.push(b'\n');
        Ok(())
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// [`Error`] if it cannot be sent; it is kept.
    pub async fn flush(&mut self) -> Result<(), Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut headers = HeaderMap::new();
        headers.insert(OFFSET, self.offset.to_string());
        // A repeated send of the same chunk is stored once.
        headers.insert("Nats-Msg-Id", format!("{}@{}", self.subject, self.offset));
        let text = Bytes::copy_from_slice(&self.waiting);
        let doing = "write a build log";
        let jetstream = &self.connection.jetstream;
        let sent = jetstream.publish_with_headers(self.subject.clone(), headers, text).await;
        sent.map_err(Error::unavailable(doing))?.await.map_err(Error::unavailable(doing))?;
        self.offset += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Bytes sent so far.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }
}

/// What the stream holds of a build's log, from its start. Empty once it has aged out: then the archive has it.
///
/// # Errors
/// [`Error`] if the log stream cannot be reached.
pub async fn read(connection: &Connection, build: BuildId) -> Result<Vec<Chunk>, Error> {
    let stored = read::subject_after(connection, subject::LOGS, (&subject::logs(build), 0)).await?;
    Ok(stored.into_iter().map(|stored| chunk(&stored.headers, stored.payload)).collect())
}

/// Follows a build's log from `from` (a byte offset), for ever: the caller knows when the build has ended.
///
/// # Errors
/// [`Error`] if the log stream cannot be reached.
pub async fn follow(
    connection: &Connection,
    build: BuildId,
    from: u64,
) -> Result<impl Stream<Item = Chunk> + Send + Unpin + use<>, Error> {
    let doing = "follow a build log";
    let logs = connection.jetstream.get_stream_no_info(subject::LOGS).await.map_err(Error::unavailable(doing))?;
    let config = pull::OrderedConfig {
        filter_subject: subject::logs(build),
        deliver_policy: DeliverPolicy::All,
        ..pull::OrderedConfig::default()
    };
    let consumer = logs.create_consumer(config).await.map_err(Error::unavailable(doing))?;
    let messages = consumer.messages().await.map_err(Error::unavailable(doing))?;
    let chunks = stream::unfold((messages, from), |(mut messages, from)| async move {
        loop {
            let Ok(message) = messages.next().await? else { continue };
            let headers = message.headers.clone().unwrap_or_default();
            if let Some(chunk) = since(chunk(&headers, message.payload.clone()), from) {
                let end = chunk.end();
                return Some((chunk, (messages, end)));
            }
        }
    });
    Ok(Box::pin(chunks))
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
