//! The log of a build: what there is of it, or all of it as it is written.

use super::extract::{Asked, Named};
use crate::app::App;
use crate::problem::Problem;
use crate::sessions::Visit;
use crate::streams::{self, Seat};
use crate::tail::Piece;
use crate::view::View;
use axum::Extension;
use axum::body::Body;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use events::BuildId;
use futures::StreamExt;
use http::{HeaderMap, header};
use runtime::build_log::Chunk;
use serde::Deserialize;
use std::convert::Infallible;
use utoipa::IntoParams;

const PLAIN: &str = "text/plain; charset=utf-8";

/// Which part of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// `1` or `true` waits for more until the build has ended.
    follow: Option<String>,
    /// Only from this byte on; 0 if absent. `Last-Event-ID` wins.
    after: Option<u64>,
}

/// Read or follow the log of a build
#[utoipa::path(get, path = "/builds/{id}/log", tag = "builds", params(("id" = String, Path), Part), responses(
    (status = 200, description = "The log so far. With `follow`, server-sent events: `id` is the byte offset reached, `data` \
        the lines, and a last event `end` has the build's state; plain text that grows if `text/plain` is accepted",
        content((String = "text/plain"), (String = "text/event-stream"))),
))]
pub(crate) async fn read(
    view: View,
    visit: Option<Extension<Visit>>,
    headers: HeaderMap,
    Named(build): Named<BuildId>,
    Asked(part): Asked<Part>,
) -> Result<Response, Problem> {
    let from = streams::resume(&headers, part.after)?.unwrap_or(0);
    view.sees_build(build).await?;
    if !part.follow.is_some_and(|follow| matches!(follow.as_str(), "1" | "true")) {
        return so_far(&view, build, from).await;
    }
    let seat = Seat::take(&view, visit)?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let pieces = view.tails.follow(build, from).await?;
    if accept.contains("text/plain") { Ok(growing(seat, pieces)) } else { Ok(seat.sse(pieces.map(event))) }
}

async fn so_far(app: &App, build: BuildId, from: u64) -> Result<Response, Problem> {
    app.tails.ended(build).await?;
    let chunks = app.tails.rest(build, from).await?;
    let text: BytesMut = chunks.iter().flat_map(|chunk| &chunk.text).copied().collect();
    Ok(([(header::CONTENT_TYPE, PLAIN)], text.freeze()).into_response())
}

fn growing(seat: Seat, pieces: impl futures::Stream<Item = Piece> + Send + 'static) -> Response {
    let text = seat.hold(pieces).map(|piece| {
        Ok::<Bytes, Infallible>(match piece {
            Piece::Text(chunk) => chunk.text,
            Piece::End(_) => Bytes::new(),
        })
    });
    ([(header::CONTENT_TYPE, PLAIN)], Body::from_stream(text)).into_response()
}

fn event(piece: Piece) -> Event {
    match piece {
        Piece::Text(chunk) => Event::default().id(chunk.end().to_string()).data(lines(&chunk)),
        Piece::End(state) => Event::default().event("end").data(serde_json::json!(state).as_str().unwrap_or_default()),
    }
}

/// The lines of a chunk without its last newline: the event's end stands for that.
fn lines(chunk: &Chunk) -> String {
    let text = String::from_utf8_lossy(&chunk.text).replace("\r\n", "\n");
    text.strip_suffix('\n').unwrap_or(&text).to_owned()
}
