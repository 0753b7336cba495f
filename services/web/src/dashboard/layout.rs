//! What all pages share: the frame, and how states, times and sizes look.

use super::form::form;
use super::known;
use super::policy;
use crate::assets::{SCRIPT, STYLE};
use events::RepositoryUrl;
use maud::{DOCTYPE, Markup, html};
use projections::builds::{BuildRow, State};
use std::sync::LazyLock;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// The names of all facts: a browser hears a named event only if it asks for it by name.
static FACTS: LazyLock<String> =
    LazyLock::new(|| events::schema::facts().into_keys().collect::<Vec<String>>().join(" "));

/// The frame of a page.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    pub(super) signed_in: bool,
    /// The live events after which the page should be fetched anew.
    pub(super) refreshes: Option<String>,
}

impl Page<'_> {
    pub(super) fn render(&self, content: &Markup) -> Markup {
        let nonce = policy::nonce();
        let known = self.refreshes.as_ref().and_then(|_| known::up_to());
        html! {
            (DOCTYPE)
            html lang="en" data-facts=(*FACTS) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Pagefold" }
                    link rel="icon" href="data:,";
                    link rel="stylesheet" href=(STYLE.path()) nonce=[nonce.as_deref()];
                    script src=(SCRIPT.path()) nonce=[nonce.as_deref()] defer {}
                }
                body {
                    a.skip href="#content" { "Skip to content" }
                    header {
                        a.brand href="/" { "Pagefold" }
                        @if self.signed_in {
                            nav aria-label="Main" {
                                a href="/" { "Home" }
                                a href="/organizations" { "Organizations" }
                                a href="/routes" { "Routes" }
                                a href="/timeline" { "Timeline" }
                                a href="/audit" { "Audit" }
                                a href="/account" { "Account" }
                            }
                            (form("", "/logout", &html! { button.quiet { "Sign out" } }))
                        }
                    }
                    main #content tabindex="-1" data-refresh=[self.refreshes.as_deref()] data-known=[known] { (content) }
                    footer { span #zone { "Times are UTC." } " " a href="/api/v1/openapi.json" { "API" } }
                }
            }
        }
    }
}

/// A moment, for people and for programs. A script shows it in the reader's own time, and the title stays.
pub(super) fn moment(at: OffsetDateTime) -> Markup {
    let shown = written(at);
    html! { time datetime=(at.format(&Rfc3339).unwrap_or_default()) title={ (shown) " UTC" } { (shown) } }
}

/// A moment in the name of something, where no script shows it otherwise.
pub(super) fn spoken_time(at: OffsetDateTime) -> String {
    format!("{} UTC", written(at))
}

fn written(at: OffsetDateTime) -> String {
    let people = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]:[second]");
    at.format(people).unwrap_or_default()
}

/// Where a site's source is, for people.
pub(super) fn repository(repository: &RepositoryUrl) -> Markup {
    html! { @if repository.own_site().is_some() { "its own repository, kept here" } @else { code { (repository) } } }
}

/// So many days, as people say it.
pub(super) fn days(number: u64) -> String {
    if number == 1 { "day".to_owned() } else { format!("{number} days") }
}

/// A build's state, in words and colour.
pub(super) fn pill(state: State) -> Markup {
    let name = state_name(state);
    html! { span.pill data-state=(name) { (name) } }
}

pub(super) const fn state_name(state: State) -> &'static str {
    match state {
        State::Queued => "queued",
        State::Dispatched => "dispatched",
        State::Started => "started",
        State::Success => "success",
        State::Failure => "failure",
        State::Error => "error",
        State::Timeout => "timeout",
        State::Canceled => "canceled",
        State::Skipped => "skipped",
    }
}

/// What people call a build in its site.
pub(super) fn number(build: &BuildRow) -> String {
    build.number.map_or_else(|| "(not queued yet)".to_owned(), |number| format!("#{number}"))
}

/// Builds as rows, under a heading that the caller gives.
pub(super) fn builds(builds: &[BuildRow]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr {
                    th scope="col" { "Build" } th scope="col" { "State" } th scope="col" { "Branch" }
                    th scope="col" { "What" } th scope="col" { "Queued" } th scope="col" { "Took" }
                } }
                tbody {
                    @for build in builds {
                        tr {
                            td { a href={ "/builds/" (build.id) } { (number(build)) } }
                            td { (pill(build.state)) }
                            td { span.branch title=(build.branch) { (build.branch) } @if let Some(commit) = &build.commit { " " code { (commit.short()) } } }
                            td.wide { (build.summary) }
                            td { (moment(build.created_at)) }
                            td { (build.duration_ms.map_or_else(|| "–".to_owned(), duration)) }
                        }
                    }
                }
            }
        }
    }
}

/// A size with three digits at most.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in UNITS {
        if value < 1000.0 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    if unit == "B" || value >= 100.0 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

/// A duration in its two greatest units.
pub(super) fn duration(ms: u64) -> String {
    match (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60) {
        (0, 0, 0) => format!("{ms} ms"),
        (0, 0, s) => format!("{s}.{} s", ms / 100 % 10),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// Our messages begin in lower case and have no full stop; a page shows sentences.
pub(super) fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

/// A text in which names stand between backticks.
pub(super) fn spoken(text: &str) -> Markup {
    html! {
        @for (part, text) in text.split('`').enumerate() {
            @if part % 2 == 1 { code { (text) } } @else { (text) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_short() {
        assert_eq!([0, 999, 1000, 123_456, 5_400_000_000].map(size), ["0 B", "999 B", "1.0 kB", "123 kB", "5.4 GB"]);
        assert_eq!([12, 1234, 61_000, 3_720_000].map(duration), ["12 ms", "1.2 s", "1 min 1 s", "1 h 2 min"]);
    }

    #[test]
    fn a_message_becomes_a_sentence() {
        assert_eq!(sentence("there is no such site"), "There is no such site.");
    }
}
