//! The launcher, with real git, real sandboxes, a real log, and servers that fail in every way.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what the world of a test cannot do fails it"
)]

mod launching;
mod names;
mod sandboxes;
mod sources;
