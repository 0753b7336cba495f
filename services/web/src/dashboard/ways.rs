//! The ways in that providers offer, as links.

use super::link::link;
use crate::app::Shared;
use crate::sign_in::Way;
use maud::{Markup, html};

/// One link for each provider, to `address` with its name.
pub(super) fn buttons(app: &Shared, says: &str, address: impl Fn(Way) -> String) -> Markup {
    let offered = app.providers.offered();
    html! {
        @if !offered.is_empty() {
            p.actions { @for (way, name) in offered { a.button href=(address(way)) { (says) " " (name) } } }
        }
    }
}

/// Where somebody goes who wants to come in.
pub(super) fn way_in(way: Way, next: &str) -> String {
    link(&format!("/login/with/{}", way.slug()), &[("next", next)])
}
