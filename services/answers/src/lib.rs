//! What a host answers: by its routes, and by the rules and the files of what it shows. Pure.
//!
//! *Hears* its callers. *Says* nothing. *Touches* nothing. *Safe to repeat because* the same question has the same answer.
//!
//! The edge answers readers by it, and the web service explains by it why they are answered so: neither can think otherwise.

pub mod host;
mod leading;
mod location;
mod pages;
mod resolve;
mod ruled;

pub use leading::{Changes, Found, Leading, Led, at_or_above};
pub use location::{elsewhere, location, with_query};
pub use resolve::{Answer, has_extension, is_there, path_of, spelled};
pub use ruled::{Decided, answer};

/// How long after a promotion the files of what was shown before are still found, in seconds.
pub const FORMER_SECONDS: i64 = 24 * 60 * 60;
/// Of how many deploys.
pub const FORMER_MAX: usize = 5;
