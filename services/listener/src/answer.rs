//! An answer on its way: its request is in hand until the last byte was handed over or the client has gone.

use crate::pulse::Hand;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

pub(crate) struct Answer<B> {
    body: B,
    hand: Hand,
}

impl<B> Answer<B> {
    pub(crate) const fn new(body: B, hand: Hand) -> Self {
        Self { body, hand }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Answer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        // Whoever asks for more has taken what there was; whoever waits for us is not slow.
        this.hand.pulse().waits(matches!(polled, Poll::Ready(Some(Ok(_)))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
