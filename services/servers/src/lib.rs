//! The private servers of an installation that has no others, as processes beside it: nats-server for the log, PostgreSQL
//! for the read model.
//!
//! *Hears* when it is to start, wait for or end a server. *Says* how clients reach it. *Touches* one folder for each server.
//! *Safe to repeat because* what a server needs is made once and taken up again, after an end of any kind.

mod loopback;
pub mod nats;
pub mod postgres;
mod private;
mod process;

pub use loopback::free_ports;
