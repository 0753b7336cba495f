//! The launcher as a whole, on a real log, with real git, real sandboxes, and servers that do not answer.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what the world of a test cannot do fails the test")]

#[path = "launching/attempts.rs"]
mod attempts;
#[path = "launching/away.rs"]
mod away;
#[path = "launching/docker_line.rs"]
mod docker_line;
#[path = "launching/killed.rs"]
mod killed;
#[path = "launching/limits.rs"]
mod limits;
#[path = "../../storage/tests/storage/line.rs"]
mod line;
#[path = "launching/phases.rs"]
mod phases;
#[path = "launching/processes.rs"]
mod processes;
#[path = "launching/store.rs"]
mod store;
#[path = "launching/sweep.rs"]
mod sweep;
#[path = "launching/world.rs"]
mod world;
