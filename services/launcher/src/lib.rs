//! The launcher builds sites in containers.
//!
//! *Hears* `build.dispatched`. *Says* `build.started`, `build.checked_out`, `build.interrupted`, `build.finished`, `build.log_archived`. *Touches*
//! git, one container per build, the log stream and the artifact store. *Safe to repeat because* an attempt has a number: whoever is taken over
//! cannot end the build any more, an artifact is named by build and attempt, and how far an attempt has come is remembered
//! on disk.

mod archive;
mod attempt;
pub mod brought;
pub mod cache;
mod config;
mod course;
mod diagnosis;
mod disk;
pub mod gate;
mod given;
mod group;
mod hands;
pub mod installation;
mod interruption;
mod launch;
mod lines;
mod mask;
mod memory;
pub mod output;
mod prepare;
mod presence;
mod record;
mod reserve;
mod rlimits;
pub mod sandbox;
mod slots;
pub mod source;
pub mod spec;
mod sweep;
mod terms;
pub mod variables;
mod words;
pub mod workspace;

pub use config::{Config, Error, SWEEP_EVERY};
pub use gate::{Policy, REGISTRIES};
pub use launch::run;
pub use lines::LINE_BYTES;
pub use prepare::{Parts, Prepared, prepare};
pub use variables::BuildKey;

use std::io;

/// Its name: durable consumer, source of its facts.
pub const NAME: &str = "launcher";

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
}
