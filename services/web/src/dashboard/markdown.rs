//! What a text in Markdown will look like, as far as it can be shown to whoever edits it. Whoever wrote it is not trusted: HTML in
//! it is shown as text, an image by its description, and links lead to the web or by mail, and nowhere else.

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// Whether a file is written in it.
pub(super) fn is_markdown(path: &str) -> bool {
    let (_, ending) = path.rsplit_once('.').unwrap_or_default();
    ending.eq_ignore_ascii_case("md") || ending.eq_ignore_ascii_case("markdown")
}

/// Its pages begin below the heading of the page that shows them. What a generator reads at the top is left out.
pub(super) fn html(text: &str) -> Markup {
    let extensions = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let mut shown = String::new();
    html::push_html(&mut shown, Parser::new_ext(text, extensions).map(harmless));
    PreEscaped(shown)
}

fn harmless(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Image { .. }) => Event::Start(Tag::Emphasis),
        Event::End(TagEnd::Image) => Event::End(TagEnd::Emphasis),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if leads_outside(&dest_url) { dest_url } else { CowStr::Borrowed("#preview") };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        // Names of parts would meet those of the page.
        Event::Start(Tag::Heading { level, .. }) => {
            let (id, classes, attrs) = (None, Vec::new(), Vec::new());
            Event::Start(Tag::Heading { level: below(level), id, classes, attrs })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below(level))),
        Event::Start(_) | Event::End(_) | Event::Text(_) | Event::Code(_) => event,
        Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => event,
        Event::SoftBreak | Event::HardBreak | Event::Rule => event,
    }
}

/// An address on the site itself is none here.
fn leads_outside(address: &str) -> bool {
    ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

const fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

#[cfg(test)]
mod tests {
    use super::{html, is_markdown};

    #[test]
    fn text_is_shown_as_it_will_be_read() {
        let shown = html(
            "---\ntitle: Secret\n---\n# News\n\nOne *page* and a [link](https://example.org).\n\n| a |\n|---|\n| b |\n",
        );
        assert_eq!(
            shown.0,
            "<h3>News</h3>\n<p>One <em>page</em> and a <a href=\"https://example.org\">link</a>.</p>\n\
             <table><thead><tr><th>a</th></tr></thead><tbody>\n<tr><td>b</td></tr>\n</tbody></table>\n"
        );
    }

    #[test]
    fn nothing_that_is_written_runs_or_is_fetched() {
        for bad in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<div>\n<iframe src=//evil.test></iframe>\n\n</div>",
            "[a](javascript:alert(1))",
            "[a](JaVaScRiPt&colon;alert(1))",
            "[a](data:text/html,x)",
            "<javascript:alert(1)>",
            "[a](//evil.test)",
            "![tracked](https://evil.test/pixel.png)",
            "```\"><script>\nx\n```",
            "# a {#content onclick=alert(1)}",
            "[a]: javascript:alert(1)\n[a]",
            "[a](https://x.test \"\\\"><script>\")",
        ] {
            let shown = html(bad)
                .0
                .replace("<a href=\"#preview\">", "")
                .replace("<a href=\"https://x.test\" title=\"&quot;&gt;&lt;script&gt;\">", "");
            for tag in ["<script", "<img", "<iframe", "<div", "<a ", "id=\""] {
                assert!(!shown.contains(tag), "{bad} becomes {shown}");
            }
        }
    }

    #[test]
    fn a_file_is_in_markdown_by_its_ending() {
        assert!(is_markdown("content/_index.md") && is_markdown("README.MD") && is_markdown("a.markdown"));
        assert!(!is_markdown("md") && !is_markdown("index.html") && !is_markdown("a.md/b"));
    }
}
