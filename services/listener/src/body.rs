//! A request's body, which has to arrive at a pace. What its reader leaves of it is thrown away for a while before the
//! connection ends, so that a client that is still sending gets to read why it was refused.

use crate::limits::Limits;
use bytes::Bytes;
use http::request::Parts;
use http::{Version, header};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

/// How much of a refused body is thrown away at most, in bytes.
const REST_MAX: u64 = 4 << 20;
/// How long a refused body may take to end.
const REST_TIME: Duration = Duration::from_secs(5);

/// A request's body. An error of kind [`io::ErrorKind::TimedOut`] tells that it came too slowly.
pub struct Body {
    incoming: Option<Incoming>,
    pace: Pace,
    /// Whether the client goes on sending what nobody reads.
    insists: bool,
}

struct Pace {
    stall: Duration,
    grace: Duration,
    bytes_per_s: u64,
    received: u64,
    /// How long the client has kept its reader waiting, before the wait that goes on.
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, head: &Parts, limits: &Limits) -> Self {
        let pace = Pace {
            stall: limits.stall,
            grace: limits.body_grace,
            bytes_per_s: limits.pace.max(1),
            received: 0,
            waited: Duration::ZERO,
            waiting: None,
        };
        // HTTP/2 can say that it wants no more, and one that expects to be asked for the body was not.
        let insists = head.version <= Version::HTTP_11 && !head.headers.contains_key(header::EXPECT);
        Self { incoming: Some(incoming), pace, insists }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        match Pin::new(incoming).poll_frame(context) {
            Poll::Ready(frame) => {
                this.pace.came(frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref().map(Bytes::len)));
                Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)))
            }
            Poll::Pending if this.pace.poll_late(context).is_ready() => {
                this.incoming = None;
                Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(SizeHint::default, Incoming::size_hint)
    }
}

impl Pace {
    fn came(&mut self, bytes: Option<usize>) {
        self.received += bytes.unwrap_or_default() as u64;
        if let Some((since, _)) = self.waiting.take() {
            self.waited += since.elapsed();
        }
    }

    /// Ready when the client has kept its reader waiting for too long, now or in all.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let earned = Duration::from_secs(self.received / self.bytes_per_s);
        let left = (self.grace + earned).saturating_sub(self.waited).min(self.stall);
        let begin = || {
            let now = Instant::now();
            (now, Box::pin(sleep_until(now + left)))
        };
        self.waiting.get_or_insert_with(begin).1.as_mut().poll(context)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let Some(incoming) = self.incoming.take().filter(|incoming| self.insists && !incoming.is_end_stream()) else {
            return;
        };
        if let Ok(handle) = Handle::try_current() {
            handle.spawn(timeout(REST_TIME, throw_away(incoming)));
        }
    }
}

async fn throw_away(mut rest: Incoming) {
    let mut thrown = 0;
    while thrown < REST_MAX {
        let frame = std::future::poll_fn(|context| Pin::new(&mut rest).poll_frame(context)).await;
        let Some(Ok(frame)) = frame else { return };
        thrown += frame.data_ref().map_or(0, Bytes::len) as u64;
    }
}
