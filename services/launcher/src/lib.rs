//! The launcher builds sites in containers.
//!
//! *Hears* `build.dispatched`. *Says* `build.started`, `build.finished`, `build.log_archived`. *Touches* git, one container
//! per build, the log stream and the artifact store. *Safe to repeat because* an attempt has a number: whoever is taken over
//! cannot end the build any more, an artifact is named by build and attempt, and how far an attempt has come is remembered
//! on disk.

mod attempt;
mod disk;
pub mod engine;
mod group;
mod hands;
pub mod installation;
mod launch;
mod lines;
mod memory;
pub mod output;
mod record;
mod rlimits;
pub mod source;
pub mod spec;
mod store;
mod sweep;
mod terms;
mod words;
pub mod workspace;

pub use launch::{Config, Error, NAME, Prepared, prepare, run};
pub use lines::LINE_BYTES;

use std::io;

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
}
