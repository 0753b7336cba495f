//! The writing of a build's log, which nobody else writes.

use super::{CHUNK_MAX, LOG_MAX, OFFSET, OWN_MARK, OWN_RESERVE, chunk};
use crate::connection::Connection;
use crate::error::Error;
use crate::read;
use async_nats::HeaderMap;
use bytes::Bytes;
use events::{BuildId, subject};

/// Writes one build's log. Lines are taken without waiting for the log; they are sent by [`Writer::flush`], or piece by piece
/// with [`Writer::next_piece`], so that a log that does not answer keeps nobody from adding to it.
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
    pub fn line(&mut self, line: &str) {
        let length = line.len() as u64 + 1;
        if !self.full && self.end() + length <= LOG_MAX - OWN_RESERVE {
            return self.add(line);
        }
        self.dropped.lines += 1;
        self.dropped.bytes += length;
        if std::mem::replace(&mut self.full, true) {
            return;
        }
        let limit = LOG_MAX >> 20;
        self.add(&format!("{OWN_MARK}the log is longer than {limit} MiB; the rest of the build's lines is not kept"));
    }

    /// Adds a line of the platform's own, which has its mark. However long the build's output is, there is room for it.
    pub fn own_line(&mut self, line: &str) {
        let Dropped { lines, bytes } = std::mem::take(&mut self.dropped);
        if lines > 0 {
            let noun = if lines == 1 { "line" } else { "lines" };
            self.add(&format!("{OWN_MARK}not kept: {lines} {noun} of the build, {bytes} bytes"));
        }
        self.add(line);
    }

    fn add(&mut self, line: &str) {
        self.waiting.extend_from_slice(line.as_bytes());
        self.waiting.push(b'\n');
    }

    /// Whether a whole message waits: whoever can, lets the build wait now.
    #[must_use]
    pub const fn is_behind(&self) -> bool {
        self.waiting.len() >= CHUNK_MAX
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
        while let Some(piece) = self.next_piece() {
            piece.send().await?;
            self.sent();
        }
        Ok(())
    }

    /// What is to be sent next: whole lines, [`CHUNK_MAX`] bytes at most. It is the same until [`Writer::sent`] says that it
    /// arrived.
    pub fn next_piece(&mut self) -> Option<Piece> {
        if self.sending.is_empty() {
            let rest = self.waiting.split_off(message(&self.waiting));
            self.sending = std::mem::replace(&mut self.waiting, rest).into();
        }
        let (connection, subject) = (self.connection.clone(), self.subject.clone());
        let piece = Piece { connection, subject, offset: self.offset, text: self.sending.clone() };
        (!self.sending.is_empty()).then_some(piece)
    }

    /// The last piece is in the log.
    pub fn sent(&mut self) {
        self.offset += self.sending.len() as u64;
        self.sending.clear();
    }

    /// Bytes sent so far.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }
}

/// A piece of the log on its way.
pub struct Piece {
    connection: Connection,
    subject: String,
    offset: u64,
    text: Bytes,
}

impl Piece {
    /// Sends it. A piece that is sent again is stored once.
    ///
    /// # Errors
    /// [`Error`] if the log does not say that it has it.
    pub async fn send(self) -> Result<(), Error> {
        let mut headers = HeaderMap::new();
        headers.insert(OFFSET, self.offset.to_string());
        headers.insert("Nats-Msg-Id", format!("{}@{}", self.subject, self.offset));
        let jetstream = &self.connection.jetstream;
        let sent = jetstream.publish_with_headers(self.subject, headers, self.text).await;
        let doing = "write a build log";
        sent.map_err(Error::unavailable(doing))?.await.map_err(Error::unavailable(doing))?;
        Ok(())
    }
}

/// How much of what waits goes into one message: lines that are whole, or as much as fits of one that is too long.
fn message(waiting: &[u8]) -> usize {
    let fits = waiting.len().min(CHUNK_MAX);
    waiting[..fits].iter().rposition(|byte| *byte == b'\n').map_or(fits, |newline| newline + 1)
}
