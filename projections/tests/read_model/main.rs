//! The read model against a real, private Postgres.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test prepares may fail as loudly as what it asserts")]

mod apply;
mod database;
mod fixture;
mod history;
mod migrations;
mod overview;
mod queries;
mod rebuild;
mod roles;
mod sight;
mod surplus;
