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

/// What robots are told on hosts that are not for them (RFC 9309).
pub const KEEP_AWAY: &str = "User-agent: *\nDisallow: /\n";

/// Whether a path asks for what robots are told, on a host that shows something else than what is live. The site's own file is for the
/// host that it was written for.
#[must_use]
pub fn keeps_away(is_live: bool, path: &str) -> bool {
    !is_live && path == "/robots.txt"
}

/// How long after a promotion the files of what was shown before are still found, in seconds.
pub const FORMER_SECONDS: i64 = 24 * 60 * 60;
/// Of how many deploys.
pub const FORMER_MAX: usize = 5;
