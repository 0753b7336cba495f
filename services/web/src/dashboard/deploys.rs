//! The deploys of a site, as a table and on pages of their own, and what a person may do about each.

use super::failed::Failed;
use super::form::form;
use super::layout::{Page, moment, size};
use super::older::{Asked, ROWS};
use super::why;
use crate::app::App;
use crate::people::Names;
use events::AliasName;
use maud::{Markup, html};
use projections::aliases::AliasRow;
use projections::deploys::DeployRow;
use projections::sites::SiteRow;

/// Aliases that a deploy may be shown as; previews come and go, and only one is of a deploy's branch.
const ALIASES: u32 = 1000;

pub(super) async fn list(asked: Asked) -> Result<Markup, Failed> {
    let site = &asked.site;
    let deploys = asked.view.model.deploys(site.id, ROWS, asked.before).await?;
    let aliases = asked.view.model.aliases(site.id, ALIASES, None).await?;
    let names = why::names(&asked.view, &deploys, Vec::new()).await;
    let content = html! {
        (asked.crumbs())
        h1 { "Deploys" }
        @if deploys.is_empty() { p.empty { "No deploys here." } } @else { (Table { app: &asked.view, site, aliases: &aliases, names: &names }.of(&deploys)) }
        (asked.older("deploys", &deploys, |deploy| deploy.source_sequence))
    };
    Ok(Page { title: &format!("Deploys of {}", site.name), signed_in: true, refreshes: None }.render(&content))
}

/// Characters of an alias that are shown on a button.
const SHOWN_MAX: usize = 32;

/// Deploys of a site as rows, with what is needed to tell of them.
pub(super) struct Table<'a> {
    pub(super) app: &'a App,
    pub(super) site: &'a SiteRow,
    pub(super) aliases: &'a [AliasRow],
    pub(super) names: &'a Names,
}

impl Table<'_> {
    pub(super) fn of(&self, deploys: &[DeployRow]) -> Markup {
        html! {
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { "Deploy" } th scope="col" { "Who" } th scope="col" { "Why" }
                        th scope="col" { "When" } th scope="col" { "Build" } th scope="col" { "Files" }
                        th scope="col" { "Shown as" }
                    } }
                    tbody { @for deploy in deploys { (self.row(deploy)) } }
                }
            }
        }
    }

    fn row(&self, deploy: &DeployRow) -> Markup {
        let who = deploy.why.as_ref().and_then(|told| why::who(told, self.names));
        html! {
            tr {
                th scope="row" {
                    a href={ "/deploys/" (deploy.id) } { code { (deploy.id) } } " "
                    @if deploy.collected_at.is_none() { a href=(self.app.sites_url.deploy(&self.site.name, &deploy.id)) rel="noreferrer" aria-label={ "Open " (deploy.id) } { "Open" } }
                }
                td.who title=[who.as_deref()] { (who.as_deref().unwrap_or("–")) }
                td.wide { @if let Some(told) = &deploy.why { (why::why(told, self.names)) } @else { "–" } }
                td { (moment(deploy.created_at)) }
                td { a href={ "/builds/" (deploy.build) } { "#" (deploy.number) } " " span.branch title=(deploy.branch) { (deploy.branch) } " " code { (deploy.commit.short()) } }
                td { (deploy.files) ", " (size(deploy.bytes)) }
                td { (switches(deploy, self.aliases)) }
            }
        }
    }
}

/// Every alias that is about this branch or that a person moves by hand: where it shows the deploy, and how to make it so.
pub(super) fn switches(deploy: &DeployRow, aliases: &[AliasRow]) -> Markup {
    // What was made for a preview was never live: showing it there is no way back.
    let goes_back = |alias: &AliasRow| deploy.alias == alias.alias && deploy.source_sequence < alias.source_sequence;
    let preview = AliasName::Preview(deploy.branch.clone());
    let offered = |alias: &&AliasRow| match &alias.alias {
        AliasName::Live | AliasName::Demo => true,
        AliasName::Preview(_) => alias.alias == preview,
    };
    if let Some(at) = deploy.collected_at {
        return html! { span.faint { "Not kept since " (moment(at)) } };
    }
    html! {
        div.switches {
            @for alias in aliases.iter().filter(offered) {
                @if alias.deploy == deploy.id {
                    span.pill data-state="success" title=(alias.alias) { (shortened(&alias.alias)) }
                } @else {
                    (form("", &format!("/sites/{}/aliases", deploy.site), &html! {
                        input type="hidden" name="alias" value=(alias.alias);
                        input type="hidden" name="deploy" value=(deploy.id);
                        input type="hidden" name="expected" value=(alias.deploy);
                        button aria-label={ @if goes_back(alias) { "Roll " (alias.alias) " back to deploy " (deploy.id) } @else { "Show as " (alias.alias) ": deploy " (deploy.id) } } {
                            @if goes_back(alias) { "Roll " (shortened(&alias.alias)) " back" } @else { "Show as " (shortened(&alias.alias)) }
                        }
                    }))
                }
            }
        }
    }
}

/// An alias as it fits on a button; its whole name is told beside it.
fn shortened(alias: &AliasName) -> String {
    let name = alias.to_string();
    match name.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}
