//! The log on the page of a build: its lines with their numbers, and those in which something was found.

use super::super::ansi;
use super::super::layout::state_name;
use maud::{Markup, html};
use projections::builds::BuildRow;
use runtime::build_log::Chunk;

/// Most of a log that is shown in the page, in bytes; the rest is behind a link.
const SHOWN_MAX: usize = 256 << 10;
/// Lines found that are listed, and the longest that one of them is shown.
const FOUND: usize = 100;
const FOUND_LINE_MAX: usize = 300;

/// All that was written.
pub(super) fn text(chunks: &[Chunk]) -> String {
    let bytes: Vec<u8> = chunks.iter().flat_map(|chunk| &chunk.text).copied().collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Everything about the log.
pub(super) fn part(build: &BuildRow, chunks: &[Chunk], search: &str) -> Markup {
    let (text, end) = (text(chunks), chunks.last().map_or(0, Chunk::end));
    let open = !build.state.has_ended();
    if text.is_empty() && !open {
        return html! { p.empty { "This build left no log: it ended as “" (state_name(build.state)) "” before a launcher wrote to it." } };
    }
    let (left_out, kept) = shown(&text);
    let follow = open.then(|| format!("/api/v1/builds/{}/log?follow=1&after={end}", build.id));
    html! {
        (tools(build, search))
        @if !search.is_empty() { (found(&text, search, left_out)) }
        @if left_out > 0 { p.faint { "Lines 1 to " (left_out) " are left out here; the plain log has all of it." } }
        pre.log role="log" tabindex="0" aria-label="Build log" data-follow=[follow] data-lines=(left_out + kept.lines().count()) {
            @for (number, line) in (left_out + 1..).zip(ansi::lines(kept)) {
                span.line id={ "L" (number) } { a href={ "#L" (number) } data-n=(number) tabindex="-1" aria-label={ "Line " (number) } {} (line) "\n" }
            }
        }
        @if open { p.faint data-until-end { "The log is shown as it is written. Without a script, load the page again." } }
    }
}

/// The end of a text that is short enough, from the beginning of a line on, and how many lines come before it.
fn shown(text: &str) -> (usize, &str) {
    let from = text.len().saturating_sub(SHOWN_MAX);
    if from == 0 {
        return (0, text);
    }
    let newline = text.as_bytes()[from..].iter().position(|byte| *byte == b'\n');
    let (before, kept) = text.split_at(newline.map_or(text.len(), |newline| from + newline + 1));
    (before.lines().count(), kept)
}

fn tools(build: &BuildRow, search: &str) -> Markup {
    html! {
        form.inline method="get" action={ "/builds/" (build.id) "#log-part" } role="search" aria-label="Log" {
            label for="log-search" { "Search the log" }
            input #log-search type="search" name="search" value=(search) maxlength="200";
            button { "Search" }
            a href={ "/api/v1/builds/" (build.id) "/log" } { "Plain log" }
        }
    }
}

/// The lines that have the text in them, whatever its case. A line that is left out below is told and leads nowhere.
fn found(text: &str, search: &str, left_out: usize) -> Markup {
    let wanted = search.to_lowercase();
    let text = ansi::plain(text);
    let lines = (1_usize..).zip(text.lines()).filter(|(_, line)| line.to_lowercase().contains(&wanted));
    let found: Vec<(usize, &str)> = lines.take(FOUND + 1).collect();
    html! {
        @if found.is_empty() { p.empty { "No line has “" (search) "” in it." } }
        @else {
            p.faint { @if found.len() > FOUND { "The first " (FOUND) " lines with it:" } @else { (found.len()) " lines with it:" } }
            ol.found { @for (number, line) in found.iter().take(FOUND) { li {
                @if *number > left_out { a href={ "#L" (number) } { "Line " (number) } } @else { "Line " (number) }
                " " code { (line.chars().take(FOUND_LINE_MAX).collect::<String>()) }
            } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_shown_from_a_line_on_and_numbers_go_on() {
        let text = format!("{}\n", "x".repeat(99)).repeat(4000);
        let (left_out, kept) = shown(&text);
        assert!(kept.len() <= SHOWN_MAX && kept.starts_with('x') && kept.len() % 100 == 0);
        assert_eq!(left_out * 100 + kept.len(), text.len());
        assert_eq!(shown("a\nb"), (0, "a\nb"));
        let endless = "é".repeat(SHOWN_MAX);
        assert_eq!(shown(&endless), (1, ""), "a line that is too long is left out");
    }

    #[test]
    fn what_is_found_leads_to_its_line() {
        let page = found("one\n\u{1b}[31mTwo\u{1b}[0m\nthree\ntwo", "two", 0).into_string();
        assert!(
            page.contains("href=\"#L2\"") && page.contains("<code>Two</code>") && page.contains("href=\"#L4\""),
            "{page}"
        );
        assert!(!page.contains("#L1\"") && found("one", "two", 0).into_string().contains("No line"));
        assert!(!found("two\nx", "two", 1).into_string().contains("href"));
    }
}
