//! The operator's commands: look into the log, clear the shelf, see a site or an organization as it was.
//!
//! *Hears* what an operator types. *Says* no fact: it reads, and gives parked facts to their consumer again. *Touches*
//! the log and the shelf. *Safe to repeat because* reading changes nothing and a retry names one parked message.

pub mod events;
mod names;
pub mod organization;
pub mod parked;
pub mod past;
pub mod print;
mod progress;
pub mod render;
pub mod site;

pub use print::Print;
pub use progress::Progress;
