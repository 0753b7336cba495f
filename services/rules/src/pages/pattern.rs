//! The paths of files that `pages.json` has headers for: `*` for all that follows, `*.ext` for files of that kind at any depth,
//! `:name` for one part of a path, and `:name.ext` for one of that kind.

use crate::path::canonical;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// One part that ends so.
    Any(String),
}

/// What the path of a file must look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilePattern {
    parts: Vec<Part>,
    rest: Rest,
}

/// What may follow the parts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rest {
    Nothing,
    Anything,
    /// Any path to a file of that extension.
    Kind(String),
}

impl FilePattern {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let spelled = canonical(text);
        let mut given = spelled.strip_prefix('/').ok_or("a path begins with `/`")?.split('/').peekable();
        let mut parts = Vec::new();
        while let Some(part) = given.next() {
            let rest = match part.strip_prefix('*') {
                None => {
                    parts.push(Part::read(part));
                    continue;
                }
                Some("") => Rest::Anything,
                Some(kind) if kind.starts_with('.') && !kind.contains('*') => {
                    Rest::Kind(kind.rsplit('.').next().unwrap_or_default().to_owned())
                }
                Some(_) => return Err("a star stands alone, or before an extension".to_owned()),
            };
            return if given.peek().is_none() {
                Ok(Self { parts, rest })
            } else {
                Err("nothing can follow a star".to_owned())
            };
        }
        if spelled.contains('*') {
            return Err("a star stands alone, or before an extension".to_owned());
        }
        Ok(Self { parts, rest: Rest::Nothing })
    }

    /// Whether it is for one of these files.
    pub(crate) fn is_for(&self, files: &[String]) -> bool {
        files.iter().any(|file| self.is_for_file(file))
    }

    fn is_for_file(&self, path: &str) -> bool {
        let mut given = path.split('/');
        if !self.parts.iter().all(|part| given.next().is_some_and(|given| part.is(given))) {
            return false;
        }
        match (&self.rest, given.next_back()) {
            (Rest::Nothing, left) => left.is_none(),
            (Rest::Anything, left) => left.is_some(),
            (Rest::Kind(kind), Some(name)) => name.rsplit_once('.').is_some_and(|(_, found)| found == kind),
            (Rest::Kind(_), None) => false,
        }
    }
}

/// The files that a request may mean that asks for this path: the one of that path, or the page that is shown there.
pub(crate) fn files_of(path: &str) -> Vec<String> {
    let path = canonical(path);
    let path = path.strip_prefix('/').unwrap_or(&path);
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        return vec![format!("{path}index.html")];
    }
    let mut files = vec![path.to_owned()];
    if !name.contains('.') {
        files.extend([format!("{path}.html"), format!("{path}/index.html")]);
    }
    files
}

impl Part {
    fn read(text: &str) -> Self {
        match text.strip_prefix(':') {
            Some(name) => Self::Any(name.find('.').and_then(|at| name.get(at..)).unwrap_or_default().to_owned()),
            None => Self::Literal(text.to_owned()),
        }
    }

    fn is(&self, given: &str) -> bool {
        match self {
            Self::Literal(text) => text == given,
            Self::Any(end) => given.len() > end.len() && given.ends_with(end.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FilePattern, files_of};

    #[test]
    fn a_path_is_meant_as_federalist_means_it() {
        for (pattern, meant, not_meant) in [
            ("/*", &["/", "/index.html", "/foo/bar/baz/index.html", "/about"][..], &[][..]),
            ("/index.html", &["/", "/index.html"], &["/foo.js", "/a/", "/a/index.html"]),
            ("/*.html", &["/foo/bar/index.foo.html", "/", "/about", "/blog/"], &["/app.js", "/index.html.gz"]),
            ("/*.foo", &["/x.foo"], &["/foo/bar/index.foo.html"]),
            ("/:foo/bar", &["/abc/bar"], &["/bar", "/a/b/bar", "/abc/bar/x.css"]),
            ("/:baz", &["/abc", "/abc.css"], &["/abc/foo.css"]),
            ("/:slug/:file.html", &["/a/b.html", "/a/b", "/a/"], &["/a/b.css", "/b.html", "/a/b/c.html"]),
            ("/assets/*", &["/assets/a/b.js"], &["/assets.js", "/other/assets/a.js"]),
            ("/a b/*", &["/a%20b/x.css"], &["/a/x.css"]),
        ] {
            let pattern = FilePattern::read(pattern).unwrap();
            for path in meant {
                assert!(pattern.is_for(&files_of(path)), "{pattern:?} {path}");
            }
            for path in not_meant {
                assert!(!pattern.is_for(&files_of(path)), "{pattern:?} {path}");
            }
        }
    }

    #[test]
    fn a_star_elsewhere_is_told() {
        for wrong in ["index.html", "", "/a*", "/*/b", "/*.a/b", "/a/*b*", "/x*.html"] {
            assert!(FilePattern::read(wrong).is_err(), "{wrong}");
        }
    }
}
