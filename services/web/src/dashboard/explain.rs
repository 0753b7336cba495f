//! Why readers of an address are answered as they are: a form for the address, and the chain from a push to what decides.

use super::event::words;
use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment};
use super::link::link;
use super::why;
use crate::commands::{self, Whose};
use crate::explaining::{self, Explained, Shown, URL_MAX};
use crate::people;
use crate::view::View;
use axum::Form;
use axum::extract::Query;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::response::Redirect;
use events::access::Mode;
use events::routing::{HostName, RoutePath};
use maud::{Markup, html};
use rules::REDIRECTS;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    url: String,
    /// Whether it was just purged.
    #[serde(default)]
    purged: bool,
}

/// What is to be asked for again.
#[derive(Deserialize)]
pub(super) struct Wanted {
    url: String,
    host: String,
    path: String,
}

/// Has edges ask the store again for what an address shows.
pub(super) async fn purge(view: View, form: Result<Form<Wanted>, FormRejection>) -> Result<Redirect, Failed> {
    let Form(Wanted { url, host, path }) = form?;
    let (host, path) = (host.parse::<HostName>()?, path.parse::<RoutePath>()?);
    commands::purge(&view, Whose::Host(host), Some(path), view.caller.clone()).await?;
    Ok(Redirect::to(&link("/explain", &[("url", &url), ("purged", "true")])))
}

pub(super) async fn show(view: View, which: Result<Query<Which>, QueryRejection>) -> Result<Markup, Failed> {
    let Query(Which { url, purged }) = which?;
    let told = match url.trim() {
        "" => html! {},
        url => told(&view, url, explaining::explain(&view, url).await?).await,
    };
    let done =
        "Purged: edges ask the store again for what they keep of this page, and show it until that has answered.";
    let content = html! {
        h1 { "Explain an answer" }
        p.lead { "What readers of an address are answered, and what led to it: from a push to the rule or the file that decides." }
        form.fields method="get" action="/explain" role="search" {
            label for="url" { "Address" }
            input #url name="url" value=(url) required maxlength=(URL_MAX) placeholder="https://docs.example.org/page" autocomplete="off";
            button.primary { "Explain" }
        }
        @if purged { p.notice role="status" { (done) } }
        (told)
    };
    Ok(Page { title: "Explain an answer", signed_in: true, refreshes: None }.render(&content))
}

async fn told(view: &View, url: &str, told: Explained) -> Markup {
    let Explained { host, path, status, location, decision, headers, shown, steps } = told;
    let names = people::actors(view, steps.iter().map(|step| &step.fact.actor)).await;
    html! {
        h2 { "What is answered" }
        dl.facts {
            div { dt { "Address" } dd { code { (host) (path) } } }
            div { dt { "Status" } dd { @match status { Some(status) => (status), None => "what the server behind it says" } } }
            @if let Some(location) = &location { div { dt { "Leads to" } dd { code { (location) } } } }
            @if let Some(page) = &decision.page { div { dt { "File" } dd { code { (page) } } } }
            @if let Some(shown) = &shown { (place(view, shown).await) (let_in(shown)) }
        }
        h2 { "What led to it" }
        ol { @for step in &steps {
            li { (capital(step.what)) ": " a href={ "/events/" (step.fact.sequence) } { (words(&step.fact)) } ", event " (step.fact.sequence) ", "
                (moment(step.fact.time)) ", " (names.of(&step.fact.actor)) }
        }
            li { "Decision: " (decision.text) @if let (Some(line), Some(shown)) = (decision.line, &shown) {
                " (" a href={ "/sites/" (shown.site.name) "/rules" } { code { (REDIRECTS) ":" (line) } } ")"
            } }
            @for heading in &headers { li { "Headers: line " (heading.line) " of " code { (heading.file) } " changes them, for " code { (heading.text) } } }
        }
        @if shown.is_some() { (again(&html! {
            input type="hidden" name="url" value=(url);
            input type="hidden" name="host" value=(host);
            input type="hidden" name="path" value=(path);
        })) }
    }
}

async fn place(view: &View, shown: &Shown) -> Markup {
    let names = why::names(view, shown.deploy.as_slice(), Vec::new()).await;
    html! {
        div { dt { "Site" } dd { a href={ "/sites/" (shown.site.name) } { (shown.site.name) } @if let Some(alias) = &shown.alias { ", " (alias) } } }
        @if let Some(deploy) = &shown.deploy {
            div { dt { "Deploy" } dd { a href={ "/deploys/" (deploy.id) } { (deploy.id) } } }
            div { dt { "Build" } dd { a href={ "/builds/" (deploy.build) } { "#" (deploy.number) } } }
            div { dt { "Commit" } dd { code { (deploy.commit.short()) } @if let Some(who) = deploy.why.as_ref().and_then(|told| why::who(told, &names)) { ", " (who) } } }
        }
    }
}

/// What is told is what they are answered who are let in.
fn let_in(shown: &Shown) -> Markup {
    let who = match shown.access() {
        Mode::Public => return html! {},
        Mode::Password => "Whoever knows the password; others are asked for it",
        Mode::Members => "Members who have signed in; others are asked to",
        Mode::Link => "Whoever has a share link; for others there is no such site",
    };
    html! { div { dt { "Who is let in" } dd { (who) } } }
}

/// For whoever has mended the store, or taken something out of it.
fn again(fields: &Markup) -> Markup {
    html! {
        h2 { "Purge" }
        p { "Edges ask the store again for what they keep of this page. A new version of it needs none: it is shown as soon as it is promoted." }
        (form("inline", "/purge", &html! { (fields) button { "Purge this page" } }))
    }
}

fn capital(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}
