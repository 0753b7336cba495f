//! The page of an editor: a text area, and beside it, for Markdown, what that will look like.

use crate::dashboard::form::form;
use crate::dashboard::layout::Page;
use crate::dashboard::link::link;
use crate::dashboard::markdown;
use crate::dashboard::typed::Typed;
use maud::{Markup, html};
use projections::sites::SiteRow;

/// What an editor shows: the fields `path`, `text`, `message`, `commit`, the one that the text was seen in, and `branch`.
pub(super) struct Editor<'a> {
    pub(super) typed: &'a Typed,
    pub(super) after: After,
}

/// What was asked for before an editor is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Opened,
    /// To see what a text will look like.
    Preview,
    /// To save what the file says already.
    NoChange,
    /// To save what could not be saved.
    Refused,
    /// To save to a branch that somebody else has moved.
    Moved,
}

impl Editor<'_> {
    pub(super) fn page(&self, site: &SiteRow) -> Markup {
        let path = self.typed.text("path");
        let content = html! {
            p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } " / " a href={ "/sites/" (site.name) "/source" } { "Files" } }
            h1 { (path) }
            (self.typed.refusal())
            @if self.after == After::NoChange { p.notice role="status" { "The file says this already: nothing was saved." } }
            @if self.after == After::Moved { (self.ways_on(site)) }
            (form("editor", &format!("/sites/{}/source/edit", site.id), &self.fields(site)))
            @if markdown::is_markdown(path) { (self.preview()) }
        };
        Page { title: path, signed_in: true, refreshes: None }.render(&content)
    }

    /// How what was typed is saved though somebody else was faster.
    fn ways_on(&self, site: &SiteRow) -> Markup {
        let of = [("branch", self.typed.text("branch")), ("path", self.typed.text("path"))];
        let now = link(&format!("/sites/{}/source/edit", site.name), &of);
        html! {
            p { "Your text is below. Save it on a branch of its own, or look at "
                a href=(now) target="_blank" rel="noopener" { "what the file says there now" } " beside it." }
        }
    }

    fn fields(&self, site: &SiteRow) -> Markup {
        let Self { typed, .. } = self;
        let path = typed.text("path");
        html! {
            input type="hidden" name="path" value=(path);
            (typed.said("path"))
            input type="hidden" name="commit" value=(typed.text("commit"));
            label for="text" { "Text" }
            // The line break is the one that HTML takes away.
            textarea #text name="text" rows="14" spellcheck="true" maxlength="262144" aria-invalid=[typed.invalid("text")]
                aria-describedby=[typed.described("text", None)] { "\n" (typed.text("text")) }
            (typed.said("text"))
            label for="message" { "What has changed" }
            input #message name="message" maxlength="500" placeholder={ "Edit " (path) } value=(typed.text("message"))
                aria-invalid=[typed.invalid("message")] aria-describedby=[typed.described("message", None)];
            (typed.said("message"))
            label for="branch" { "On the branch" }
            input #branch name="branch" value=(typed.text("branch")) required aria-invalid=[typed.invalid("branch")]
                aria-describedby=[typed.described("branch", Some("branch-help"))];
            (typed.said("branch"))
            small #branch-help { "Another than " code { (site.settings.branch) } " is built as a preview, and goes live when you publish it." }
            div.buttons {
                button.primary { "Save" }
                @if markdown::is_markdown(path) {
                    button formaction={ "/sites/" (site.id) "/source/preview" } formnovalidate data-previews="preview" { "Preview" }
                }
            }
        }
    }

    /// Without a script it is shown when it is asked for; a script keeps it up to date.
    fn preview(&self) -> Markup {
        let shows_it = self.after == After::Preview;
        html! {
            section.card #preview hidden[!shows_it] {
                h2 { "Preview" }
                div.prose { @if shows_it { (markdown::html(self.typed.text("text"))) } }
                p { small { "The text alone: your site’s own templates and styles are seen in the preview of the branch." } }
            }
        }
    }
}
