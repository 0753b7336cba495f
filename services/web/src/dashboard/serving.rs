//! The part of a site's settings that says how it answers its readers.

use crate::settings::Wanted;
use events::event::{HtmlHandling, NotFoundHandling, RulesDialect, Serving};
use maud::{Markup, html};
use serde::Deserialize;

/// The fields as a browser sends them. The form of a new site has none of them.
#[derive(Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    html_handling: Option<HtmlHandling>,
    #[serde(default)]
    not_found_handling: Option<NotFoundHandling>,
    #[serde(default)]
    rules_dialect: Option<RulesDialect>,
}

impl Fields {
    pub(super) fn onto(&self, wanted: Wanted) -> Wanted {
        Wanted {
            html_handling: self.html_handling.map(Some),
            not_found_handling: self.not_found_handling.map(Some),
            rules_dialect: self.rules_dialect.map(Some),
            ..wanted
        }
    }
}

const HTML_HANDLING: [(HtmlHandling, &str); 4] = [
    (HtmlHandling::AutoTrailingSlash, "As the files lie: /about, /blog/"),
    (HtmlHandling::ForceTrailingSlash, "With a slash at the end: /about/, /blog/"),
    (HtmlHandling::DropTrailingSlash, "Without a slash at the end: /about, /blog"),
    (HtmlHandling::None, "The files’ own paths only: /about.html, /blog/index.html"),
];

const NOT_FOUND_HANDLING: [(NotFoundHandling, &str); 3] = [
    (NotFoundHandling::Page, "The nearest 404.html"),
    (NotFoundHandling::SinglePageApplication, "The site’s index.html: it is an application of one page"),
    (NotFoundHandling::None, "A plain page that says so"),
];

const RULES_DIALECT: [(RulesDialect, &str); 2] =
    [(RulesDialect::Netlify, "Netlify’s"), (RulesDialect::Cloudflare, "Cloudflare’s")];

/// The fields of a site that answers so.
pub(super) fn fields(serving: &Serving) -> Markup {
    html! {
        label for="html-handling" { "Addresses of pages" }
        select #html-handling name="html_handling" {
            @for (choice, what) in HTML_HANDLING {
                option value=(choice) selected[choice == serving.html_handling] { (what) }
            }
        }
        label for="not-found-handling" { "Where there is no file, show" }
        select #not-found-handling name="not_found_handling" aria-describedby="not-found-handling-help" {
            @for (choice, what) in NOT_FOUND_HANDLING {
                option value=(choice) selected[choice == serving.not_found_handling] { (what) }
            }
        }
        small #not-found-handling-help { "A missing file with an extension, such as app.js, is never answered by a page as if it were found." }
        label for="rules-dialect" { "_redirects and _headers are written in the grammar that is" }
        select #rules-dialect name="rules_dialect" aria-describedby="rules-dialect-help" {
            @for (choice, what) in RULES_DIALECT {
                option value=(choice) selected[choice == serving.rules_dialect] { (what) }
            }
        }
        small #rules-dialect-help { "It holds from the next build on; the two others hold at once." }
    }
}
