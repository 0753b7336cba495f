//! The lock of a site: told on its page, set and taken away on that of its settings.

use super::failed::Failed;
use super::form::form;
use super::layout::moment;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::people::Names;
use crate::place::Place;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use maud::{Markup, html};
use projections::locks::LockRow;
use projections::sites::SiteRow;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Reason {
    reason: String,
}

/// What everybody shall know who looks at a locked site.
pub(super) fn notice(site: &SiteRow, names: &Names) -> Markup {
    html! {
        @if let Some(LockRow { reason, locked_at, locked_by, .. }) = &site.lock {
            p.notice { strong { "Locked: " } (reason) " (" (names.of(locked_by)) ", " (moment(*locked_at)) "). Live and demo stay as they are; builds and previews go on. " a href={ "/sites/" (site.name) "/settings#lock" } { "Unlock" } }
        }
    }
}

pub(super) fn section(site: &SiteRow) -> Markup {
    let action = format!("/sites/{}/lock", site.id);
    let reason = site.lock.as_ref().map(|lock| lock.reason.as_str()).unwrap_or_default();
    html! {
        section.card #lock {
            h2 { "Lock" }
            p { "While a site is locked nobody can change what its readers see: not by a push, not by hand. What is built meanwhile is kept and can be shown afterwards." }
            (form("inline", &action, &html! {
                label for="reason" { "Reason" }
                input #reason name="reason" required maxlength="500" value=(reason);
                button { @if site.lock.is_some() { "Change the reason" } @else { "Lock" } }
            }))
            @if site.lock.is_some() {
                (form("inline", &format!("{action}/end"), &html! { button { "Unlock" } }))
            }
        }
    }
}

pub(super) async fn lock(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    site: Result<Path<String>, PathRejection>,
    form: Result<Form<Reason>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (place, Form(form)) = (site?.0.parse::<Place>()?, form?);
    commands::lock_site(&app, &place, &form.reason, caller).await?;
    Ok(Redirect::to(&format!("/sites/{place}")))
}

pub(super) async fn unlock(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    site: Result<Path<String>, PathRejection>,
) -> Result<Redirect, Failed> {
    let place = site?.0.parse::<Place>()?;
    commands::unlock_site(&app, &place, caller).await?;
    Ok(Redirect::to(&format!("/sites/{place}")))
}
