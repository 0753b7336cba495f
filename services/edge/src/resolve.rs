//! Which file of a deploy answers a path. Pure.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use storage::keys::PATH_MAX_BYTES;
use storage::{Manifest, SiteFile};

const INDEX: &str = "index.html";
const NOT_FOUND: &str = "404.html";
/// No file's path is longer, even if every byte of it is percent-encoded.
const RAW_MAX_BYTES: usize = 3 * (PATH_MAX_BYTES + 1);
/// What stays as it is in a path that we spell: `pchar` and `/` of RFC 3986.
const SPELLED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

#[derive(Debug, PartialEq)]
pub(crate) enum Answer<'m> {
    File(&'m SiteFile),
    /// Ask for this path instead. It starts with exactly one slash, so it never leaves the host.
    Redirect(String),
    /// There is none; the nearest page that says so, if the deploy has one.
    NotFound(Option<&'m SiteFile>),
    /// It is no path.
    Malformed,
    /// It is longer than any file's.
    TooLong,
}

/// Finds `raw`, a path as it stands in the request, in a deploy: the file itself, the index of a folder, or the page
/// whose name lacks its `.html`.
pub(crate) fn resolve<'m>(manifest: &'m Manifest, raw: &str) -> Answer<'m> {
    if raw.len() > RAW_MAX_BYTES {
        return Answer::TooLong;
    }
    let Some(path) = decoded(raw) else { return Answer::Malformed };
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (name, is_folder) = (segments.join("/"), path.ends_with('/'));
    let index = || manifest.get(&in_folder(&name, INDEX));
    let found = if is_folder { index() } else { manifest.get(&name) };
    match found {
        Some(_) if path.contains("//") => Answer::Redirect(spelled(&name, is_folder)),
        Some(entry) => Answer::File(entry),
        None if !is_folder && index().is_some() => Answer::Redirect(spelled(&name, true)),
        None => match manifest.get(&format!("{name}.html")).filter(|_| !is_folder) {
            Some(_) if path.contains("//") => Answer::Redirect(spelled(&name, false)),
            Some(entry) => Answer::File(entry),
            None => Answer::NotFound(nearest(manifest, &name, is_folder)),
        },
    }
}

/// The path with its percent-encoding undone once; `None` if that is malformed, or if it has what no path of a file
/// has: dot segments, backslashes (slashes to some browsers) and control characters (nothing to some browsers).
fn decoded(raw: &str) -> Option<String> {
    let mut escapes = raw.split('%').skip(1);
    if !escapes.all(|rest| rest.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))) {
        return None;
    }
    let path = percent_decode_str(raw).decode_utf8().ok()?;
    let refused = |character: char| character == '\\' || character.is_control();
    let dots = |segment: &str| segment == "." || segment == "..";
    (path.starts_with('/') && !path.contains(refused) && !path.split('/').any(dots)).then(|| path.into_owned())
}

fn in_folder(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// `name` has no empty segments, so the result starts with one slash.
fn spelled(name: &str, is_folder: bool) -> String {
    let end = if is_folder && !name.is_empty() { "/" } else { "" };
    format!("/{}{end}", utf8_percent_encode(name, SPELLED))
}

/// The `404.html` of the innermost folder that has one.
fn nearest<'m>(manifest: &'m Manifest, name: &str, is_folder: bool) -> Option<&'m SiteFile> {
    let parent = |name: &str| name.rsplit_once('/').map_or(0, |(parent, _)| parent.len());
    let mut folder = if is_folder { name } else { &name[..parent(name)] };
    loop {
        if let Some(page) = manifest.get(&in_folder(folder, NOT_FOUND)) {
            return Some(page);
        }
        if folder.is_empty() {
            return None;
        }
        folder = &folder[..parent(folder)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{BuildId, DeployId, Digest};
    use proptest::prelude::*;
    use storage::{Head, Uploaded};

    fn manifest<'a>(paths: impl IntoIterator<Item = &'a str>) -> Manifest {
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

    /// `=path` for a file, `>path` for a redirect, `404 path` for a page that says so.
    fn told(answer: &Answer<'_>) -> String {
        match answer {
            Answer::File(entry) => format!("={}", entry.path),
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
            ("/index.html", "=index.html"),
            ("/style.css", "=style.css"),
            ("/about", "=about.html"),
            ("/about/", "404 404.html"),
            ("/style.css/", "404 404.html"),
            ("/both", ">/both/"),
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
            assert_eq!(told(&resolve(&site, path)), expected, "{path}");
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
            assert_eq!(resolve(&site, path), Answer::Malformed, "{path}");
        }
        assert_eq!(resolve(&site, &format!("/{}", "a/".repeat(RAW_MAX_BYTES))), Answer::TooLong);
    }

    #[test]
    fn a_deploy_without_a_404_page_has_none() {
        assert_eq!(resolve(&manifest(["index.html"]), "/a/b"), Answer::NotFound(None));
    }

    proptest! {
        #[test]
        fn every_path_that_may_be_published_has_an_address(path in "(\\PC|[a-z%+?# ]){1,8}(/(\\PC|[a-z%+?# ]){1,8}){0,2}") {
            prop_assume!(storage::path::check(path.as_bytes()).is_ok());
            let site = manifest([path.as_str()]);
            // As a browser spells it, and with everything escaped.
            for address in [spelled(&path, false), format!("/{}", utf8_percent_encode(&path, NON_ALPHANUMERIC))] {
                prop_assert_eq!(told(&resolve(&site, &address)), format!("={path}"));
            }
        }

        #[test]
        fn no_path_panics_or_leaves_the_host(
            path in "(/|%2[fF]|%5[cC]|%2[eE]|\\.|\\\\|a|b|%61|\\PC){0,12}",
            files in proptest::collection::vec("[ab]{1,2}(/[ab]){0,2}(/index.html|.html)?", 0..6),
        ) {
            let site = manifest(files.iter().map(String::as_str));
            for path in [path.clone(), format!("/{path}")] {
                match resolve(&site, &path) {
                    Answer::Redirect(to) => {
                        prop_assert!(to.starts_with('/') && !to.contains("//") && !to.contains('\\'), "{}", to);
                        prop_assert!(!matches!(resolve(&site, &to), Answer::NotFound(_) | Answer::Malformed), "{}", to);
                    }
                    Answer::File(entry) => {
                        let plain = decoded(&path).unwrap();
                        prop_assert!(entry.path.starts_with(plain.trim_matches('/')), "{} {}", plain, entry.path);
                    }
                    Answer::NotFound(_) | Answer::Malformed | Answer::TooLong => {}
                }
            }
        }
    }
}
