//! The server against the real parts: nats-server, Postgres and the object store.
//!
//! The scheduler, the launcher and the syncer do not run here: the tests state their facts as they would, and a task folds
//! the log into the read model as the projector does.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod access;
mod audit;
mod bodies;
mod caches;
mod commands;
mod credentials;
mod dashboard;
mod declared;
mod domains;
mod door;
mod events;
mod forms;
/// The same server that launchers are tested with.
#[path = "../../../launcher/tests/launcher/sources/git_host.rs"]
mod git_host;
mod governance;
mod guard;
mod history;
mod installation;
mod lists;
mod lock;
mod logs;
mod looks;
mod organizations;
mod people;
mod platform;
mod purges;
mod receivers;
mod repeats;
mod restore;
mod routes;
mod settings;
mod sign_in;
mod source;
mod source_check;
mod strays;
mod tokens;
mod uploads;
mod variables;
mod webhook;
