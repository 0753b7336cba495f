//! GitHub's API as a client of it: how it is asked by a person's token, and by the installation as an app of it.
//!
//! Where it is may be chosen by people outside, so it is reached through the [`dialer`], and neither an answer nor a wait has no end.

mod api;
mod app;

pub use api::{Api, Failed, Place};
pub use app::{Account, App, AppError};
