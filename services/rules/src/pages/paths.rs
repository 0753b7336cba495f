//! Which paths of a build's output are published, beyond what never is and what always is.

use super::PATHS_MAX;
use fast_glob::glob_match;

/// What stands for a slash where a star shall not stop at one.
const SLASH: char = '\u{1}';
/// Never published: what git keeps, and what is read before.
const NEVER_IN: &str = ".git";
const NEVER: [&str; 2] = ["/federalist.json", "/pages.json"];
/// Not published unless it is asked for, wherever it is.
const BUILD_FILES: [&str; 2] = ["Dockerfile", "docker-compose.yml"];
/// The one folder with a dot that is meant for readers (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// Paths that are left out, and those that are published all the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths {
    exclude: Vec<Glob>,
    include: Vec<Glob>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Glob {
    /// As it is matched.
    spelled: String,
    /// What every path begins with that it means.
    beginning: String,
}

impl Paths {
    pub(super) fn exclude(&mut self, glob: &str) -> Result<(), String> {
        add(&mut self.exclude, glob)
    }

    pub(super) fn include(&mut self, glob: &str) -> Result<(), String> {
        add(&mut self.include, glob)
    }

    /// Whether the file at this path, relative to the output, is published.
    #[must_use]
    pub fn publishes(&self, path: &str) -> bool {
        let whole = format!("/{path}");
        if NEVER.contains(&whole.as_str()) || path.split('/').any(|segment| segment == NEVER_IN) {
            return false;
        }
        let spelled = whole.replace('/', &SLASH.to_string());
        let is_meant = |globs: &[Glob]| globs.iter().any(|glob| glob_match(&glob.spelled, &spelled));
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_usual = !is_hidden(path) && !BUILD_FILES.contains(&name);
        is_usual && !is_meant(&self.exclude) || is_meant(&self.include)
    }

    /// Whether anything below the folder at this path may be published.
    #[must_use]
    pub fn enters(&self, folder: &str) -> bool {
        let below = format!("/{folder}/");
        let leads = |glob: &Glob| glob.beginning.starts_with(&below) || below.starts_with(&glob.beginning);
        let is_of_git = folder.split('/').any(|segment| segment == NEVER_IN);
        !is_of_git && (!is_hidden(folder) || self.include.iter().any(leads))
    }
}

fn is_hidden(path: &str) -> bool {
    path.split('/').any(|segment| segment.starts_with('.') && segment != WELL_KNOWN)
}

fn add(globs: &mut Vec<Glob>, text: &str) -> Result<(), String> {
    if globs.len() == PATHS_MAX {
        return Err(format!("there are more than {PATHS_MAX} of its kind"));
    }
    globs.push(Glob::read(text)?);
    Ok(())
}

impl Glob {
    /// `*` stands for any characters, slashes among them, `?` for one, `[a-z]` for one of these and `[!a-z]` for one of the others.
    fn read(text: &str) -> Result<Self, String> {
        if !text.starts_with(['/', '*', '?', '[']) {
            return Err("it means no path: each begins with `/`".to_owned());
        }
        if text.matches('[').count() != text.matches(']').count() {
            return Err("a bracket has no counterpart".to_owned());
        }
        let mut spelled = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                // Several are no more than one.
                '*' if spelled.ends_with('*') => {}
                '/' => spelled.push(SLASH),
                '{' | '}' | '\\' => spelled.extend(['\\', character]),
                other => spelled.push(other),
            }
        }
        let beginning = text.split(['*', '?', '[']).next().unwrap_or_default().to_owned();
        Ok(Self { spelled, beginning })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(exclude: &[&str], include: &[&str]) -> Paths {
        let mut paths = Paths::default();
        exclude.iter().for_each(|glob| paths.exclude(glob).unwrap());
        include.iter().for_each(|glob| paths.include(glob).unwrap());
        paths
    }

    #[test]
    fn where_nothing_is_said_the_rules_are_those_of_federalist() {
        let usual = Paths::default();
        for (path, published) in [
            ("index.html", true),
            ("a/b.css", true),
            (".git/HEAD", false),
            ("a/.env", false),
            (".well-known/security.txt", true),
            (".well-known/.secret", false),
            ("Dockerfile", false),
            ("a/Dockerfile", false),
            ("Dockerfile.html", true),
            ("a/docker-compose.yml", false),
            ("pages.json", false),
            ("a/pages.json", true),
            ("federalist.json", false),
        ] {
            assert_eq!(usual.publishes(path), published, "{path}");
        }
    }

    #[test]
    fn what_is_included_goes_before_what_is_left_out_and_a_star_stops_at_no_slash() {
        let said = paths(
            &["/drafts/*", "*.map", "/page-?.html", "/[!a-c].txt", "/one{x}.css"],
            &["/drafts/open/*", "/.hidden/told.txt", "**/Dockerfile", "/.git/*", "/pages.json"],
        );
        for (path, published) in [
            ("drafts/a.html", false),
            ("drafts/deep/b.html", false),
            ("drafts/open/deep/c.html", true),
            ("drafts.html", true),
            ("js/app.js.map", false),
            ("page-1.html", false),
            ("page-10.html", true),
            ("a.txt", true),
            ("d.txt", false),
            ("one{x}.css", false),
            ("onex.css", true),
            (".hidden/told.txt", true),
            (".hidden/other.txt", false),
            ("a/Dockerfile", true),
            ("Dockerfile", true),
            (".git/HEAD", false),
            ("pages.json", false),
        ] {
            assert_eq!(said.publishes(path), published, "{path}");
        }
    }

    #[test]
    fn a_folder_is_looked_into_where_something_in_it_may_be_meant() {
        let said = paths(&["/drafts/*"], &["/.hidden/deep/told.txt"]);
        let entered = ["drafts", ".hidden", ".hidden/deep", ".hidden/other", ".cache", ".git", ".well-known"];
        assert_eq!(entered.map(|path| said.enters(path)), [true, true, true, false, false, false, true]);
        assert!(paths(&[], &["*.txt"]).enters(".anything") && !paths(&[], &["*"]).enters("a/.git"));
    }

    #[test]
    fn a_glob_that_means_nothing_is_told() {
        for wrong in ["Dockerfile", "", "!/a", "/[a"] {
            assert!(Glob::read(wrong).is_err(), "{wrong}");
        }
    }
}
