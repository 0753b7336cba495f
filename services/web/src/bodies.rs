//! Bodies of requests as they arrive: not longer than they may be, in time, and within what all of them may take.

use crate::auth;
use crate::budget::{Budget, Share};
use crate::problem::Problem;
use crate::urls::UPLOADED;
use axum::body::{Body, BodyDataStream, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::header;
use http::request::Parts;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long one body may take to arrive.
const DEADLINE: Duration = Duration::from_secs(30);

/// The bodies of some routes: at most `max` bytes each.
#[derive(Debug, Clone)]
pub(crate) struct Bodies {
    pub(crate) budget: Budget,
    pub(crate) max: usize,
}

/// A body that arrives.
pub(crate) struct Arrival {
    chunks: BodyDataStream,
    share: Share,
    /// How much of it has come.
    received: usize,
    max: usize,
    until: Instant,
}

impl Bodies {
    /// Begins to receive, unless the head tells already that it cannot be.
    pub(crate) fn receive(&self, head: &Parts, body: Body) -> Result<Arrival, Problem> {
        self.receive_within(head, body, DEADLINE)
    }

    /// The same for a body that may take longer.
    pub(crate) fn receive_within(&self, head: &Parts, body: Body, within: Duration) -> Result<Arrival, Problem> {
        if let Some(length) = head.headers.get(header::CONTENT_LENGTH) {
            let length: Option<usize> = length.to_str().ok().and_then(|length| length.parse().ok());
            length.filter(|length| *length <= self.max).ok_or(Problem::BodyTooLarge(self.max))?;
        }
        let share = self.budget.begin(auth::client(&head.extensions))?;
        let (chunks, until) = (body.into_data_stream(), Instant::now() + within);
        Ok(Arrival { chunks, share, received: 0, max: self.max, until })
    }
}

impl Arrival {
    /// What has come next; none when all has.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let next = timeout_at(self.until, self.chunks.next()).await.map_err(|_| Problem::BodyTooSlow)?;
        let Some(chunk) = next.transpose().map_err(|error| unread(&error))? else {
            self.share.arrived();
            return Ok(None);
        };
        self.received += chunk.len();
        if self.received > self.max {
            return Err(Problem::BodyTooLarge(self.max));
        }
        self.share.take(chunk.len())?;
        Ok(Some(chunk))
    }
}

fn unread(error: &(dyn std::error::Error + 'static)) -> Problem {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return Problem::BodyTooSlow;
        }
        cause = error.source();
    }
    Problem::MalformedPayload("it ended early".to_owned())
}

/// Reads a short body whole before anything else does. Its share is given back with the answer.
pub(crate) async fn read(State(bodies): State<Bodies>, request: Request, next: Next) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    // What is uploaded does not lie in memory: it is received where it is wanted.
    let is_upload = head.extensions.get::<MatchedPath>().is_some_and(|path| path.as_str().ends_with(UPLOADED));
    if is_upload || body.is_end_stream() {
        return Ok(next.run(Request::from_parts(head, body)).await);
    }
    let (mut arrival, mut whole) = (bodies.receive(&head, body)?, BytesMut::new());
    while let Some(chunk) = arrival.next().await? {
        whole.extend_from_slice(&chunk);
    }
    let answer = next.run(Request::from_parts(head, Body::from(whole.freeze()))).await;
    drop(arrival);
    Ok(answer)
}
