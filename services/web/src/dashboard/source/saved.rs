//! What a saved change leads to: the build of its commit, and where that is shown.

use super::super::layout::{number, pill};
use crate::commands::Tip;
use crate::problem::Problem;
use crate::view::View;
use events::AliasName;
use maud::{Markup, html};
use projections::builds::State;
use projections::sites::SiteRow;

/// Builds among which that of a commit is looked for: it is one of the newest.
const NEWEST: u32 = 20;

pub(super) async fn section(view: &View, site: &SiteRow, tip: &Tip) -> Result<Markup, Problem> {
    let builds = view.model.builds(site.id, NEWEST, None).await?;
    let build = builds.iter().find(|build| build.commit.as_ref() == Some(&tip.commit) && build.branch == tip.branch);
    let alias = if tip.branch == site.settings.branch {
        AliasName::Live
    } else if site.settings.demo_branch.as_ref() == Some(&tip.branch) {
        AliasName::Demo
    } else {
        AliasName::Preview(tip.branch.clone())
    };
    let url = view.sites_url.alias(&site.name, &alias);
    let is_shown = build.is_some_and(|build| build.state == State::Success);
    Ok(html! {
        section.card #saved role="status" {
            h2 { "Saved" }
            p {
                "Your change is " code { (tip.commit.short()) } " on " code { (tip.branch) } ". "
                @match build {
                    Some(build) => { "It is built by " a href={ "/builds/" (build.id) } { "build " (number(build)) } " " (pill(build.state)) "." }
                    None => "Its build is queued in a moment.",
                }
            }
            p { @if is_shown { "It is shown at " } @else { "It will be shown at " } a href=(url) rel="noreferrer" { (url) } "." }
        }
    })
}
