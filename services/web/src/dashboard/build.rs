//! The page of a build: what it is, where it stands, and its log, which grows while somebody watches.

mod commit;
mod effort;
mod log;

use super::ansi;
use super::failed::Failed;
use super::form::form;
use super::layout::{Page, duration, moment, number, pill, sentence, spoken};
use super::link::link;
use super::rules;
use super::why;
use crate::app::Shared;
use crate::caller::Caller;
use crate::commands::{self, Cache};
use crate::people::{self, Names};
use crate::view::View;
use axum::Extension;
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{self, Form, Path, Query};
use axum::response::Redirect;
use events::{Actor, BuildId, PullRequest, RepositoryUrl};
use maud::{Markup, html};
use projections::builds::{BuildRow, State};
use runtime::build_log::Chunk;
use serde::Deserialize;

/// Lines of the build's own that are shown beside the reason why it failed.
const LAST_LINES: usize = 8;
/// How lines of the log begin that are not the build's own.
const OURS: &str = "[pagefold]";

/// What is sought in the log.
#[derive(Deserialize)]
pub(super) struct Sought {
    #[serde(default)]
    search: String,
}

type Id = Result<Path<String>, PathRejection>;

pub(super) async fn show(view: View, id: Id, sought: Result<Query<Sought>, QueryRejection>) -> Result<Markup, Failed> {
    let (id, Query(sought)) = (id?.0.parse::<BuildId>()?, sought?);
    let build = view.build(id).await?;
    let repository = view.model.site(build.site).await?.map(|site| site.settings.repository);
    let log = view.tails.rest(id, 0).await;
    let site = build.site_name.as_ref().map_or_else(|| build.site.to_string(), ToString::to_string);
    let title = format!("Build {} of {site}", number(&build));
    let told = [build.requested_by.clone().map(Actor), build.author.as_ref().and_then(why::person)];
    let names = people::actors(&view, told.iter().flatten()).await;
    let unused = rules::unused_of(&view, build.site, build.deploy.as_ref()).await;
    let content = html! {
        p.crumbs { a href={ "/sites/" (site) } { (site) } }
        div.title { h1 { "Build " (number(&build)) } span #state { (pill(build.state)) } }
        p.lead { (build.summary) }
        @if !build.reason.is_empty() { p.notice { (spoken(&sentence(&build.reason))) } }
        @if let Some(hint) = &build.hint { p.lead { (spoken(hint)) } }
        @if let (State::Failure, Ok(chunks)) = (build.state, &log) { (last_lines(chunks)) }
        (facts(&build, &names, repository.as_ref()))
        (effort::section(&build))
        (unused)
        (actions(&build))
        h2 { "Log" }
        // While it grows it is not fetched anew with the rest of the page.
        div #log-part data-keep {
            @match &log {
                Ok(chunks) => (log::part(&build, chunks, sought.search.trim())),
                Err(problem) => p.notice role="alert" { (sentence(&problem.to_string())) },
            }
        }
    };
    let refreshes = (!build.state.has_ended()).then(|| build.site.to_string());
    Ok(Page { title: &title, signed_in: true, refreshes }.render(&content))
}

/// What a build that failed said last, which is mostly why.
fn last_lines(chunks: &[Chunk]) -> Markup {
    let text = log::text(chunks);
    let said = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(OURS));
    let lines: Vec<&str> = said.collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    html! {
        @if !last.is_empty() {
            p.faint { "The last it said:" }
            pre.excerpt role="region" tabindex="0" aria-label="The last lines" { (ansi::coloured(&last.join("\n"))) }
        }
    }
}

fn facts(build: &BuildRow, names: &Names, repository: Option<&RepositoryUrl>) -> Markup {
    let commit = build.commit.as_ref();
    let address = repository.zip(commit).and_then(|(repository, commit)| commit::page(repository, commit));
    html! {
        dl.facts {
            div { dt { "Branch" } dd { (build.branch) } }
            @if let Some(pull) = &build.pull_request {
                div { dt { "Pull request" } dd { "#" (pull.number) @if let Some(fork) = &pull.fork { " from " (fork) } } }
            }
            @if let Some(author) = &build.author { div { dt { "Author" } dd { (why::written_by(author, names)) } } }
            @if let Some(commit) = commit { div { dt { "Commit" } dd { @match &address {
                Some(address) => a href=(address) rel="noreferrer" { code { (commit.short()) } },
                None => code title=(commit) { (commit.short()) },
            } } } }
            div { dt { "Queued" } dd { (moment(build.created_at)) @if let Some(who) = &build.requested_by { " by " (names.of(&Actor(who.clone()))) } } }
            @if let Some(at) = build.started_at { div { dt { "Started" } dd { (moment(at)) @if build.attempt > 1 { ", attempt " (build.attempt) } } } }
            @if let Some(at) = build.ended_at { div { dt { "Ended" } dd { (moment(at)) } } }
            @if let Some(ms) = build.duration_ms { div { dt { "Took" } dd { (duration(ms)) } } }
            @if let Some(deploy) = &build.deploy { div { dt { "Deploy" } dd { a href={ "/deploys/" (deploy) } { code { (deploy) } } } } }
            @if build.clear_cache { div { dt { "Cache" } dd { "cleared before it" } } }
            @if let Some(newer) = build.superseded_by { div { dt { "Superseded by" } dd { a href={ "/builds/" (newer) } { "a newer build" } } } }
        }
    }
}

fn actions(build: &BuildRow) -> Markup {
    let story = link("/timeline", &[("correlation", &build.correlation.to_string())]);
    html! {
        div.actions {
            a href=(story) { "Its story" }
            @if !build.state.has_ended() {
                (form("", &format!("/builds/{}/cancel", build.id), &html! { button.danger { "Cancel" } }))
            } @else {
                (form("", &format!("/builds/{}/retry", build.id), &html! {
                    button { (again(build)) }
                    @if build.number.is_some() { button name="clear_cache" value="true" { "Build again without cache" } }
                }))
            }
        }
    }
}

/// What comes from a fork and was not built is approved by having it built.
fn again(build: &BuildRow) -> &'static str {
    let is_of_fork = build.pull_request.as_ref().is_some_and(PullRequest::is_of_fork);
    if is_of_fork && build.state == State::Skipped { "Approve and build" } else { "Build again" }
}

/// Which of the buttons was pressed.
#[derive(Deserialize)]
pub(super) struct How {
    #[serde(default)]
    clear_cache: bool,
}

pub(super) async fn retry(
    extract::State(app): extract::State<Shared>,
    Extension(caller): Extension<Caller>,
    id: Id,
    form: Result<Form<How>, FormRejection>,
) -> Result<Redirect, Failed> {
    let Form(how) = form?;
    let cache = if how.clear_cache { Cache::Clear } else { Cache::Use };
    let next = commands::retry_build(&app, id?.0.parse()?, cache, caller).await?;
    Ok(Redirect::to(&format!("/builds/{next}")))
}

pub(super) async fn cancel(
    extract::State(app): extract::State<Shared>,
    Extension(caller): Extension<Caller>,
    id: Id,
) -> Result<Redirect, Failed> {
    let id: BuildId = id?.0.parse()?;
    commands::cancel_build(&app, id, caller).await?;
    Ok(Redirect::to(&format!("/builds/{id}")))
}
