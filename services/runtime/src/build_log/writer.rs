//! The writing of a build's log, which nobody else writes.

use super::{CHUNK_MAX, LOG_MAX, OFFSET, OWN_MARK, OWN_RESERVE, chunk};
use crate::connection::Connection;
use crate::error::Error;
use crate::read;
use async_nats::HeaderMap;
use bytes::Bytes;
use events::{BuildId, subject};

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
