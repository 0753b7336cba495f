//! What answers a request where the site has rules of its own: a rule, or a file. Pure.

use crate::pages::{Found, find};
use crate::resolve::{Answer, has_extension, missing, path_of, resolve, spelled};
use events::event::{RulesDialect, Serving};
use rules::{Asked, Matched, Matcher, Outcome};
use std::borrow::Cow;
use storage::{Manifest, SiteFile};

/// An answer, and what of the site's rules decided it.
#[derive(Debug, PartialEq)]
pub struct Decided<'m> {
    /// The answer.
    pub answer: Answer<'m>,
    /// The line of `_redirects` that it comes from; none if no rule of that file does.
    pub line: Option<u32>,
}

/// Finds what was asked for by the rules of a deploy, and among its files.
#[must_use]
pub fn answer<'m>(manifest: &'m Manifest, rules: Option<&Matcher>, serving: Serving, asked: &Asked<'_>) -> Decided<'m> {
    let plain = || Decided { answer: resolve(manifest, serving, asked.path), line: None };
    let Some((rules, matched)) = rules.and_then(|rules| Some((rules, rules.redirect(asked)?))) else { return plain() };
    // What is no path is refused before a rule is asked what to make of it.
    let Some(path) = path_of(asked.path) else { return plain() };
    if !matched.forced && find(manifest, serving.html_handling, &path) != Found::Nothing {
        return plain();
    }
    let line = Some(matched.line);
    Decided { answer: led(manifest, serving, rules.dialect(), matched, &path), line }
}

/// What a rule makes of a path.
fn led<'m>(
    manifest: &'m Manifest,
    serving: Serving,
    dialect: RulesDialect,
    matched: Matched,
    path: &str,
) -> Answer<'m> {
    let Matched { is_open, outcome, .. } = matched;
    match outcome {
        Outcome::Redirect { location, status } => Answer::Led { location, status },
        Outcome::Rewrite { path: to, status } => {
            let shown = shown(manifest, serving, dialect, &to);
            match shown {
                Answer::File(file) if is_open && (200..300).contains(&status) && is_lie(file, path) => {
                    missing(manifest, serving.not_found_handling, path)
                }
                Answer::File(file) if status != 200 => Answer::As(file, status),
                Answer::NotFound(_) => missing(manifest, serving.not_found_handling, path),
                shown @ (Answer::File(_)
                | Answer::As(..)
                | Answer::Redirect(_)
                | Answer::Led { .. }
                | Answer::Malformed
                | Answer::TooLong) => shown,
            }
        }
    }
}

/// A page that many paths show is no script and no picture: a cache would keep it for the file that is missing.
fn is_lie(file: &SiteFile, path: &str) -> bool {
    file.content_type.starts_with("text/html") && has_extension(path)
}

/// What a rule wants to be shown. Where a page has another address, only Cloudflare's rules lead there.
fn shown<'m>(manifest: &'m Manifest, serving: Serving, dialect: RulesDialect, to: &str) -> Answer<'m> {
    let Some(to) = path_of(to).map(Cow::into_owned) else { return Answer::NotFound(None) };
    match find(manifest, serving.html_handling, &to) {
        Found::File(file) => Answer::File(file),
        Found::At(path) if dialect == RulesDialect::Cloudflare => Answer::Redirect(spelled(&path)),
        Found::At(path) => match find(manifest, serving.html_handling, &path) {
            Found::File(file) => Answer::File(file),
            Found::At(_) | Found::Nothing => Answer::NotFound(None),
        },
        Found::Nothing => Answer::NotFound(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::tests::{manifest, told};

    const FILES: [&str; 6] = ["index.html", "about.html", "app/index.html", "other.html", "404.html", "style.css"];

    fn answered(dialect: RulesDialect, file: &str, path: &str) -> String {
        let (site, rules) = (manifest(FILES), rules::read(dialect, Some(file.as_bytes()), None).unwrap());
        let asked = Asked { host: "docs.example", path, ..Asked::default() };
        let decided = answer(&site, Some(&Matcher::new(&rules)), Serving::default(), &asked);
        let line = decided.line.map(|line| format!(" by line {line}"));
        format!("{}{}", told(&decided.answer), line.unwrap_or_default())
    }

    #[test]
    fn by_netlifys_rules_a_file_goes_before_a_rule_that_is_not_forced() {
        let file = "/about /team\n/other /forced 302!\n/style.css /x.css\n/index /y\n/app/* /index.html 200\n\
                    /gone /404.html 410\n/nowhere /nothing 200\n/one.js /index.html 200\n/%2e%2e/x /z\n";
        for (path, expected) in [
            ("/about", "=about.html"),
            ("/about/", ">/about"),
            ("/other", "302>/forced by line 2"),
            ("/style.css", "=style.css"),
            ("/index", ">/"),
            ("/app/", "=app/index.html"),
            ("/app/any/thing", "=index.html by line 5"),
            ("/app/missing.js", "404 404.html by line 5"),
            ("/gone", "410 404.html by line 6"),
            ("/nowhere", "404 404.html by line 7"),
            ("/one.js", "=index.html by line 8"),
            ("/%2e%2e/x", "400"),
            ("/none", "404 404.html"),
        ] {
            assert_eq!(answered(RulesDialect::Netlify, file, path), expected, "{path}");
        }
    }

    #[test]
    fn by_cloudflares_rules_a_rule_goes_before_a_file_and_pages_have_their_addresses() {
        let file = "/about /team\n/page /other.html 200\n/style.css /x.css 301\n";
        for (path, expected) in [
            ("/about", "302>/team by line 1"),
            ("/about.html", ">/about"),
            ("/page", ">/other by line 2"),
            ("/style.css", "301>/x.css by line 3"),
            ("/other", "=other.html"),
        ] {
            assert_eq!(answered(RulesDialect::Cloudflare, file, path), expected, "{path}");
        }
    }
}
