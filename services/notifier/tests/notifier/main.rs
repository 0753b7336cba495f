//! Notices on a real log, to receivers that listen on real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a part of a story that fails fails the story"
)]

mod cdevents;
mod github;
mod mail;
mod order;
mod post;
mod receiver;
mod slack;
mod webhook;
mod world;
