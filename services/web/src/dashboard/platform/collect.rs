//! What sites keep no longer: looked at first, and then removed.

use super::super::failed::Failed;
use super::super::form::form;
use super::super::layout::{Page, moment, size};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, Surplus};
use crate::platform;
use crate::view::View;
use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use events::authority::PlatformRole;
use maud::{Markup, html};

pub(crate) async fn show(view: View) -> Result<Markup, Failed> {
    platform::may_look(&view)?;
    let surplus = commands::surplus(&view.app, None).await?;
    let may = view.caller.holder.platform == Some(PlatformRole::Admin);
    let content = html! {
        p.crumbs { a href="/platform" { "Platform" } }
        h1 { "What is kept no longer" }
        p.lead { "Each site keeps its newest deploys, as its settings say, and always what is shown. The others go once a day, or now." }
        @if surplus.deploys.is_empty() { p.calm { "Nothing: every deploy is kept." } }
        @else {
            (told(&surplus))
            @if may { (form("", "/platform/collect", &html! { button { "Remove them now" } })) }
            (table(&surplus))
        }
    };
    Ok(Page { title: "What is kept no longer", signed_in: true, refreshes: None }.render(&content))
}

fn told(surplus: &Surplus) -> Markup {
    let Surplus { deploys, more, packs, bytes } = surplus;
    html! {
        p {
            @if *more { "The oldest " } (deploys.len()) " deploy" @if deploys.len() != 1 { "s" }
            ", and " (packs) " pack" @if *packs != 1 { "s" } " of files that no other deploy needs: " (size(*bytes)) "."
        }
    }
}

fn table(surplus: &Surplus) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "Deploy" } th scope="col" { "Site" } th scope="col" { "Build" } th scope="col" { "Stored" } th scope="col" { "The site keeps" } } }
            tbody { @for row in &surplus.deploys { tr {
                th scope="row" { a href={ "/deploys/" (row.id) } { code { (row.id) } } }
                td { a href={ "/sites/" (row.name) } { (row.name) } }
                td.number { "#" (row.number) }
                td { (moment(row.created_at)) }
                td { (row.keeping.told()) }
            } } }
        } }
    }
}

pub(crate) async fn collect(
    view: View,
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
) -> Result<Redirect, Failed> {
    platform::may_look(&view)?;
    let surplus = commands::surplus(&app, None).await?;
    commands::collect(&app, &surplus, &caller).await?;
    Ok(Redirect::to("/platform/collect"))
}
