//! The part of a site's settings that says when and how it is built.

use crate::problem::Problem;
use crate::settings::Wanted;
use events::building::{COMMAND_MAX, FOLDER_MAX, KEEP_DAYS_MAX, KEEP_DEPLOYS_MAX, PREVIEW_DAYS_MAX};
use events::ids::Invalid;
use events::{Building, CancelRunning, Network, Size};
use maud::{Markup, html};
use serde::Deserialize;
use std::fmt::Display;
use std::num::NonZeroU16;
use std::str::FromStr;

/// The fields as a browser sends them. The form of a new site has none of them.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Fields {
    cancel_running: Option<CancelRunning>,
    base_directory: Option<String>,
    command: Option<String>,
    output_directory: Option<String>,
    size: Option<Size>,
    network: Option<Network>,
    watch: Option<String>,
    ignore_branches: Option<String>,
    schedules: Option<String>,
    preview_days: Option<String>,
    keep_deploys: Option<String>,
    keep_days: Option<String>,
}

impl Fields {
    pub(super) fn wanted(&self) -> Result<Wanted, Problem> {
        Ok(Wanted {
            cancel_running: self.cancel_running.map(Some),
            base_directory: one(self.base_directory.as_deref())?,
            command: one(self.command.as_deref())?,
            output_directory: one(self.output_directory.as_deref())?,
            size: self.size.map(Some),
            network: self.network.map(Some),
            watch: lines(self.watch.as_deref())?,
            ignore_branches: lines(self.ignore_branches.as_deref())?,
            schedules: lines(self.schedules.as_deref())?,
            preview_days: self.preview_days.as_deref().map(|text| days(text.trim())).transpose()?,
            keep_deploys: self.keep_deploys.as_deref().map(|text| deploys(text.trim())).transpose()?,
            keep_days: self.keep_days.as_deref().map(|text| kept(text.trim())).transpose()?,
            ..Wanted::default()
        })
    }
}

/// A number of days, or none.
fn days(text: &str) -> Result<Option<NonZeroU16>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let days = text.parse().ok().filter(|days: &NonZeroU16| days.get() <= PREVIEW_DAYS_MAX);
    days.map(Some).ok_or_else(|| Problem::InvalidInput(format!("previews are shown for 1 to {PREVIEW_DAYS_MAX} days")))
}

/// A number of deploys, or the usual one.
fn deploys(text: &str) -> Result<Option<NonZeroU16>, Problem> {
    let Some(text) = Some(text).filter(|text| !text.is_empty()) else { return Ok(None) };
    let deploys = text.parse().ok().filter(|deploys: &NonZeroU16| deploys.get() <= KEEP_DEPLOYS_MAX);
    deploys.map(Some).ok_or_else(|| Problem::InvalidInput(format!("1 to {KEEP_DEPLOYS_MAX} deploys are kept")))
}

/// A number of days that deploys are kept for, or none.
fn kept(text: &str) -> Result<Option<u16>, Problem> {
    let Some(text) = Some(text).filter(|text| !text.is_empty()) else { return Ok(None) };
    let days = text.parse().ok().filter(|days: &u16| *days <= KEEP_DAYS_MAX);
    days.map(Some).ok_or_else(|| Problem::InvalidInput(format!("deploys are kept for 0 to {KEEP_DAYS_MAX} days")))
}

/// A field that asks for the default when it is empty.
fn one<T: FromStr<Err = Invalid>>(field: Option<&str>) -> Result<Option<Option<T>>, Problem> {
    let read = |text: &str| if text.is_empty() { Ok(None) } else { text.parse().map(Some) };
    Ok(field.map(|text| read(text.trim())).transpose()?)
}

/// A field of which each line is an entry.
fn lines<T: FromStr<Err = Invalid>>(field: Option<&str>) -> Result<Option<Option<Vec<T>>>, Problem> {
    let entries = |text: &str| {
        let kept = text.lines().map(str::trim).filter(|line| !line.is_empty());
        kept.map(str::parse).collect::<Result<Vec<T>, Invalid>>()
    };
    Ok(field.map(|text| entries(text).map(Some)).transpose()?)
}

const CANCEL_RUNNING: [(CancelRunning, &str); 3] = [
    (CancelRunning::Previews, "Previews only"),
    (CancelRunning::All, "Every branch, the live one too"),
    (CancelRunning::None, "No branch"),
];

const SIZES: [(Size, &str); 2] = [(Size::Standard, "Standard"), (Size::Large, "Large: more main memory")];

const NETWORKS: [(Network, &str); 3] =
    [(Network::Registries, "Registries of packages"), (Network::Full, "Any public host"), (Network::None, "Nothing")];

/// The fields of a site that is built so.
pub(super) fn fields(building: &Building) -> Markup {
    let Building { cancel_running, recipe, watch, ignore_branches, schedules, preview_days, keeping } = building;
    html! {
        fieldset {
            legend { "How it is built" }
            label for="base-directory" { "Folder of the site in the repository" }
            input #base-directory name="base_directory" maxlength=(FOLDER_MAX) placeholder="docs"
                value=(text(recipe.base_directory.as_ref())) aria-describedby="base-directory-help";
            small #base-directory-help { "Empty if the repository itself is the site. What is outside of it is there, but not published." }
            label for="command" { "Command" }
            textarea #command name="command" rows="2" maxlength=(COMMAND_MAX) placeholder="npm ci && npm run docs"
                aria-describedby="command-help" { (text(recipe.command.as_ref())) }
            small #command-help { "Run by a shell in that folder, in the place of what the engine runs. Empty to leave it to the engine." }
            label for="output-directory" { "Folder of its pages" }
            input #output-directory name="output_directory" maxlength=(FOLDER_MAX) placeholder="_site"
                value=(text(recipe.output_directory.as_ref())) aria-describedby="output-directory-help";
            small #output-directory-help { "Where the pages are after that, seen from the site's folder." }
            label for="network" { "What builds may reach" }
            select #network name="network" aria-describedby="network-help" {
                @for (choice, what) in NETWORKS { option value=(choice) selected[choice == recipe.network] { (what) } }
            }
            small #network-help { "Never this machine, private networks or the platform itself. The log says what was reached and what was refused." }
            label for="size" { "Size" }
            select #size name="size" {
                @for (choice, what) in SIZES { option value=(choice) selected[choice == recipe.size] { (what) } }
            }
        }
        fieldset {
            legend { "When it is built" }
            label for="watch" { "Files that matter" }
            textarea #watch name="watch" rows="3" placeholder="docs/**" aria-describedby="watch-help" { (listed(watch)) }
            small #watch-help { "One pattern a line. A push that changes none of them is told and not built. Empty for anything in the site's folder." }
            label for="ignore-branches" { "Branches that are not built" }
            textarea #ignore-branches name="ignore_branches" rows="3" placeholder="dependabot/**"
                aria-describedby="ignore-branches-help" { (listed(ignore_branches)) }
            small #ignore-branches-help { "One pattern a line. The live and the demo branch are always built." }
            label for="schedules" { "Schedules" }
            textarea #schedules name="schedules" rows="3" placeholder="main 0 6 * * MON-FRI Europe/London"
                aria-describedby="schedules-help" { (listed(schedules)) }
            small #schedules-help { "One a line: a branch, a line of cron (minute, hour, day, month, weekday), and a time zone if it is not UTC." }
            label for="preview-days" { "Days that a preview is shown" }
            input #preview-days name="preview_days" type="number" min="1" max=(PREVIEW_DAYS_MAX)
                value=(text(preview_days.as_ref())) aria-describedby="preview-days-help";
            small #preview-days-help { "After its newest build. Empty for as long as its branch is there." }
            label for="keep-deploys" { "Deploys that are kept" }
            input #keep-deploys name="keep_deploys" type="number" min="1" max=(KEEP_DEPLOYS_MAX)
                value=(keeping.deploys) aria-describedby="keep-deploys-help";
            small #keep-deploys-help { "The newest ones, to roll back to. What is shown is always kept." }
            label for="keep-days" { "Days that each deploy is kept" }
            input #keep-days name="keep_days" type="number" min="0" max=(KEEP_DAYS_MAX)
                value=(keeping.days) aria-describedby="keep-days-help";
            small #keep-days-help { "However many there are. 0 to go by their number alone." }
            label for="cancel-running" { "A newer push ends the build that runs" }
            select #cancel-running name="cancel_running" aria-describedby="cancel-running-help" {
                @for (choice, what) in CANCEL_RUNNING {
                    option value=(choice) selected[choice == *cancel_running] { (what) }
                }
            }
            small #cancel-running-help { "A build that still waits is always replaced by a newer one of its branch." }
        }
    }
}

fn text(value: Option<&impl Display>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn listed(entries: &[impl Display]) -> String {
    entries.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
