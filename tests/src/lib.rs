//! A whole platform for a story to be told on: the real executable with its real servers, real git repositories, and the
//! platform's own HTTP API. Nothing is imitated.
//!
//! A story creates a site, pushes to it and waits for facts. It never sleeps for one: whatever it waits for has the
//! [`DEADLINE`], which is so long that only a failure reaches it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a part of a story that fails fails the story")]

mod answer;
mod api;
pub mod bench;
mod browser;
mod child;
mod executable;
mod fact;
mod fill;
mod fleet;
mod folder;
mod gate;
mod grown;
mod history;
mod hold;
mod host;
mod kill;
mod patience;
mod platform;
mod ports;
mod post;
mod process;
mod ready;
mod repository;
mod shown;
mod site;
mod sse;
mod ssh_host;
mod webhook;

pub use answer::Answer;
pub use api::{Alias, Api, Build, Deploy};
pub use browser::{Browser, Violation};
pub use child::Child;
pub use executable::executable;
pub use fact::Fact;
pub use fill::fill;
pub use fleet::{Fleet, MEMBERS, Part, Service};
pub use folder::{temporary as temporary_folder, workspace};
pub use gate::Gate;
pub use grown::{FOLDS, Grown};
pub use history::History;
pub use hold::Hold;
pub use host::Host;
pub use kill::{Tally, kill};
pub use patience::{DEADLINE, eventually};
pub use platform::{OPERATORS_SECRET, Platform, Visit};
pub use post::Post;
pub use process::{Process, Signal, running_with};
pub use ready::Ready;
pub use repository::Repository;
pub use site::{Pushed, Site};
pub use sse::{Message, Messages};
pub use ssh_host::SshHost;
pub use webhook::Delivery;
