//! Which file of a deploy answers a path. Pure.

use crate::pages::{Found, find};
use events::event::{NotFoundHandling, Serving};
use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;
use storage::keys::PATH_MAX_BYTES;
use storage::{Manifest, SiteFile};

const INDEX: &str = "index.html";
const NOT_FOUND: &str = "404.html";
/// No file's path is longer, even if every byte of it is percent-encoded.
const RAW_MAX_BYTES: usize = 3 * (PATH_MAX_BYTES + 1);
/// What stands behind a point at the end of a name and is longer is no extension.
const EXTENSION_MAX: usize = 8;
/// What stays as it is in a path that we spell: `pchar` and `/` of RFC 3986.
const SPELLED: &AsciiSet = &rules::SEGMENT.remove(b'/');

/// What answers a request for a path of a deploy.
#[derive(Debug, PartialEq)]
pub enum Answer<'m> {
    /// The file.
    File(&'m SiteFile),
    /// A page in the place of what was asked for, with this status.
    As(&'m SiteFile, u16),
    /// Ask for this instead, as a rule of the site wants it.
    Led {
        /// What.
        location: String,
        /// With which status.
        status: u16,
    },
    /// Ask for this path instead. It starts with exactly one slash, so it never leaves the host.
    Redirect(String),
    /// There is none; the nearest page that says so, if the deploy has one.
    NotFound(Option<&'m SiteFile>),
    /// It is no path.
    Malformed,
    /// It is longer than any file's.
    TooLong,
}

impl Answer<'_> {
    /// The status that a reader is told who asks for all of it and has none of it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::File(_) => 200,
            Self::As(_, status) | Self::Led { status, .. } => *status,
            Self::Redirect(_) => 307,
            Self::NotFound(_) => 404,
            Self::Malformed => 400,
            Self::TooLong => 414,
        }
    }
}

/// Finds `raw`, a path as it stands in the request, in a deploy.
pub(crate) fn resolve<'m>(manifest: &'m Manifest, serving: Serving, raw: &str) -> Answer<'m> {
    if raw.len() > RAW_MAX_BYTES {
        return Answer::TooLong;
    }
    let Some(path) = decoded(raw) else { return Answer::Malformed };
    let single = single_slashes(&path);
    match find(manifest, serving.html_handling, &single) {
        Found::File(_) if single.len() < path.len() => Answer::Redirect(spelled(&single)),
        Found::File(entry) => Answer::File(entry),
        Found::At(path) => Answer::Redirect(spelled(&path)),
        Found::Nothing => missing(manifest, serving.not_found_handling, &single),
    }
}

/// Whether a deploy has something at a path, as it stands in the request, be it at another address.
#[must_use]
pub fn is_there(manifest: &Manifest, serving: Serving, raw: &str) -> bool {
    path_of(raw).is_some_and(|path| find(manifest, serving.html_handling, &path) != Found::Nothing)
}

/// The path that `raw` means, if it is one.
#[must_use]
pub fn path_of(raw: &str) -> Option<Cow<'_, str>> {
    let path = decoded(raw).filter(|_| raw.len() <= RAW_MAX_BYTES)?;
    Some(match single_slashes(&path) {
        Cow::Borrowed(_) => path,
        Cow::Owned(single) => Cow::Owned(single),
    })
}

/// What answers where nothing was found. A script or a picture that is not there must not become a page that is found, or caches
/// would keep it for the file.
pub(crate) fn missing<'m>(manifest: &'m Manifest, handling: NotFoundHandling, path: &str) -> Answer<'m> {
    let page = || Answer::NotFound(nearest(manifest, path));
    match handling {
        NotFoundHandling::Page => page(),
        NotFoundHandling::SinglePageApplication if has_extension(path) => page(),
        NotFoundHandling::SinglePageApplication => manifest.get(INDEX).map_or_else(page, Answer::File),
        NotFoundHandling::None => Answer::NotFound(None),
    }
}

/// Whether a path is one of a file that is no page, going by its name.
#[must_use]
pub fn has_extension(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_one = extension.len() <= EXTENSION_MAX
        && extension.starts_with(|first: char| first.is_ascii_alphabetic())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_one && !extension.eq_ignore_ascii_case("html") && !extension.eq_ignore_ascii_case("htm")
}

fn single_slashes(path: &str) -> Cow<'_, str> {
    if !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    Cow::Owned(single)
}

/// The path with its percent-encoding undone once; `None` if that is malformed, or if it has what no path of a file
/// has: dot segments, backslashes (slashes to some browsers) and control characters (nothing to some browsers).
fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    let mut escapes = raw.split('%').skip(1);
    if !escapes.all(|rest| rest.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))) {
        return None;
    }
    let path = percent_decode_str(raw).decode_utf8().ok()?;
    let refused = |character: char| character == '\\' || character.is_control();
    let dots = |segment: &str| segment == "." || segment == "..";
    (path.starts_with('/') && !path.contains(refused) && !path.split('/').any(dots)).then_some(path)
}

/// `path` starts with one slash and has no two in a row, so the result leads nowhere else.
#[must_use]
pub fn spelled(path: &str) -> String {
    utf8_percent_encode(path, SPELLED).to_string()
}

/// The `404.html` of the innermost folder that has one.
fn nearest<'m>(manifest: &'m Manifest, path: &str) -> Option<&'m SiteFile> {
    let mut folder = path;
    while let Some((parent, _)) = folder.rsplit_once('/') {
        let page = format!("{parent}/{NOT_FOUND}");
        if let Some(page) = manifest.get(page.trim_start_matches('/')) {
            return Some(page);
        }
        folder = parent;
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use events::event::HtmlHandling;
    use events::{BuildId, DeployId, Digest};
    use proptest::prelude::*;
    use storage::{Head, Uploaded};

    pub(crate) fn manifest<'a>(paths: impl IntoIterator<Item = &'a str>) -> Manifest {
        let build = BuildId(uuid::Uuid::nil());
        let site = events::SiteId(uuid::Uuid::nil());
        let head = Head { deploy: DeployId::of(build), site, build, uploaded: Uploaded::default() };
        let digest = Digest::of(b"content");
        let entry = |path: &str| SiteFile {
            path: path.to_owned(),
            digest,
            size: 7,
            content_type: "text/html".into(),
            pack: digest,
            offset: 0,
        };
        Manifest::new(head, paths.into_iter().map(entry))
    }

    fn resolved<'m>(manifest: &'m Manifest, path: &str) -> Answer<'m> {
        resolve(manifest, Serving::default(), path)
    }

    /// `=path` for a file, `>path` for a redirect, `404 path` for a page that says so.
    pub(crate) fn told(answer: &Answer<'_>) -> String {
        match answer {
            Answer::File(entry) => format!("={}", entry.path),
            Answer::As(entry, status) => format!("{status} {}", entry.path),
            Answer::Led { location, status } => format!("{status}>{location}"),
            Answer::Redirect(path) => format!(">{path}"),
            Answer::NotFound(page) => format!("404 {}", page.map_or("", |page| &page.path)),
            Answer::Malformed => "400".to_owned(),
            Answer::TooLong => "414".to_owned(),
        }
    }

    #[test]
    fn paths_find_their_files() {
        let site = manifest([
            "index.html",
            "404.html",
            "about.html",
            "style.css",
            "both.html",
            "both/index.html",
            "blog/index.html",
            "blog/404.html",
            "blog/first/post.html",
            "with space/ü.txt",
            "with space/index.html",
            "100%.txt",
            "a:b/index.html",
        ]);
        for (path, expected) in [
            ("/", "=index.html"),
            ("/index.html", ">/"),
            ("/style.css", "=style.css"),
            ("/about", "=about.html"),
            ("/about/", ">/about"),
            ("/style.css/", "404 404.html"),
            ("/both", "=both.html"),
            ("/both/", "=both/index.html"),
            ("/blog", ">/blog/"),
            ("/blog/", "=blog/index.html"),
            ("/blog/first/post", "=blog/first/post.html"),
            ("/blog/first", "404 blog/404.html"),
            ("/blog/first/", "404 blog/404.html"),
            ("/blog/first/nothing", "404 blog/404.html"),
            ("/nothing/at/all", "404 404.html"),
            ("/with%20space/%C3%BC.txt", "=with space/ü.txt"),
            ("/with%20space", ">/with%20space/"),
            ("/100%25.txt", "=100%.txt"),
            ("/%2561bout", "404 404.html"),
            ("/a:b", ">/a:b/"),
            ("//style.css", ">/style.css"),
            ("//blog", ">/blog/"),
            ("/blog//", ">/blog/"),
            ("//about", ">/about"),
            ("//", ">/"),
            ("/%2Fblog", ">/blog/"),
            ("//evil.example/x", "404 404.html"),
        ] {
            assert_eq!(told(&resolved(&site, path)), expected, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let site = manifest(["index.html", "secret"]);
        for path in [
            "/%",
            "/%4",
            "/%zz",
            "/%ff",
            "/../secret",
            "/a/../secret",
            "/%2e%2e/secret",
            "/..",
            "/./secret",
            "/a%00b",
            "/\\evil.example",
            "/%5cevil.example",
            "/%0a/evil.example",
            "*",
            "",
        ] {
            assert_eq!(resolved(&site, path), Answer::Malformed, "{path}");
        }
        assert_eq!(resolved(&site, &format!("/{}", "a/".repeat(RAW_MAX_BYTES))), Answer::TooLong);
    }

    #[test]
    fn what_is_missing_is_answered_as_the_site_wants_it() {
        let site = manifest(["index.html", "404.html", "deep/404.html", "app.js"]);
        for (path, page, application, none) in [
            ("/", "=index.html", "=index.html", "=index.html"),
            ("/app.js", "=app.js", "=app.js", "=app.js"),
            ("/deep/none", "404 deep/404.html", "=index.html", "404 "),
            ("/people/john.doe/v1.2", "404 404.html", "=index.html", "404 "),
            ("/none.html", "404 404.html", "=index.html", "404 "),
            ("/none.js", "404 404.html", "404 404.html", "404 "),
            ("/deep/none.WOFF2", "404 deep/404.html", "404 deep/404.html", "404 "),
        ] {
            for (not_found_handling, expected) in [
                (NotFoundHandling::Page, page),
                (NotFoundHandling::SinglePageApplication, application),
                (NotFoundHandling::None, none),
            ] {
                let serving = Serving { not_found_handling, ..Serving::default() };
                assert_eq!(told(&resolve(&site, serving, path)), expected, "{path} {not_found_handling}");
            }
        }
    }

    #[test]
    fn a_deploy_without_a_404_page_has_none() {
        assert_eq!(resolved(&manifest(["index.html"]), "/a/b"), Answer::NotFound(None));
    }

    proptest! {
        #[test]
        fn every_path_that_may_be_published_has_an_address(path in "(\\PC|[a-z%+?# ]){1,8}(/(\\PC|[a-z%+?# ]){1,8}){0,2}") {
            prop_assume!(storage::path::check(path.as_bytes()).is_ok());
            let site = manifest([path.as_str()]);
            // As a browser spells it, and with everything escaped.
            for address in [spelled(&format!("/{path}")), format!("/{}", utf8_percent_encode(&path, percent_encoding::NON_ALPHANUMERIC))] {
                for html_handling in HtmlHandling::ALL {
                    let serving = Serving { html_handling: *html_handling, ..Serving::default() };
                    let first = resolve(&site, serving, &address);
                    let led = if let Answer::Redirect(to) = &first { Some(resolve(&site, serving, to)) } else { None };
                    let told = told(&led.unwrap_or(first));
                    prop_assert_eq!(told, format!("={path}"));
                }
            }
        }

        #[test]
        fn no_path_panics_or_leaves_the_host(
            path in "(/|%2[fF]|%5[cC]|%2[eE]|\\.|\\\\|a|b|%61|\\PC){0,12}",
            files in proptest::collection::vec("[ab]{1,2}(/[ab]){0,2}(/index.html|.html)?", 0..6),
            html_handling in proptest::sample::select(HtmlHandling::ALL),
        ) {
            let serving = Serving { html_handling, ..Serving::default() };
            let site = manifest(files.iter().map(String::as_str));
            for path in [path.clone(), format!("/{path}")] {
                match resolve(&site, serving, &path) {
                    Answer::Redirect(to) => {
                        prop_assert!(to.starts_with('/') && !to.contains("//") && !to.contains('\\'), "{}", to);
                        prop_assert!(matches!(resolve(&site, serving, &to), Answer::File(_)), "{}", to);
                    }
                    Answer::File(entry) => {
                        let plain = decoded(&path).unwrap();
                        prop_assert!(entry.path.starts_with(single_slashes(&plain).trim_matches('/')), "{} {}", plain, entry.path);
                    }
                    Answer::NotFound(_)
                    | Answer::Malformed
                    | Answer::TooLong
                    | Answer::As(..)
                    | Answer::Led { .. } => {}
                }
            }
        }
    }
}
