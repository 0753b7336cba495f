//! Everybody of the installation, page by page.

use super::super::failed::Failed;
use super::super::form::form;
use super::super::governance::Reason;
use super::super::layout::moment;
use super::super::link::link;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::people;
use crate::problem::Problem;
use crate::view::View;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use events::UserId;
use events::authority::PlatformRole;
use maud::{Markup, html};
use projections::users::UserRow;
use std::collections::BTreeSet;

/// People on a page.
const ROWS: u32 = 50;

pub(super) async fn part(view: &View, after: &str) -> Result<Markup, Problem> {
    let may_suspend = view.caller.holder.platform == Some(PlatformRole::Admin);
    let after = Some(after.trim()).filter(|after| !after.is_empty()).map(str::parse::<UserId>).transpose();
    let after = after.map_err(|_| Problem::InvalidInput("`people` is not a place in this list".to_owned()))?;
    let mut rows = view.model.users(ROWS + 1, after).await?;
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let next = rows.last().filter(|_| more).map(|last| link("/platform", &[("people", &last.id.to_string())]));
    let known = people::all(view, &rows.iter().map(|row| row.id).collect::<BTreeSet<_>>()).await?;
    let told = |id: &UserId| {
        let known = known.get(id).cloned().unwrap_or_default();
        (known.name.unwrap_or_else(|| people::ERASED.to_owned()), known.email.unwrap_or_default())
    };
    Ok(html! {
        @if rows.is_empty() { p.empty { "Nobody is known yet: people come by invitation to an organization." } }
        @else { div.scroll { table {
            thead { tr { th scope="col" { "Name" } th scope="col" { "Mail" } th scope="col" { "Role" } th scope="col" { "Last signed in" } th scope="col" { "Known since" } @if may_suspend { th scope="col" { span.hidden { "Suspend" } } } } }
            tbody { @for row in &rows {
                @let (name, email) = told(&row.id);
                tr {
                    th scope="row" {
                        a href=(link("/audit", &[("actor", &format!("user:{}", row.id))])) { (name) }
                        @if let Some(reason) = &row.suspended { " " span.faint { "Suspended: " (reason) } }
                    }
                    td { (email) }
                    td { @match row.role { Some(role) => (role), None => "–" } }
                    td { @match row.signed_in_at { Some(at) => (moment(at)), None => "never" } }
                    td { (moment(row.created_at)) }
                    @if may_suspend { td { (switch(row, &name)) } }
                }
            } }
        } } }
        @if let Some(next) = next { p { a href=(next) rel="next" { "More people" } } }
    })
}

fn switch(row: &UserRow, name: &str) -> Markup {
    let action = format!("/platform/people/{}/suspension", row.id);
    html! {
        @if row.erased_at.is_some() { "–" }
        @else if row.suspended.is_some() {
            (form("", &format!("{action}/end"), &html! { button aria-label={ "Reinstate " (name) } { "Reinstate" } }))
        } @else {
            details {
                summary aria-label={ "Suspend " (name) } { "Suspend" }
                (form("inline", &action, &html! {
                    label for={ "reason-" (row.id) } { "Reason" }
                    input id={ "reason-" (row.id) } name="reason" required maxlength="500";
                    button.danger { "Suspend" }
                }))
            }
        }
    }
}

type Whom = Result<Path<UserId>, PathRejection>;

pub(in super::super) async fn suspend(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    whom: Whom,
    form: Result<Form<Reason>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (Path(id), Form(Reason { reason })) = (whom?, form?);
    commands::suspend_user(&app, id, &reason, caller).await?;
    Ok(Redirect::to("/platform#people"))
}

pub(in super::super) async fn reinstate(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    whom: Whom,
) -> Result<Redirect, Failed> {
    let Path(id) = whom?;
    commands::reinstate_user(&app, id, caller).await?;
    Ok(Redirect::to("/platform#people"))
}
