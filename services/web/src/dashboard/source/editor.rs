//! The page of an editor: a text area, and beside it, for Markdown, what that will look like.

use crate::dashboard::form::form;
use crate::dashboard::layout::Page;
use crate::dashboard::markdown;
use maud::{Markup, html};
use projections::sites::SiteRow;

/// What an editor shows.
pub(super) struct Editor<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    pub(super) message: &'a str,
    /// The commit that the text was seen in.
    pub(super) commit: &'a str,
    pub(super) branch: &'a str,
    pub(super) shows_preview: bool,
}

impl Editor<'_> {
    pub(super) fn page(&self, site: &SiteRow) -> Markup {
        let Self { path, .. } = self;
        let content = html! {
            p.crumbs { a href={ "/sites/" (site.name) } { (site.name) } " / " a href={ "/sites/" (site.name) "/source" } { "Files" } }
            h1 { (path) }
            (form("editor", &format!("/sites/{}/source/edit", site.id), &self.fields(site)))
            @if markdown::is_markdown(path) { (self.preview()) }
        };
        Page { title: path, signed_in: true, refreshes: None }.render(&content)
    }

    fn fields(&self, site: &SiteRow) -> Markup {
        let Self { path, text, message, commit, branch, .. } = self;
        html! {
            input type="hidden" name="path" value=(path);
            input type="hidden" name="commit" value=(commit);
            label for="text" { "Text" }
            // The line break is the one that HTML takes away.
            textarea #text name="text" rows="14" spellcheck="true" maxlength="262144" { "\n" (text) }
            label for="message" { "What has changed" }
            input #message name="message" maxlength="500" placeholder={ "Edit " (path) } value=(message);
            label for="save-branch" { "On the branch" }
            input #save-branch name="branch" value=(branch) required aria-describedby="branch-help";
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
        html! {
            section.card #preview hidden[!self.shows_preview] {
                h2 { "Preview" }
                div.prose { @if self.shows_preview { (markdown::html(self.text)) } }
                p { small { "The text alone: your site’s own templates and styles are seen in the preview of the branch." } }
            }
        }
    }
}
