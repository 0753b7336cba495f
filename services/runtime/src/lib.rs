//! The loop under every service: the log, the consumers that react to it, the folds that follow it.
//!
//! A *reaction* ([`Consumer`]) has a durable consumer in the log: each fact is acknowledged when its work is done, and
//! comes again if it was not. A *fold* ([`fold::Following`]) keeps its position beside its state, and reads on from there. Services see facts and commands; nothing of NATS leaves this crate.

mod aggregate;
pub mod append;
pub mod attendance;
pub mod build_log;
mod cache;
pub mod clock;
pub mod cloudevent;
pub mod codec;
pub mod connection;
pub mod consumer;
mod decide;
pub mod error;
pub mod fold;
pub mod follow;
pub mod health;
#[cfg(debug_assertions)]
mod hold;
pub mod lease;
pub mod log;
mod owner;
pub mod parked;
mod publish;
mod read;
pub mod records;
pub mod shutdown;
pub mod standing;
mod statement;
pub mod strays;
pub mod streams;
pub mod telemetry;
mod together;
pub mod transaction;
mod turn;
mod vault;
pub mod vocabulary;

pub use aggregate::Loaded;
pub use connection::Connection;
pub use consumer::{Consumer, Failure};
pub use error::{Error, ExecuteError};
pub use follow::Entry;
pub use health::Health;
pub use log::Log;
pub use owner::Owner;
pub use transaction::Transaction;
pub use vault::{OwnerKey, Vault};
