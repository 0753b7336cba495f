//! What opens a closed site: share links, passwords, tickets of members, and the cookies that remember them; and what edges alone
//! can read of the log. Pure but for the salt of a password and the nonce of what is sealed.
//!
//! `web` makes links, tickets and hashes, the edge proves them, and both have one key for it, which follows from the installation's.
//! Nothing in the log opens anything without that key.

mod key;
mod link;
mod pass;
mod password;
mod seal;
mod ticket;

pub use key::{Key, NotAKey};
pub use link::ShareToken;
pub use pass::{By, Pass, Place, cookie_name, is_ours};
pub use password::{hash, proves};
pub use ticket::Ticket;

/// The parameter of a query that a share link has.
pub const SHARE: &str = "pagefold-share";
/// The same of a ticket.
pub const TICKET: &str = "pagefold-ticket";
/// How long the ticket of a member is good for one use, in seconds.
pub const TICKET_SECONDS: i64 = 60;
