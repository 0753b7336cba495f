//! The receivers of a site: who is told what happens to it, and how to have another told.

mod adding;

use super::failed::Failed;
use super::layout::{Page, moment};
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, NewReception};
use crate::place::Place;
use crate::problem::Problem;
use crate::reception;
use crate::view::View;
use adding::adding;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::{Extension, Form};
use events::ReceiverId;
use events::receiver::{Kind, Occasion, RECEIVERS_MAX};
use maud::{Markup, html};
use projections::notices::{NoticeRow, State as Became};
use projections::receivers::ReceiverRow;
use projections::sites::SiteRow;
use std::collections::{BTreeSet, HashMap};

/// The fields as a browser sends them: a name may be there several times.
type Pairs = Result<Form<Vec<(String, String)>>, FormRejection>;
type One = Result<Path<String>, PathRejection>;
type Two = Result<Path<(String, String)>, PathRejection>;

#[expect(clippy::cast_possible_truncation, reason = "a handful of receivers")]
const ROWS: u32 = RECEIVERS_MAX as u32;

pub(super) async fn list(view: View, site: One) -> Result<Markup, Failed> {
    let site = view.site(&site?.0.parse()?).await?;
    page(&view, &site, None).await
}

pub(super) async fn create(view: View, site: One, form: Pairs) -> Result<Markup, Failed> {
    let (site, fields) = (view.site(&site?.0.parse()?).await?, Fields(form?.0));
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == fields.one("kind"));
    let kind = kind.ok_or_else(|| Problem::InvalidInput("there is no such kind of receiver".to_owned()))?;
    let (name, wants) = (fields.one("name").trim().parse()?, Some(fields.wants()));
    let token = Some(fields.one("token").to_owned());
    let new = commands::NewReceiver { kind, name, wants, address: fields.one("address").to_owned(), token };
    let made = commands::create_receiver(&view.app, &Place::Id(site.id), new, view.caller.clone()).await?;
    page(&view, &site, Some(&made)).await
}

pub(super) async fn change(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    path: Two,
    form: Pairs,
) -> Result<Redirect, Failed> {
    let ((place, id), fields) = (named(path)?, Fields(form?.0));
    let given = |name: &str| Some(fields.one(name).trim().to_owned()).filter(|text| !text.is_empty());
    let edit = commands::ReceiverEdit {
        name: given("name").map(|name| name.parse()).transpose()?,
        wants: Some(fields.wants()),
        address: given("address"),
        token: given("token"),
        seen: fields.one("version").parse().ok().into(),
    };
    commands::change_receiver(&app, &place, id, edit, caller).await?;
    Ok(back(&place, id))
}

pub(super) async fn test(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    path: Two,
) -> Result<Redirect, Failed> {
    let (place, id) = named(path)?;
    commands::test_receiver(&app, &place, id, caller).await?;
    Ok(back(&place, id))
}

pub(super) async fn remove(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    path: Two,
) -> Result<Redirect, Failed> {
    let (place, id) = named(path)?;
    commands::remove_receiver(&app, &place, id, caller).await?;
    Ok(Redirect::to(&format!("/sites/{place}/notices")))
}

fn named(path: Two) -> Result<(Place, ReceiverId), Problem> {
    let Path((site, id)) = path?;
    Ok((site.parse()?, id.parse()?))
}

fn back(place: &Place, id: ReceiverId) -> Redirect {
    Redirect::to(&format!("/sites/{place}/notices/{id}"))
}

/// The fields of a form.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    fn wants(&self) -> BTreeSet<Occasion> {
        let words = self.0.iter().filter(|(name, _)| name == "wants").map(|(_, word)| word.as_str());
        reception::wanted(&words.collect::<Vec<_>>().join(" "))
    }
}

async fn page(view: &View, site: &SiteRow, made: Option<&NewReception>) -> Result<Markup, Failed> {
    let receivers = view.model.receivers(site.id, ROWS, None).await?;
    let sealed: Vec<_> = receivers.iter().map(|row| (row.kind, row.address.clone())).collect();
    let addresses = reception::addresses(view, site.id, &sealed).await?;
    let last = view.model.last_notices(site.id).await?;
    let last = last.into_iter().map(|notice| (notice.receiver, notice)).collect();
    let content = html! {
        p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } }
        h1 { "Notices" }
        p.lead { "Who is told what happens to this site, from the moment that they are added here." }
        @if let Some(NewReception { secret: Some(secret), .. }) = made {
            p.notice role="status" { "What it receives is signed with " code { (secret) } ". It is shown this once: copy it now." }
        }
        @if receivers.is_empty() { p.empty { "Nobody is told yet." } }
        @else { (table(site, &receivers, &addresses, &last)) }
        (adding(site, view.app.mailer.is_some()))
    };
    Ok(Page { title: &format!("Notices of {}", site.name), signed_in: true, refreshes: Some(site.id.to_string()) }
        .render(&content))
}

fn table(
    site: &SiteRow,
    receivers: &[ReceiverRow],
    addresses: &[String],
    last: &HashMap<ReceiverId, NoticeRow>,
) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "Receiver" } th scope="col" { "Kind" } th scope="col" { "Where" } th scope="col" { "Last notice" } } }
            tbody { @for (receiver, address) in receivers.iter().zip(addresses) {
                tr {
                    th scope="row" { a href={ "/sites/" (site.name) "/notices/" (receiver.id) } { (receiver.name) } }
                    td { (kind(receiver.kind)) }
                    td.wide { (address) }
                    td { @match last.get(&receiver.id) { Some(notice) => { (pill(notice.state)) " " (moment(notice.at)) }, None => "none yet" } }
                }
            } }
        } }
    }
}

/// What became of a notice.
pub(super) fn pill(state: Became) -> Markup {
    let (looks, word) = match state {
        Became::Delivered => ("success", "delivered"),
        Became::Failed => ("failure", "failed"),
        Became::Requested => ("queued", "on its way"),
    };
    html! { span.pill data-state=(looks) { (word) } }
}

/// How somebody is told, in words.
pub(super) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Webhook => "signed webhook",
        Kind::Slack => "Slack, or a chat that takes its webhooks",
        Kind::Email => "mail",
        Kind::Github => "GitHub, on commits and pull requests",
        Kind::Cdevents => "CDEvents",
    }
}

/// What may be told of, each to be ticked.
pub(super) fn occasions(wants: &BTreeSet<Occasion>) -> Markup {
    html! {
        fieldset.choices {
            legend { "Tell of" }
            @for occasion in Occasion::WANTED {
                label { input type="checkbox" name="wants" value=(occasion.as_str()) checked[wants.contains(&occasion)]; " " (occasion.words()) }
            }
        }
    }
}
