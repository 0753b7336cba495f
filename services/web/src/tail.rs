//! A build's log from any byte offset, wherever it lies: in the log stream while it is fresh, in the archive afterwards.

use crate::news::News;
use crate::problem::Problem;
use bytes::Bytes;
use events::{Build, BuildId, Refusal};
use futures::{StreamExt, future};
use projections::builds::State;
use runtime::Log;
use runtime::build_log::{self, CHUNK_MAX, Chunk};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use storage::PlatformBucket;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

/// Pieces a slow reader may have waiting.
const WAITING_MAX: usize = 16;

/// What a follower is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// More of the log.
    Text(Chunk),
    /// All of the log was told, and this is how the build ended.
    End(State),
}

/// Reads build logs. Whoever follows the same build shares one reader of the log.
#[derive(Clone)]
pub(crate) struct Tails(Arc<Parts>);

struct Parts {
    log: Log,
    archive: PlatformBucket,
    news: News,
    stop: CancellationToken,
    /// The readers of build logs that are followed now.
    open: Mutex<HashMap<BuildId, broadcast::Sender<Piece>>>,
}

impl Tails {
    pub(crate) fn new(log: Log, archive: PlatformBucket, news: News, stop: CancellationToken) -> Self {
        Self(Arc::new(Parts { log, archive, news, stop, open: Mutex::default() }))
    }

    /// How the build ended, if it has.
    pub(crate) async fn ended(&self, build: BuildId) -> Result<Option<State>, Problem> {
        match self.0.log.load::<Build>(&build.to_string()).await?.state {
            Build::Unknown => Err(Refusal::BuildNotFound.into()),
            Build::Requested { .. } | Build::Open(..) => Ok(None),
            Build::Ended { outcome, .. } => Ok(Some(outcome.map_or(State::Canceled, State::from))),
        }
    }

    /// All there is of the log from byte `from` on. Where the stream no longer reaches back to `from`, the archive does.
    pub(crate) async fn rest(&self, build: BuildId, from: u64) -> Result<Vec<Chunk>, Problem> {
        let held = build_log::read(self.0.log.connection(), build).await?;
        if held.first().is_some_and(|first| first.offset <= from) {
            return Ok(held.into_iter().filter_map(|chunk| build_log::since(chunk, from)).collect());
        }
        match self.0.archive.get_log(&storage::keys::log(build), from).await? {
            Some(text) => Ok(pieces(text, from)),
            None => Ok(held),
        }
    }

    /// Follows the log from byte `from` until it is told to its end, the reader leaves, or the server stops.
    pub(crate) async fn follow(&self, build: BuildId, from: u64) -> Result<ReceiverStream<Piece>, Problem> {
        self.ended(build).await?;
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let tails = self.clone();
        tokio::spawn(async move {
            let follower = Follower { at: from, to: sender.clone(), build };
            tokio::select! {
                () = sender.closed() => {}
                told = follower.run(&tails) => {
                    if let Err(problem) = told {
                        tracing::warn!(%build, error = &problem as &dyn std::error::Error, "a follower lost its build log");
                    }
                }
            }
        });
        Ok(ReceiverStream::new(receiver))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<BuildId, broadcast::Sender<Piece>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that the build's reader finds from now on.
    fn hear(&self, build: BuildId) -> broadcast::Receiver<Piece> {
        let mut open = self.open();
        if let Some(reader) = open.get(&build) {
            return reader.subscribe();
        }
        let (said, heard) = broadcast::channel(WAITING_MAX);
        open.insert(build, said.clone());
        tokio::spawn(self.clone().share(build, said));
        heard
    }

    /// Reads for all followers of a build until it has ended, nobody follows it any more, or the server stops.
    async fn share(self, build: BuildId, said: broadcast::Sender<Piece>) {
        tokio::select! {
            () = self.0.stop.cancelled() => {}
            () = said.closed() => {}
            told = self.tell(build, &said) => {
                if let Err(problem) = told {
                    tracing::warn!(%build, error = &problem as &dyn std::error::Error, "followers lost a build log");
                }
            }
        }
        self.open().remove(&build);
    }

    async fn tell(&self, build: BuildId, said: &broadcast::Sender<Piece>) -> Result<(), Problem> {
        let newest = self.0.log.last_sequence().await?;
        let mut lines = build_log::follow(self.0.log.connection(), build, 0).await?;
        let subject = build.to_string();
        let mut facts = pin!(self.0.news.after(newest).filter(|fact| {
            future::ready(matches!(fact.event, events::Event::Build(_)) && fact.envelope.subject == subject)
        }));
        loop {
            if let Some(state) = self.ended(build).await? {
                let _ = said.send(Piece::End(state));
                return Ok(());
            }
            // Any fact of the build may be its end.
            loop {
                tokio::select! {
                    Some(_) = facts.next() => break,
                    Some(chunk) = lines.next() => drop(said.send(Piece::Text(chunk))),
                    else => return Ok(()),
                }
            }
        }
    }
}

/// One who follows. An interruption ends the stream; the reader comes back with the offset it has.
struct Follower {
    build: BuildId,
    /// How far it was told.
    at: u64,
    to: mpsc::Sender<Piece>,
}

impl Follower {
    async fn run(mut self, tails: &Tails) -> Result<(), Problem> {
        // First the ear, then what is there already: nothing falls between.
        let mut heard = tails.hear(self.build);
        self.catch_up(tails).await?;
        loop {
            match heard.recv().await {
                Ok(Piece::Text(chunk)) if chunk.offset <= self.at => self.text(chunk).await,
                Ok(Piece::Text(_)) | Err(RecvError::Lagged(_)) => self.catch_up(tails).await?,
                Ok(end @ Piece::End(_)) => {
                    self.catch_up(tails).await?;
                    let _ = self.to.send(end).await;
                    return Ok(());
                }
                Err(RecvError::Closed) => return Ok(()),
            }
        }
    }

    async fn catch_up(&mut self, tails: &Tails) -> Result<(), Problem> {
        for chunk in tails.rest(self.build, self.at).await? {
            self.text(chunk).await;
        }
        Ok(())
    }

    async fn text(&mut self, chunk: Chunk) {
        if let Some(news) = build_log::since(chunk, self.at) {
            self.at = news.end();
            let _ = self.to.send(Piece::Text(news)).await;
        }
    }
}

/// Cuts an archived log as a launcher would have: after whole lines where there are any.
fn pieces(mut text: Bytes, from: u64) -> Vec<Chunk> {
    let (mut offset, mut pieces) = (from, Vec::new());
    while !text.is_empty() {
        let most = text.len().min(CHUNK_MAX);
        let cut = match text[..most].iter().rposition(|byte| *byte == b'\n') {
            Some(newline) if most < text.len() => newline + 1,
            Some(_) | None => most,
        };
        let piece = text.split_to(cut);
        let end = offset + piece.len() as u64;
        pieces.push(Chunk { offset, text: piece });
        offset = end;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archived_log_is_cut_after_lines_and_loses_nothing() {
        let line = format!("{}\n", "x".repeat(99));
        let text = Bytes::from(line.repeat(1000));
        let pieces = pieces(text.clone(), 500);
        assert!(pieces.iter().all(|piece| piece.text.len() <= CHUNK_MAX && piece.text.ends_with(b"\n")));
        assert!(pieces.windows(2).all(|pair| pair[0].end() == pair[1].offset));
        assert_eq!((pieces[0].offset, pieces.last().unwrap().end()), (500, 500 + text.len() as u64));
    }

    #[test]
    fn a_line_without_an_end_is_cut_too() {
        let pieces = pieces(Bytes::from(vec![b'x'; CHUNK_MAX + 1]), 0);
        assert_eq!(pieces.iter().map(|piece| piece.text.len()).collect::<Vec<_>>(), [CHUNK_MAX, 1]);
    }
}
