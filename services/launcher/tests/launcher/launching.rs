//! The launcher as a whole, on a real log, with real git, real sandboxes, and servers that do not answer.

mod attempts;
mod away;
mod caches;
mod docker_line;
mod fetching;
mod full;
mod killed;
mod limits;
#[path = "../../../storage/tests/storage/line.rs"]
mod line;
mod phases;
mod processes;
mod steps;
mod store;
mod sweep;
mod world;
