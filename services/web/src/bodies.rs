//! Bodies of requests, read whole within what all of them together may take: a place in memory is taken by the announced
//! length before the first byte is read, and given back with the answer.

use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::BytesMut;
use futures::StreamExt as _;
use http::{HeaderMap, header};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// What all bodies together may take, in bytes.
const BUDGET: usize = 64 << 20;
/// What is counted, in bytes.
const UNIT: usize = 1 << 10;
/// How long one body may take to arrive.
const DEADLINE: Duration = Duration::from_secs(30);

/// What bodies may still take.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

/// The bodies of some routes: at most `max` bytes each.
#[derive(Debug, Clone)]
pub(crate) struct Bodies {
    budget: Budget,
    max: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET / UNIT)))
    }
}

impl Budget {
    pub(crate) fn bodies(&self, max: usize) -> Bodies {
        Bodies { budget: self.clone(), max }
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        Arc::clone(&self.0).try_acquire_many_owned(units).map_err(|_| Problem::TooManyBodies)
    }
}

impl Bodies {
    /// What the body will take: one that does not say how long it is may be as long as any.
    fn announced(&self, headers: &HeaderMap) -> Result<usize, Problem> {
        let Some(length) = headers.get(header::CONTENT_LENGTH) else { return Ok(self.max) };
        let length: Option<usize> = length.to_str().ok().and_then(|length| length.parse().ok());
        length.filter(|length| *length <= self.max).ok_or(Problem::BodyTooLarge(self.max))
    }

    async fn read(&self, body: Body) -> Result<Body, Problem> {
        let (mut chunks, mut whole) = (body.into_data_stream(), BytesMut::new());
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| unread(&error))?;
            if whole.len() + chunk.len() > self.max {
                return Err(Problem::BodyTooLarge(self.max));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Body::from(whole.freeze()))
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

/// Reads the body before anything else does.
pub(crate) async fn read(State(bodies): State<Bodies>, request: Request, next: Next) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    if http_body_is_empty(&body) {
        return Ok(next.run(Request::from_parts(head, body)).await);
    }
    let place = bodies.budget.take(bodies.announced(&head.headers)?)?;
    let body = timeout(DEADLINE, bodies.read(body)).await.unwrap_or(Err(Problem::BodyTooSlow))?;
    let answer = next.run(Request::from_parts(head, body)).await;
    drop(place);
    Ok(answer)
}

fn http_body_is_empty(body: &Body) -> bool {
    use axum::body::HttpBody as _;
    body.is_end_stream()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_as_large_as_announced_and_the_largest_without_a_length() {
        let budget = Budget::default();
        let bodies = budget.bodies(BUDGET / 2);
        let with = |length: &str| HeaderMap::from_iter([(header::CONTENT_LENGTH, length.parse().unwrap())]);
        assert_eq!(bodies.announced(&with("5")).unwrap(), 5);
        assert_eq!(bodies.announced(&HeaderMap::new()).unwrap(), BUDGET / 2);
        assert!(matches!(bodies.announced(&with(&(BUDGET / 2 + 1).to_string())), Err(Problem::BodyTooLarge(_))));
        let places = (budget.take(BUDGET / 2).unwrap(), budget.take(BUDGET / 2).unwrap());
        assert!(matches!(budget.take(1), Err(Problem::TooManyBodies)));
        drop(places);
        assert!(budget.take(1).is_ok());
    }
}
