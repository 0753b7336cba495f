//! A build's log from any byte offset, wherever it lies: in the log stream while it is fresh, in the archive afterwards.

use crate::problem::Problem;
use crate::server::Shared;
use bytes::Bytes;
use events::{Build, BuildId, Refusal};
use futures::StreamExt;
use projections::builds::State;
use runtime::build_log::{self, CHUNK_MAX, Chunk};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// How often a follower looks whether the build has ended.
const END_POLL: Duration = Duration::from_millis(500);
/// Pieces a slow reader may have waiting.
const WAITING_MAX: usize = 16;

/// What a follower is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// More of the log.
    Text(Chunk),
    /// All of the log was told, and this is how the build ended.
    End(State),
}

/// How the build ended, if it has.
pub(crate) async fn ended(app: &Shared, build: BuildId) -> Result<Option<State>, Problem> {
    match app.log.load::<Build>(&build.to_string()).await?.state {
        Build::Unknown => Err(Refusal::BuildNotFound.into()),
        Build::Requested { .. } | Build::Open(..) => Ok(None),
        Build::Ended { outcome, .. } => Ok(Some(outcome.map_or(State::Canceled, State::from))),
    }
}

/// All there is of the log from byte `from` on. Where the stream no longer reaches back to `from`, the archive does.
pub(crate) async fn rest(app: &Shared, build: BuildId, from: u64) -> Result<Vec<Chunk>, Problem> {
    let held = build_log::read(app.log.connection(), build).await?;
    if held.first().is_some_and(|first| first.offset <= from) {
        return Ok(held.into_iter().filter_map(|chunk| build_log::since(chunk, from)).collect());
    }
    match app.logs.get_log(&storage::keys::log(build), from).await? {
        Some(text) => Ok(pieces(text, from)),
        None => Ok(held),
    }
}

/// Follows the log from byte `from` until it is told to its end, the reader leaves, or the server stops.
pub(crate) async fn follow(app: &Shared, build: BuildId, from: u64) -> Result<ReceiverStream<Piece>, Problem> {
    ended(app, build).await?;
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let app = Shared::clone(app);
    tokio::spawn(async move {
        let stop = app.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = sender.closed() => {}
            told = tell(&app, build, (from, &sender)) => {
                if let Err(problem) = told {
                    tracing::warn!(%build, error = &problem as &dyn std::error::Error, "a follower lost its build log");
                }
            }
        }
    });
    Ok(ReceiverStream::new(receiver))
}

/// An interruption ends the stream; the reader comes back with the offset it has.
async fn tell(app: &Shared, build: BuildId, (mut at, to): (u64, &mpsc::Sender<Piece>)) -> Result<(), Problem> {
    let mut news = build_log::follow(app.log.connection(), build, at).await?;
    let mut looks = tokio::time::interval(END_POLL);
    loop {
        tokio::select! {
            _ = looks.tick() => {
                let Some(state) = ended(app, build).await? else { continue };
                for chunk in rest(app, build, at).await? {
                    let _ = to.send(Piece::Text(chunk)).await;
                }
                let _ = to.send(Piece::End(state)).await;
                return Ok(());
            }
            chunk = news.next() => {
                let Some(chunk) = chunk else { return Ok(()) };
                at = chunk.end();
                let _ = to.send(Piece::Text(chunk)).await;
            }
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
