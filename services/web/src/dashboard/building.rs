//! The part of a site's settings that says when and how it is built.

use super::typed::{Typed, Wrong};
use crate::settings::Wanted;
use events::building::{COMMAND_MAX, FOLDER_MAX, KEEP_DAYS_MAX, KEEP_DEPLOYS_MAX, PREVIEW_DAYS_MAX};
use events::{Building, CancelRunning, Network, PullRequests, Size};
use maud::{Markup, html};
use std::fmt::Display;
use std::num::NonZeroU16;

/// What the fields ask for. The form of a new site has none of them.
pub(super) fn wanted(typed: &Typed) -> Result<Wanted, Wrong> {
    Ok(Wanted {
        cancel_running: typed.choice("cancel_running")?.map(Some),
        base_directory: typed.read_or_default("base_directory")?,
        command: typed.read_or_default("command")?,
        output_directory: typed.read_or_default("output_directory")?,
        size: typed.choice("size")?.map(Some),
        network: typed.choice("network")?.map(Some),
        watch: typed.lines("watch")?,
        ignore_branches: typed.lines("ignore_branches")?,
        schedules: typed.lines("schedules")?,
        preview_days: typed.read_with("preview_days", days)?,
        keep_deploys: typed.read_with("keep_deploys", deploys)?,
        keep_days: typed.read_with("keep_days", kept)?,
        pull_requests: typed.choice("pull_requests")?.map(Some),
        ..Wanted::default()
    })
}

/// A number of days that previews are shown for.
fn days(text: &str) -> Result<NonZeroU16, String> {
    let days = text.parse().ok().filter(|days: &NonZeroU16| days.get() <= PREVIEW_DAYS_MAX);
    days.ok_or_else(|| format!("previews are shown for 1 to {PREVIEW_DAYS_MAX} days"))
}

/// A number of deploys that are kept.
fn deploys(text: &str) -> Result<NonZeroU16, String> {
    let deploys = text.parse().ok().filter(|deploys: &NonZeroU16| deploys.get() <= KEEP_DEPLOYS_MAX);
    deploys.ok_or_else(|| format!("1 to {KEEP_DEPLOYS_MAX} deploys are kept"))
}

/// A number of days that deploys are kept for.
fn kept(text: &str) -> Result<u16, String> {
    let days = text.parse().ok().filter(|days: &u16| *days <= KEEP_DAYS_MAX);
    days.ok_or_else(|| format!("deploys are kept for 0 to {KEEP_DAYS_MAX} days"))
}

/// The fields of a site that is built so, beside others.
pub(super) fn shown(typed: Typed, building: &Building) -> Typed {
    let Building { cancel_running, recipe, watch, ignore_branches, schedules, preview_days, keeping, pull_requests } =
        building;
    let typed = typed.with("base_directory", text(recipe.base_directory.as_ref()));
    let typed = typed.with("command", text(recipe.command.as_ref()));
    let typed = typed.with("output_directory", text(recipe.output_directory.as_ref()));
    let typed = typed.with("network", recipe.network).with("size", recipe.size).with("watch", listed(watch));
    let typed = typed.with("ignore_branches", listed(ignore_branches)).with("schedules", listed(schedules));
    let typed = typed.with("keep_deploys", keeping.deploys).with("keep_days", keeping.days);
    let typed = typed.with("pull_requests", pull_requests);
    typed.with("preview_days", text(preview_days.as_ref())).with("cancel_running", cancel_running)
}

const CANCEL_RUNNING: [(CancelRunning, &str); 3] = [
    (CancelRunning::Previews, "Previews only"),
    (CancelRunning::All, "Every branch, the live one too"),
    (CancelRunning::None, "No branch"),
];

const PULL_REQUESTS: [(PullRequests, &str); 3] = [
    (PullRequests::Approved, "Those of its own branches; from a fork when a member approves"),
    (PullRequests::All, "All, without asking"),
    (PullRequests::None, "None"),
];

const SIZES: [(Size, &str); 2] = [(Size::Standard, "Standard"), (Size::Large, "Large: more main memory")];

const NETWORKS: [(Network, &str); 3] =
    [(Network::Registries, "Registries of packages"), (Network::Full, "Any public host"), (Network::None, "Nothing")];

pub(super) fn fields(typed: &Typed) -> Markup {
    html! { (how(typed)) (when(typed)) }
}

fn how(typed: &Typed) -> Markup {
    html! {
        fieldset {
            legend { "How it is built" }
            label for="base-directory" { "Folder of the site in the repository" }
            input #base-directory name="base_directory" maxlength=(FOLDER_MAX) placeholder="docs"
                value=(typed.text("base_directory"))
                aria-invalid=[typed.invalid("base_directory")] aria-describedby=[typed.described("base_directory", Some("base-directory-help"))];
            (typed.said("base_directory"))
            small #base-directory-help { "Empty if the repository itself is the site. What is outside of it is there, but not published." }
            label for="command" { "Command" }
            textarea #command name="command" rows="2" maxlength=(COMMAND_MAX) placeholder="npm ci && npm run docs"
                aria-invalid=[typed.invalid("command")] aria-describedby=[typed.described("command", Some("command-help"))] { "\n" (typed.text("command")) }
            (typed.said("command"))
            small #command-help { "Run by a shell in that folder, in the place of what the engine runs. Empty to leave it to the engine." }
            label for="output-directory" { "Folder of its pages" }
            input #output-directory name="output_directory" maxlength=(FOLDER_MAX) placeholder="_site"
                value=(typed.text("output_directory"))
                aria-invalid=[typed.invalid("output_directory")] aria-describedby=[typed.described("output_directory", Some("output-directory-help"))];
            (typed.said("output_directory"))
            small #output-directory-help { "Where the pages are after that, seen from the site's folder." }
            label for="network" { "What builds may reach" }
            select #network name="network" aria-describedby=[typed.described("network", Some("network-help"))] {
                @for (choice, what) in NETWORKS { option value=(choice) selected[choice.to_string() == typed.text("network")] { (what) } }
            }
            (typed.said("network"))
            small #network-help { "Never this machine, private networks or the platform itself. The log says what was reached and what was refused." }
            label for="size" { "Size" }
            select #size name="size" aria-describedby=[typed.described("size", None)] {
                @for (choice, what) in SIZES { option value=(choice) selected[choice.to_string() == typed.text("size")] { (what) } }
            }
            (typed.said("size"))
        }
    }
}

fn when(typed: &Typed) -> Markup {
    html! {
        fieldset {
            legend { "When it is built" }
            label for="watch" { "Files that matter" }
            textarea #watch name="watch" rows="3" placeholder="docs/**" aria-invalid=[typed.invalid("watch")] aria-describedby=[typed.described("watch", Some("watch-help"))] { "\n" (typed.text("watch")) }
            (typed.said("watch"))
            small #watch-help { "One pattern a line. A push that changes none of them is told and not built. Empty for anything in the site's folder." }
            label for="ignore-branches" { "Branches that are not built" }
            textarea #ignore-branches name="ignore_branches" rows="3" placeholder="dependabot/**"
                aria-invalid=[typed.invalid("ignore_branches")] aria-describedby=[typed.described("ignore_branches", Some("ignore-branches-help"))] { "\n" (typed.text("ignore_branches")) }
            (typed.said("ignore_branches"))
            small #ignore-branches-help { "One pattern a line. The live and the demo branch are always built." }
            label for="pull-requests" { "Pull requests that are built" }
            select #pull-requests name="pull_requests" aria-describedby=[typed.described("pull_requests", Some("pull-requests-help"))] {
                @for (choice, what) in PULL_REQUESTS {
                    option value=(choice) selected[choice.to_string() == typed.text("pull_requests")] { (what) }
                }
            }
            (typed.said("pull_requests"))
            small #pull-requests-help { "What comes from a fork is given no variables and no access of the site." }
            label for="schedules" { "Schedules" }
            textarea #schedules name="schedules" rows="3" placeholder="main 0 6 * * MON-FRI Europe/London"
                aria-invalid=[typed.invalid("schedules")] aria-describedby=[typed.described("schedules", Some("schedules-help"))] { "\n" (typed.text("schedules")) }
            (typed.said("schedules"))
            small #schedules-help { "One a line: a branch, a line of cron (minute, hour, day, month, weekday), and a time zone if it is not UTC." }
            label for="preview-days" { "Days that a preview is shown" }
            input #preview-days name="preview_days" type="number" min="1" max=(PREVIEW_DAYS_MAX)
                value=(typed.text("preview_days"))
                aria-invalid=[typed.invalid("preview_days")] aria-describedby=[typed.described("preview_days", Some("preview-days-help"))];
            (typed.said("preview_days"))
            small #preview-days-help { "After its newest build. Empty for as long as its branch is there." }
            label for="keep-deploys" { "Deploys that are kept" }
            input #keep-deploys name="keep_deploys" type="number" min="1" max=(KEEP_DEPLOYS_MAX) value=(typed.text("keep_deploys"))
                aria-invalid=[typed.invalid("keep_deploys")] aria-describedby=[typed.described("keep_deploys", Some("keep-deploys-help"))];
            (typed.said("keep_deploys"))
            small #keep-deploys-help { "The newest ones, to roll back to. What is shown is always kept." }
            label for="keep-days" { "Days that each deploy is kept" }
            input #keep-days name="keep_days" type="number" min="0" max=(KEEP_DAYS_MAX) value=(typed.text("keep_days"))
                aria-invalid=[typed.invalid("keep_days")] aria-describedby=[typed.described("keep_days", Some("keep-days-help"))];
            (typed.said("keep_days"))
            small #keep-days-help { "However many there are. 0 to go by their number alone." }
            label for="cancel-running" { "A newer push ends the build that runs" }
            select #cancel-running name="cancel_running" aria-describedby=[typed.described("cancel_running", Some("cancel-running-help"))] {
                @for (choice, what) in CANCEL_RUNNING {
                    option value=(choice) selected[choice.to_string() == typed.text("cancel_running")] { (what) }
                }
            }
            (typed.said("cancel_running"))
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
