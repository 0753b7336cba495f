//! Which address a page has: where its file lies decides, and what its site wants of slashes at the end. Pure.
//!
//! A path leads to another only if that one answers with the very same file, so no two paths lead to each other.

use events::event::HtmlHandling;
use storage::{Manifest, SiteFile};

const HTML: &str = ".html";
const INDEX: &str = "index.html";

/// What is at a path.
#[derive(Debug, PartialEq)]
pub(crate) enum Found<'m> {
    File(&'m SiteFile),
    /// The file has its address there.
    At(String),
    Nothing,
}

/// Looks for `path`, which is decoded, starts with a slash and has no two in a row.
pub(crate) fn find<'m>(manifest: &'m Manifest, handling: HtmlHandling, path: &str) -> Found<'m> {
    let pages = Pages { manifest, handling };
    let exact = pages.at(path);
    // Most requests are for a file by its path.
    if let Some(file) = exact.filter(|_| handling == HtmlHandling::None || !path.ends_with(HTML)) {
        return Found::File(file);
    }
    let has_another_name = path.ends_with(HTML) || path.ends_with("/index");
    let drops = handling == HtmlHandling::DropTrailingSlash && path.ends_with('/') && path != "/";
    let direct = pages.direct(path);
    let leads = || if direct.is_some() && !has_another_name && !drops { None } else { pages.elsewhere(path, exact) };
    leads().map(Found::At).or_else(|| direct.map(Found::File)).unwrap_or(Found::Nothing)
}

#[derive(Clone, Copy)]
struct Pages<'m> {
    manifest: &'m Manifest,
    handling: HtmlHandling,
}

impl<'m> Pages<'m> {
    fn at(self, path: &str) -> Option<&'m SiteFile> {
        self.manifest.get(path.strip_prefix('/')?)
    }

    /// The file that answers at a path, wherever it would rather be.
    fn direct(self, path: &str) -> Option<&'m SiteFile> {
        let index = |folder: &str| self.at(&format!("{folder}{INDEX}"));
        let page = |name: &str| self.at(&format!("{name}{HTML}"));
        match (path.strip_suffix('/'), self.handling) {
            (_, HtmlHandling::None) | (None, HtmlHandling::ForceTrailingSlash) => self.at(path),
            (Some(name), HtmlHandling::ForceTrailingSlash) => index(path).or_else(|| page(name)),
            (Some(_), HtmlHandling::AutoTrailingSlash | HtmlHandling::DropTrailingSlash) => index(path),
            (None, HtmlHandling::AutoTrailingSlash) => self.at(path).or_else(|| page(path)),
            (None, HtmlHandling::DropTrailingSlash) => {
                self.at(path).or_else(|| page(path)).or_else(|| index(&format!("{path}/")))
            }
        }
    }

    /// Where the file has its address that one would look for at `path`, if that is elsewhere: the file `exact`, if there is one
    /// of that very path.
    fn elsewhere(self, path: &str, exact: Option<&'m SiteFile>) -> Option<String> {
        let folder = path.strip_suffix("/index").or_else(|| path.strip_suffix("/index.html"));
        let name = folder.or_else(|| path.strip_suffix(HTML)).or_else(|| path.strip_suffix('/')).unwrap_or(path);
        let page = self.at(&format!("{name}{HTML}")).map(|file| (file, false));
        let index = self.at(&format!("{name}/{INDEX}")).map(|file| (file, true));
        // Of two files that one could mean the one that is named goes first.
        let files = if folder.is_some() { [index, page] } else { [page, index] };
        let meant = files.into_iter().flatten().filter(|(file, _)| exact.is_none_or(|exact| exact == *file));
        meant.into_iter().find_map(|(file, is_index)| {
            let to = self.address(name, is_index)?;
            (to != path && !to.contains("//") && self.direct(&to) == Some(file)).then_some(to)
        })
    }

    /// The address that the page `name`, or the index of the folder `name`, would have.
    fn address(self, name: &str, is_index: bool) -> Option<String> {
        match (self.handling, is_index) {
            (HtmlHandling::None, _) => None,
            (HtmlHandling::ForceTrailingSlash, _) | (HtmlHandling::AutoTrailingSlash, true) => Some(format!("{name}/")),
            (HtmlHandling::DropTrailingSlash, _) | (HtmlHandling::AutoTrailingSlash, false) if name.is_empty() => {
                Some("/".to_owned())
            }
            (HtmlHandling::DropTrailingSlash, _) | (HtmlHandling::AutoTrailingSlash, false) => Some(name.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::tests::manifest;

    const ALL: [HtmlHandling; 4] = [
        HtmlHandling::AutoTrailingSlash,
        HtmlHandling::ForceTrailingSlash,
        HtmlHandling::DropTrailingSlash,
        HtmlHandling::None,
    ];

    /// By `auto-trailing-slash`, `force-trailing-slash`, `drop-trailing-slash` and `none`: `=path` for a file, `>path` for where
    /// it is, `-` for nothing.
    #[test]
    fn the_four_ways_of_addresses() {
        let site = manifest([
            "index.html",
            "file.html",
            "folder/index.html",
            "both.html",
            "both/index.html",
            "x",
            "x.html",
            "style.css",
        ]);
        for (path, expected) in [
            ("/", ["=index.html", "=index.html", "=index.html", "-"]),
            ("/index.html", [">/", ">/", ">/", "=index.html"]),
            ("/index", [">/", ">/", ">/", "-"]),
            ("/file", ["=file.html", ">/file/", "=file.html", "-"]),
            ("/file/", [">/file", "=file.html", ">/file", "-"]),
            ("/file.html", [">/file", ">/file/", ">/file", "=file.html"]),
            ("/file/index", [">/file", ">/file/", ">/file", "-"]),
            ("/file/index.html", [">/file", ">/file/", ">/file", "-"]),
            ("/folder", [">/folder/", ">/folder/", "=folder/index.html", "-"]),
            ("/folder/", ["=folder/index.html", "=folder/index.html", ">/folder", "-"]),
            ("/folder.html", [">/folder/", ">/folder/", ">/folder", "-"]),
            ("/folder/index", [">/folder/", ">/folder/", ">/folder", "-"]),
            ("/folder/index.html", [">/folder/", ">/folder/", ">/folder", "=folder/index.html"]),
            ("/both", ["=both.html", ">/both/", "=both.html", "-"]),
            ("/both/", ["=both/index.html", "=both/index.html", ">/both", "-"]),
            ("/both.html", [">/both", "=both.html", ">/both", "=both.html"]),
            ("/both/index.html", [">/both/", ">/both/", "=both/index.html", "=both/index.html"]),
            ("/x", ["=x", "=x", "=x", "=x"]),
            ("/x.html", ["=x.html", ">/x/", "=x.html", "=x.html"]),
            ("/x/", ["-", "=x.html", "-", "-"]),
            ("/style.css", ["=style.css"; 4]),
            ("/style.css/", ["-"; 4]),
        ] {
            let told = ALL.map(|handling| match find(&site, handling, path) {
                Found::File(file) => format!("={}", file.path),
                Found::At(path) => format!(">{path}"),
                Found::Nothing => "-".to_owned(),
            });
            assert_eq!(told, expected, "{path}");
        }
    }
}
