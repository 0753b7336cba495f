//! The body of a request on its way to a backend, and how long the backend has had nothing to wait for.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A body whose progress is seen.
pub(super) struct Sending {
    body: listener::Body,
    last: Arc<Mutex<Instant>>,
}

/// When a part of the body was last taken, or the whole of it.
pub(super) struct Sent(Arc<Mutex<Instant>>);

/// The body, and who sees how it goes.
pub(super) fn watched(body: listener::Body) -> (Sending, Sent) {
    let last = Arc::new(Mutex::new(Instant::now()));
    (Sending { body, last: Arc::clone(&last) }, Sent(last))
}

impl Sent {
    /// Ends when nothing more was sent for so long.
    pub(super) async fn silent_for(&self, patience: Duration) {
        loop {
            let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner) + patience;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if polled.is_ready() {
            *this.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
