//! Lists that go back in time, page by page.

use super::link::link;
use maud::{Markup, html};
use serde::Deserialize;

/// Which part of a list that is newest first.
#[derive(Debug, Deserialize)]
pub(super) struct Before {
    /// What is older than this sequence of the log; the newest if absent.
    pub(super) before: Option<u64>,
}

/// The way to what is older than `before`, if there may be any.
pub(super) fn older(path: &str, before: Option<u64>) -> Markup {
    html! {
        @if let Some(before) = before {
            p { a href=(link(path, &[("before", &before.to_string())])) rel="next" { "Older" } }
        }
    }
}
