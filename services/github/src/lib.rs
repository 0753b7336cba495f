//! GitHub's API as a client of it: how it is asked by a person's token, and by the installation as an app of it.
//!
//! Where it is may be chosen by people outside, so it is reached through the [`dialer`], and neither an answer nor a wait has no end.

mod api;
mod app;
mod grant;
mod repository;

pub use api::{Api, Failed, Place};
pub use app::{Account, App, AppError};
pub use grant::Client;
pub use repository::{Found, Hook, Repository, install, look_up, pushable};
