//! The launcher builds sites in containers.
//!
//! *Hears* `build.dispatched`. *Says* `build.started`, `build.finished`, `build.log_archived`. *Touches* git, one container
//! per build, the log stream and the artifact store. *Safe to repeat because* an attempt has a number: whoever is taken over
//! cannot end the build any more, and an artifact is named by build and attempt.

mod attempt;
pub mod engine;
mod launch;
mod lines;
pub mod output;
mod record;
pub mod source;
pub mod spec;
mod words;
pub mod workspace;

pub use launch::{Config, Error, NAME, Prepared, prepare, run};
pub use lines::LINE_BYTES;
