//! The front door of every service that answers HTTP: one accept loop with limits on what clients may hold.
//!
//! *Hears* HTTP/1.1 and HTTP/2, without TLS or with it. *Touches* nothing: each service gives the function that answers. Whoever is
//! idle gives way when places run out, whoever stands still in the middle is let go, and when it is told to stop, open
//! requests may finish. It knows no log and no store, so that the S3 server can use it as well.

mod answer;
mod body;
mod client;
pub mod files;
mod limits;
mod places;
mod pulse;
mod serve;
mod stream;
mod strict;
mod wire;

pub use body::Body;
pub use client::{Client, Encrypted};
pub use limits::{Limits, Share, network};
pub use serve::{serve, serve_tls};
pub use strict::ambiguous;
pub use wire::Tls;
