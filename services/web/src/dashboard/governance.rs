//! What the platform's admins decide about an organization: told on its page to everybody, changed there by admins.

use super::failed::Failed;
use super::form::form;
use super::layout::{self, moment};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Owner;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use events::OrganizationId;
use events::authority::PlatformRole;
use events::event::OrganizationLimits;
use events::organization::{NOTICE_DAYS, SANDBOX_DAYS};
use maud::{Markup, html};
use projections::organizations::OrganizationRow;
use serde::Deserialize;

type Named = Result<Path<String>, PathRejection>;

#[derive(Deserialize)]
pub(super) struct Reason {
    pub(super) reason: String,
}

/// The fields as a browser sends them: empty for no limit.
#[derive(Deserialize)]
pub(super) struct Limits {
    sites: String,
    members: String,
    builds: String,
}

#[derive(Deserialize)]
pub(super) struct Days {
    days: u16,
}

/// What everybody shall know who looks at the organization.
pub(super) fn notices(organization: &OrganizationRow) -> Markup {
    html! {
        @if let Some(reason) = &organization.suspended {
            p.notice role="status" { strong { "Suspended: " } (reason) ". Its people can change nothing and its pushes are not built; its sites are shown as they are." }
        }
        @if let (Some(days), Some(at)) = (organization.sandbox_days, organization.clean_up_at) {
            p.notice role="status" { strong { "Sandbox: " } "all its sites are deleted every " (layout::days(days.into())) ", next on " (moment(at)) ". Lock a site to keep it; a deleted one can be restored for 30 days." }
        }
    }
}

/// What it may have, as one of the facts on its page.
pub(super) fn limits(organization: &OrganizationRow) -> Option<String> {
    let OrganizationRow { sites_max, members_max, builds_max, .. } = organization;
    let kinds = [(sites_max, "sites"), (members_max, "members"), (builds_max, "builds at once")];
    let told: Vec<String> = kinds.iter().filter_map(|(max, of)| max.map(|max| format!("{max} {of}"))).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// The forms, for those who may use them.
pub(super) fn section(view: &View, organization: &OrganizationRow) -> Markup {
    if view.caller.holder.platform != Some(PlatformRole::Admin) {
        return html! {};
    }
    let action = format!("/organizations/{}", organization.id);
    html! {
        section.card #governance {
            h2 { "For admins of the platform" }
            (limit_form(&action, organization))
            (sandbox_form(&action, organization))
            (suspension_form(&action, organization.suspended.as_deref()))
        }
    }
}

fn limit_form(action: &str, organization: &OrganizationRow) -> Markup {
    let field = |name: &str, label: &str, value: Option<u32>| {
        html! {
            label for=(name) { (label) }
            input id=(name) type="number" name=(name) min="1" inputmode="numeric" value=[value] placeholder="no limit";
        }
    };
    html! {
        h3 { "Limits" }
        p { "What it has already stays. Empty is no limit of its own." }
        (form("fields", &format!("{action}/limits"), &html! {
            (field("sites", "Sites", organization.sites_max))
            (field("members", "Members", organization.members_max))
            (field("builds", "Builds at once", organization.builds_max))
            button { "Set the limits" }
        }))
    }
}

fn sandbox_form(action: &str, organization: &OrganizationRow) -> Markup {
    let days = organization.sandbox_days.unwrap_or(SANDBOX_DAYS.into());
    html! {
        h3 { "Sandbox" }
        p { "For trying things out: all its sites are deleted every so many days. " (NOTICE_DAYS) " days before, its pages and its members’ home pages say so." }
        (form("inline", &format!("{action}/sandbox"), &html! {
            label for="days" { "Days" }
            input #days type="number" name="days" min="1" max="365" required inputmode="numeric" value=(days);
            button { @if organization.sandbox_days.is_some() { "Change the days" } @else { "Make it a sandbox" } }
        }))
        @if organization.sandbox_days.is_some() {
            (form("inline", &format!("{action}/sandbox/end"), &html! { button { "Keep its sites" } }))
        }
    }
}

fn suspension_form(action: &str, reason: Option<&str>) -> Markup {
    html! {
        h3 { "Suspension" }
        p { "Its people can change nothing and its pushes are not built. Readers see its sites as they are." }
        (form("inline", &format!("{action}/suspension"), &html! {
            label for="suspension" { "Reason" }
            input #suspension name="reason" required maxlength="500" value=[reason];
            button.danger { @if reason.is_some() { "Change the reason" } @else { "Suspend" } }
        }))
        @if reason.is_some() {
            (form("inline", &format!("{action}/suspension/end"), &html! { button { "Reinstate" } }))
        }
    }
}

async fn found(app: &Shared, name: Named) -> Result<OrganizationId, Failed> {
    Ok(app.organization_id(&name?.0.parse::<Owner>()?).await?)
}

fn back(id: OrganizationId) -> Redirect {
    Redirect::to(&format!("/organizations/{id}"))
}

fn limit(name: &str, text: &str) -> Result<Option<u32>, Problem> {
    let text = text.trim();
    let number = (!text.is_empty()).then(|| text.parse()).transpose();
    number.map_err(|_| Problem::InvalidInput(format!("`{name}` must be a number or empty")))
}

pub(super) async fn set_limits(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    name: Named,
    form: Result<Form<Limits>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (id, Form(Limits { sites, members, builds })) = (found(&app, name).await?, form?);
    let limits = OrganizationLimits {
        sites: limit("sites", &sites)?,
        members: limit("members", &members)?,
        builds: limit("builds", &builds)?,
    };
    commands::limit_organization(&app, id, limits, caller).await?;
    Ok(back(id))
}

pub(super) async fn begin_sandbox(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    name: Named,
    form: Result<Form<Days>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (id, Form(Days { days })) = (found(&app, name).await?, form?);
    commands::begin_sandbox(&app, id, days, caller).await?;
    Ok(back(id))
}

pub(super) async fn end_sandbox(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    name: Named,
) -> Result<Redirect, Failed> {
    let id = found(&app, name).await?;
    commands::end_sandbox(&app, id, caller).await?;
    Ok(back(id))
}

pub(super) async fn suspend(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    name: Named,
    form: Result<Form<Reason>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (id, Form(Reason { reason })) = (found(&app, name).await?, form?);
    commands::suspend_organization(&app, id, &reason, caller).await?;
    Ok(back(id))
}

pub(super) async fn reinstate(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    name: Named,
) -> Result<Redirect, Failed> {
    let id = found(&app, name).await?;
    commands::reinstate_organization(&app, id, caller).await?;
    Ok(back(id))
}
