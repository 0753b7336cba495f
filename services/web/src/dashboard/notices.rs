//! A receiver: how it is told, and what became of its notices.

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment};
use super::link::link;
use super::receivers::{kind, occasions, pill};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands;
use crate::place::Place;
use crate::reception;
use crate::view::View;
use axum::Extension;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use events::receiver::Kind;
use maud::{Markup, html};
use projections::notices::{NoticeRow, State as Became};
use projections::receivers::ReceiverRow;
use projections::timeline::Older;
use serde::Deserialize;

/// Notices on a page.
const ROWS: u32 = 50;

#[derive(Deserialize)]
pub(super) struct Before {
    before: Option<u64>,
}

pub(super) async fn show(
    view: View,
    path: Result<Path<(String, String)>, PathRejection>,
    query: Result<Query<Before>, QueryRejection>,
) -> Result<Markup, Failed> {
    let (Path((site, id)), Query(Before { before })) = (path?, query?);
    let receiver = view.receiver(&site, &id).await?;
    let site = view.site(&Place::Id(receiver.site)).await?;
    let sealed = [(receiver.kind, receiver.address.clone())];
    let address = reception::addresses(&view, site.id, &sealed).await?.pop().unwrap_or_default();
    let notices = view.model.notices(receiver.id, Older { limit: ROWS, before }).await?;
    let (here, action) = (format!("/sites/{}/notices/{}", site.name, receiver.id), action(&receiver));
    let older = notices.last().filter(|_| notices.len() == ROWS as usize).map(|last| last.sequence.to_string());
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } " / " a href={ "/sites/" (site.name) "/notices" } { "Notices" } }
        div.title { h1 { (receiver.name) } p { (kind(receiver.kind)) " to " (address) } }
        div.switches {
            (form("", &format!("{action}/test"), &html! { button { "Send a test" } }))
            (form("", &format!("{action}/remove"), &html! { button.danger { "Remove" } }))
        }
        section {
            h2 { "Sent" }
            @if notices.is_empty() { p.empty { "Nothing yet. What is tried again and again is shown when that has an end." } }
            @else { (table(&receiver, &notices)) }
            @if let Some(older) = older { p { a href=(link(&here, &[("before", &older)])) rel="next" { "Older" } } }
        }
        (changing(&receiver))
    };
    Ok(Page { title: receiver.name.to_string().as_str(), signed_in: true, refreshes: Some(site.id.to_string()) }
        .render(&content))
}

pub(super) async fn redeliver(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, String, String)>, PathRejection>,
) -> Result<Redirect, Failed> {
    let Path((site, receiver, id)) = path?;
    let (place, both) = (site.parse::<Place>()?, (receiver.parse()?, id.parse()?));
    commands::resend_notice(&app, &place, both, caller).await?;
    Ok(Redirect::to(&format!("/sites/{place}/notices/{receiver}")))
}

fn action(receiver: &ReceiverRow) -> String {
    format!("/sites/{}/notices/{}", receiver.site, receiver.id)
}

fn table(receiver: &ReceiverRow, notices: &[NoticeRow]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "Became" } th scope="col" { "Tries" } th scope="col" { "Why" } th scope="col" { span.hidden { "Send again" } } } }
            tbody { @for notice in notices {
                tr {
                    td { (moment(notice.at)) }
                    td { a href={ "/events/" (notice.fact) } { (notice.occasion.words()) } }
                    td { (pill(notice.state)) }
                    td.number { (notice.tries) }
                    td.wide { (notice.reason) }
                    td { @if notice.state != Became::Requested { (form("", &format!("{}/{}/redeliver", action(receiver), notice.id), &html! { button { "Send again" } })) } }
                }
            } }
        } }
    }
}

fn changing(receiver: &ReceiverRow) -> Markup {
    html! {
        details.card {
            summary { "Change" }
            (form("", &action(receiver), &html! {
                div.fields {
                    label for="name" { "Name" }
                    input #name name="name" required maxlength="60" value=(receiver.name);
                    label for="address" { "Where, if it shall be another" }
                    input #address name="address" maxlength="2000" autocomplete="off";
                    @if matches!(receiver.kind, Kind::Github | Kind::Cdevents) {
                        label for="token" { "Token, if it or the address shall be another" }
                        input #token type="password" name="token" maxlength="500" autocomplete="off";
                    }
                }
                input type="hidden" name="version" value=(receiver.version);
                (occasions(&reception::wanted(&receiver.wants)))
                button.primary { "Save" }
            }))
        }
    }
}
