//! The server as a real client sees it: the AWS SDK against a depot on a free port, over a directory of its own.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be set up fails its test, which is all it can do")]

mod access;
mod conditions;
mod crash;
mod durability;
mod integrity;
mod listing;
mod multipart;
mod objects;
mod server;
mod tools;
