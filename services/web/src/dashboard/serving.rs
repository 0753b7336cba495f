//! The part of a site's settings that says how it answers its readers.

use super::typed::{Typed, Wrong};
use crate::settings::Wanted;
use events::event::{HtmlHandling, NotFoundHandling, RulesDialect, Serving};
use maud::{Markup, html};

/// What the fields ask for, beside what others do. The form of a new site has none of them.
pub(super) fn onto(typed: &Typed, wanted: Wanted) -> Result<Wanted, Wrong> {
    Ok(Wanted {
        html_handling: typed.choice("html_handling")?.map(Some),
        not_found_handling: typed.choice("not_found_handling")?.map(Some),
        rules_dialect: typed.choice("rules_dialect")?.map(Some),
        ..wanted
    })
}

/// The fields of a site that answers so, beside others.
pub(super) fn shown(typed: Typed, serving: &Serving) -> Typed {
    let Serving { html_handling, not_found_handling, rules_dialect, .. } = serving;
    let typed = typed.with("html_handling", html_handling).with("not_found_handling", not_found_handling);
    typed.with("rules_dialect", rules_dialect)
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

pub(super) fn fields(typed: &Typed) -> Markup {
    html! {
        label for="html-handling" { "Addresses of pages" }
        select #html-handling name="html_handling" aria-describedby=[typed.described("html_handling", None)] {
            @for (choice, what) in HTML_HANDLING {
                option value=(choice) selected[choice.to_string() == typed.text("html_handling")] { (what) }
            }
        }
        (typed.said("html_handling"))
        label for="not-found-handling" { "Where there is no file, show" }
        select #not-found-handling name="not_found_handling" aria-describedby=[typed.described("not_found_handling", Some("not-found-handling-help"))] {
            @for (choice, what) in NOT_FOUND_HANDLING {
                option value=(choice) selected[choice.to_string() == typed.text("not_found_handling")] { (what) }
            }
        }
        (typed.said("not_found_handling"))
        small #not-found-handling-help { "A missing file with an extension, such as app.js, is never answered by a page as if it were found." }
        label for="rules-dialect" { "_redirects and _headers are written in the grammar that is" }
        select #rules-dialect name="rules_dialect" aria-describedby=[typed.described("rules_dialect", Some("rules-dialect-help"))] {
            @for (choice, what) in RULES_DIALECT {
                option value=(choice) selected[choice.to_string() == typed.text("rules_dialect")] { (what) }
            }
        }
        (typed.said("rules_dialect"))
        small #rules-dialect-help { "It holds from the next build on; the two others hold at once." }
    }
}
