//! What is told of a repository that was looked at, in words for people and in fields for programs. Pure.

use super::git::Refs;
use super::{BRANCHES_MAX, Checked};
use dialer::Unreached;
use events::engine::detect;
use events::{Branch, SiteEngine};

/// Branches that a sentence names.
const NAMED: usize = 5;
/// How hosts say that there is no repository, or none for everybody.
const CLOSED: [&str; 8] = [
    "could not read Username",
    "could not read Password",
    "Authentication failed",
    "not found",
    "returned error: 401",
    "returned error: 403",
    "returned error: 404",
    "returned error: 410",
];

fn nothing(reachable: Option<bool>, message: String) -> Checked {
    Checked {
        reachable,
        message,
        default_branch: None,
        branch_found: None,
        branches: Vec::new(),
        engine: None,
        engine_because: None,
    }
}

pub(super) fn unreachable(message: String) -> Checked {
    nothing(Some(false), message)
}

pub(super) fn unknown(message: String) -> Checked {
    nothing(None, message)
}

/// A host of SSH that is there.
pub(super) fn answers() -> Checked {
    let message =
        "The host answers. Over SSH the site's deploy key reads the repository: you make it after the creation.";
    unknown(message.to_owned())
}

/// Git could not read it, or did not get there.
pub(super) fn refused(said: &str, unreached: Option<Unreached>) -> Checked {
    if let Some(why) = unreached {
        return why.into();
    }
    let message = if CLOSED.iter().any(|words| said.contains(words)) {
        "There is no repository that everybody may read. If it is private, create the site and give it a deploy key or an access token then."
    } else {
        "No git repository answers there."
    };
    unreachable(message.to_owned())
}

/// It can be read, and the branch is not there.
pub(super) fn without_branch(refs: Refs, branch: &Branch) -> Checked {
    let named: Vec<String> = refs.branches.iter().take(NAMED).map(|branch| format!("`{branch}`")).collect();
    let message = match refs.branches.len() {
        0 => "Reachable, but it has no branches yet: push one.".to_owned(),
        more if more > NAMED => {
            format!("Reachable, but there is no branch `{branch}`; there are {} and more.", named.join(", "))
        }
        _ => format!("Reachable, but there is no branch `{branch}`; there is {}.", named.join(", ")),
    };
    of(refs, false, message)
}

/// It can be read, and the branch is there.
pub(super) fn found(refs: Refs, branch: &Branch, names: Option<&[String]>) -> Checked {
    let Some(names) = names else {
        return of(refs, true, format!("Reachable, branch `{branch}`."));
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let detected = detect(&names);
    let message =
        format!("Reachable, branch `{branch}`, looks like {}: {}.", called(detected.engine), detected.because);
    let checked = of(refs, true, message);
    Checked { engine: Some(detected.engine), engine_because: Some(detected.because), ..checked }
}

fn of(refs: Refs, branch_found: bool, message: String) -> Checked {
    let mut branches = refs.branches;
    branches.truncate(BRANCHES_MAX);
    Checked { default_branch: refs.default, branch_found: Some(branch_found), branches, ..nothing(Some(true), message) }
}

const fn called(engine: SiteEngine) -> &'static str {
    match engine {
        SiteEngine::Static => "static files",
        SiteEngine::NodeJs => "Node.js",
        SiteEngine::Hugo => "Hugo",
        SiteEngine::Jekyll => "Jekyll",
        SiteEngine::Auto => "any of them",
    }
}

/// Where an address of SSH or of git's own protocol leads.
pub(super) fn host_and_port(url: &str) -> Option<(String, u16)> {
    let (usual, authority) = match url.split_once("://") {
        Some((scheme, rest)) => (if scheme == "git" { 9418 } else { 22 }, rest.split('/').next()?),
        None => return Some((url.split_once(':')?.0.rsplit_once('@')?.1.to_owned(), 22)),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some((address, port)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Some((address.to_owned(), port.strip_prefix(':').map_or(Some(usual), |port| port.parse().ok())?));
    }
    match host.split_once(':') {
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)),
        None => Some((host.to_owned(), usual)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refs(branches: &[&str]) -> Refs {
        Refs { default: Some("trunk".to_owned()), branches: branches.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn a_sentence_says_what_was_found_and_what_was_not() {
        let main: Branch = "main".parse().unwrap();
        let names = ["hugo.toml".to_owned()];
        let fine = found(refs(&["main"]), &main, Some(&names));
        assert!(fine.is_fine() && fine.engine == Some(SiteEngine::Hugo));
        assert_eq!(fine.message, "Reachable, branch `main`, looks like Hugo: there is `hugo.toml`.");
        assert_eq!(found(refs(&["main"]), &main, None).message, "Reachable, branch `main`.");
        let other = without_branch(refs(&["next", "trunk"]), &main);
        assert!(!other.is_fine() && other.default_branch.as_deref() == Some("trunk"));
        assert_eq!(other.message, "Reachable, but there is no branch `main`; there is `next`, `trunk`.");
        assert!(without_branch(refs(&[]), &main).message.contains("no branches yet"));
        let private = refused("fatal: could not read Username for 'https://example.org'", None);
        assert!(!private.is_fine() && private.message.contains("deploy key"));
        assert!(refused("fatal: protocol error", None).message.contains("No git repository"));
        let unknown = Unreached::Name { host: "nowhere.test".to_owned() };
        assert_eq!(
            refused("", Some(unknown)).message,
            "The repository cannot be reached: the name `nowhere.test` is not known."
        );
    }

    #[test]
    fn an_address_names_its_host() {
        for (url, expected) in [
            ("git@example.org:acme/docs", Some(("example.org", 22))),
            ("ssh://git@example.org:2222/docs", Some(("example.org", 2222))),
            ("ssh://git@[::1]:2222/docs", Some(("::1", 2222))),
            ("git://example.org/docs", Some(("example.org", 9418))),
            ("ssh://example.org:port/docs", None),
        ] {
            assert_eq!(host_and_port(url), expected.map(|(host, port)| (host.to_owned(), port)), "{url}");
        }
    }
}
