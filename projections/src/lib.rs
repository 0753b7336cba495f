//! The read model: tables in Postgres, folded from the log, and the only SQL of Pagefold.
//!
//! Each table's module holds its row, its fold (pure, testable without a database) and its queries. The struct is the
//! fold's state, the table's row and the reader's answer at once: it is read as one JSON object, and written by COPY.
//! Nothing here is precious: [`Rebuild`] makes it anew from the log beside the live model and swaps the two by name.
//!
//! Safe to repeat because the position moves in the transaction that writes the rows, and nothing at or below it is
//! applied again.

pub mod aliases;
mod apply;
pub mod builds;
mod copy;
pub mod credentials;
pub mod deploys;
pub mod domains;
mod error;
pub mod failures;
#[cfg(test)]
#[path = "../tests/read_model/fixture.rs"]
mod fixture;
mod hosts;
pub mod identities;
pub mod invitations;
pub mod locks;
mod login;
pub mod members;
mod migrations;
mod model;
mod nodelay;
pub mod notices;
pub mod organizations;
pub mod overview;
pub mod platform;
mod rebuild;
pub mod receivers;
pub mod routes;
pub mod shares;
mod sight;
pub mod sites;
mod store;
pub mod surplus;
mod table;
mod tables;
pub mod timeline;
pub mod tokens;
pub mod users;
pub mod variables;

pub use apply::Applied;
pub use error::Error;
pub use login::{Administrator, Login, Wanted};
pub use model::{Model, PAGE_MAX};
pub use rebuild::Rebuild;
pub use sight::Sight;
pub use store::{Readiness, Store};
