//! Live streams: how long each lasts, and its heartbeat.

use crate::app::Shared;
use crate::problem::Problem;
use crate::sessions::Visit;
use axum::Extension;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use http::{HeaderMap, HeaderName};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// A sign of life in a silent stream, so that no proxy takes it for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How soon a client asks again after an interruption.
const RETRY: Duration = Duration::from_secs(2);

/// A place for a live stream, as long as whoever follows it may.
pub(crate) struct Seat {
    app: Shared,
    permit: OwnedSemaphorePermit,
    visit: Option<Visit>,
}

impl Seat {
    /// Takes a place for a session's page, or for whoever has a token.
    pub(crate) fn take(app: &Shared, visit: Option<Extension<Visit>>) -> Result<Self, Problem> {
        let (permit, visit) = (app.streams.take()?, visit.map(|Extension(visit)| visit));
        Ok(Self { app: Shared::clone(app), permit, visit })
    }

    /// The same until the server or the session ends.
    pub(crate) fn hold<T>(self, items: impl Stream<Item = T> + Send + 'static) -> impl Stream<Item = T> + Send {
        let Self { app, permit, visit } = self;
        let over = async move {
            let left = async {
                match &visit {
                    Some(visit) => app.auth.left(visit).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = app.stop.cancelled() => {}
                () = left => {}
            }
        };
        let items = items.take_until(over);
        items.map(move |item| {
            let _held = &permit;
            item
        })
    }

    /// Answers with `events` as server-sent events until they or the seat end.
    pub(crate) fn sse(self, events: impl Stream<Item = Event> + Send + 'static) -> Response {
        let first = futures::stream::once(async { Event::default().retry(RETRY) });
        let events = self.hold(first.chain(events)).map(Ok::<_, Infallible>);
        Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response()
    }
}

/// Where an interrupted client stopped: the header of its browser, else what its address says.
pub(crate) fn resume(headers: &HeaderMap, after: Option<u64>) -> Result<Option<u64>, Problem> {
    match headers.get(HeaderName::from_static("last-event-id")) {
        Some(value) => {
            let id = value.to_str().ok().and_then(|text| text.parse().ok());
            id.map(Some).ok_or(Problem::BadHeader("Last-Event-ID"))
        }
        None => Ok(after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_header_wins_over_the_address() {
        let headers = HeaderMap::from_iter([(HeaderName::from_static("last-event-id"), "7".parse().unwrap())]);
        assert_eq!(resume(&headers, Some(3)).unwrap(), Some(7));
        assert_eq!(resume(&HeaderMap::new(), Some(3)).unwrap(), Some(3));
        let broken = HeaderMap::from_iter([(HeaderName::from_static("last-event-id"), "x".parse().unwrap())]);
        assert!(matches!(resume(&broken, None), Err(Problem::BadHeader("Last-Event-ID"))));
    }
}
