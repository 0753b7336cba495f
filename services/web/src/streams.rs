//! Live streams: how long each lasts, and its heartbeat.

use crate::problem::Problem;
use crate::sessions::Visit;
use crate::view::View;
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
/// How often a live stream looks whether whoever follows it still may.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How soon a client asks again after an interruption.
const RETRY: Duration = Duration::from_secs(2);

/// A place for a live stream, as long as whoever follows it may see what they see.
pub(crate) struct Seat {
    view: View,
    permit: OwnedSemaphorePermit,
    visit: Option<Visit>,
}

impl Seat {
    /// Takes a place for a session's page, or for whoever has a token.
    pub(crate) fn take(view: &View, visit: Option<Extension<Visit>>) -> Result<Self, Problem> {
        let (permit, visit) = (view.streams.take()?, visit.map(|Extension(visit)| visit));
        Ok(Self { view: view.clone(), permit, visit })
    }

    /// The same until the server or the session ends, or the token does, or more or less may be seen than at first.
    pub(crate) fn hold<T>(self, items: impl Stream<Item = T> + Send + 'static) -> impl Stream<Item = T> + Send {
        let Self { view, permit, visit } = self;
        let over = async move {
            let stop = view.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = left(&view, visit.as_ref()) => {}
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

/// Comes back when whoever follows may not any more. While the log or the read model is away nobody knows, and nothing new can
/// be shown either.
async fn left(view: &View, visit: Option<&Visit>) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        if let Ok(false) = remains(view, visit).await {
            return;
        }
    }
}

async fn remains(view: &View, visit: Option<&Visit>) -> Result<bool, Problem> {
    if let Some(visit) = visit
        && !view.auth.lasts(visit).await?
    {
        return Ok(false);
    }
    match view.caller(view.caller.who.clone()).await? {
        Some(caller) => Ok(view.sight(&caller.holder).await? == view.sight),
        None => Ok(false),
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
