//! Names that people choose: sites, organizations, branches, aliases, repositories, and the host labels made of them.

use crate::ids::{DeployId, Digest, Invalid, SiteId, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest site or organization name, so that `<branch>--<site>` fits in one DNS label (63 octets, RFC 1035). It is
/// shorter than any spelling of a UUID: wherever a name is accepted, an id can be too.
pub const SITE_NAME_MAX: usize = 30;
/// Longest branch name in bytes, as in git hosting practice.
pub const BRANCH_MAX: usize = 250;
/// Longest repository URL in bytes.
pub const REPOSITORY_URL_MAX: usize = 500;
/// Longest branch part of a preview's host label.
const BRANCH_LABEL_MAX: usize = 63 - 2 - SITE_NAME_MAX;
/// The host prefix of the alias `demo`.
const DEMO_LABEL: &str = "demo";
/// How the address of a repository begins that the installation keeps itself; the id of its site follows.
const OWN: &str = "pagefold:";

/// A site's name: its label below the sites' domain. A site is its [`SiteId`](crate::SiteId); its name is a claim on a
/// host that can be given up for another.
///
/// Starts with a letter, then letters, digits and single hyphens, all lower case, at most [`SITE_NAME_MAX`] characters.
/// Two hyphens in a row are kept for previews (`<branch>--<site>`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z]([a-z0-9]|-(?=[a-z0-9])){0,29}$"))]
pub struct SiteName(String);

/// The name of an organization; formed like a [`SiteName`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z]([a-z0-9]|-(?=[a-z0-9])){0,29}$"))]
pub struct OrganizationName(String);

/// A git branch, by the rules of `git check-ref-format --branch`, at most [`BRANCH_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("minLength" = 1, "maxLength" = 250))]
pub struct Branch(String);

/// Where a repository's source is fetched from: an `https`, `http`, `ssh`, `git` or `file` URL, `user@host:path`, or an
/// absolute path. Never with a password: a URL is recorded for ever, a secret must not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("minLength" = 1, "maxLength" = 500))]
pub struct RepositoryUrl(String);

/// A movable name of a site's content: `live`, `demo` or `preview/<branch>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^(live|demo|preview/.+)$"))]
pub enum AliasName {
    /// What the public sees.
    Live,
    /// The branch an organization shows before it goes live.
    Demo,
    /// The newest build of any other branch.
    Preview(Branch),
}

/// What the first label of a host name means, before anything is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostLabel {
    /// The site's part.
    pub site: SiteName,
    /// The part before `--`, if there is one: a branch label, `demo` or a deploy id.
    pub prefix: Option<String>,
}

text!(SiteName, OrganizationName, Branch, RepositoryUrl);

macro_rules! name {
    ($($name:ident => $what:literal),*) => {$(
        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                label(&text).map_err(|why| Invalid(format!("`{text}` cannot name {}: {why}", $what)))?;
                Ok(Self(text))
            }
        }

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )*};
}

name!(SiteName => "a site", OrganizationName => "an organization");

fn label(text: &str) -> Result<(), &'static str> {
    if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        Err("it must start with a lower-case letter")
    } else if text.len() > SITE_NAME_MAX {
        Err("it is longer than 30 characters")
    } else if !text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        Err("only lower-case letters, digits and hyphens are allowed")
    } else if text.contains("--") || text.ends_with('-') {
        Err("hyphens must stand single and inside")
    } else {
        Ok(())
    }
}

impl Branch {
    /// The branch as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its part of a preview's host: readable where the branch is a plain label, else shortened with a digest, so that
    /// two branches never share a host and none takes the shape of a deploy id or `demo`.
    #[must_use]
    pub fn host_prefix(&self) -> String {
        let mut slug = String::new();
        for character in self.0.to_ascii_lowercase().chars() {
            let kept = if character.is_ascii_alphanumeric() { character } else { '-' };
            if kept != '-' || !(slug.is_empty() || slug.ends_with('-')) {
                slug.push(kept);
            }
        }
        let slug = slug.trim_end_matches('-');
        let plain = slug == self.0 && slug.len() <= BRANCH_LABEL_MAX;
        if plain && slug != DEMO_LABEL && !DeployId::is_shaped(slug) {
            return slug.to_owned();
        }
        let digest = Digest::of(self.0.as_bytes()).to_string();
        let kept: String = slug.chars().take(BRANCH_LABEL_MAX - 7).collect();
        format!("{}-{}", if kept.is_empty() { "x" } else { kept.trim_end_matches('-') }, &digest[..6])
    }
}

impl TryFrom<String> for Branch {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        const FORBIDDEN: &[char] = &[' ', '~', '^', ':', '?', '*', '[', '\\', '\u{7f}'];
        let bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
        let bad = text.len() > BRANCH_MAX
            || text.starts_with('-')
            || text.ends_with('.')
            || text == "@"
            || text.contains("..")
            || text.contains("@{")
            || text.contains(FORBIDDEN)
            || text.chars().any(char::is_control)
            || text.split('/').any(bad_part);
        if bad {
            Err(Invalid(format!("`{}` is not a valid git branch name", text.escape_debug())))
        } else {
            Ok(Self(text))
        }
    }
}

impl RepositoryUrl {
    /// The URL as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The repository that the installation itself keeps of a site.
    #[must_use]
    pub fn own(site: SiteId) -> Self {
        Self(format!("{OWN}{site}"))
    }

    /// The site whose own repository it is; none for one that is elsewhere.
    #[must_use]
    pub fn own_site(&self) -> Option<SiteId> {
        self.0.strip_prefix(OWN)?.parse().ok()
    }

    /// The name under which every spelling of the same repository meets: `github.com/acme/docs` for its https, ssh and
    /// scp-like forms, `file/srv/docs` for a path. Hosts and their paths compare without case, local paths with it.
    #[must_use]
    pub fn canonical(&self) -> String {
        if self.own_site().is_some() {
            return self.0.clone();
        }
        let text = self.0.trim_end_matches('/').trim_end_matches(".git");
        if let Some(path) = text.strip_prefix("file://").or_else(|| text.starts_with('/').then_some(text)) {
            return format!("file{path}");
        }
        let rest = match text.split_once("://") {
            Some((_, rest)) => rest.to_owned(),
            None => text.replacen(':', "/", 1),
        };
        let after_user = rest.split_once('@').map_or(rest.as_str(), |(_, host)| host);
        after_user.to_lowercase()
    }
}

impl TryFrom<String> for RepositoryUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        // The text itself stays out of the message: it may hold the password this refuses.
        let invalid = |why: &str| Err(Invalid(format!("not a repository URL: {why}")));
        if text.is_empty() || text.len() > REPOSITORY_URL_MAX {
            return invalid("it must have 1 to 500 bytes");
        }
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return invalid("it has white space or control characters");
        }
        let user = |rest: &str| {
            rest.split('/').next().and_then(|authority| authority.rsplit_once('@')).map(|(u, _)| u.to_owned())
        };
        let supported = match text.split_once("://") {
            Some(("https" | "http" | "git", rest)) => {
                if user(rest).is_some() {
                    return invalid("it must not carry credentials");
                }
                rest.contains('/') && !rest.starts_with('/')
            }
            Some(("ssh", rest)) => {
                if user(rest).is_some_and(|user| user.contains(':')) {
                    return invalid("it must not carry credentials");
                }
                rest.contains('/') && !rest.starts_with(['/', '-'])
            }
            Some(("file", rest)) => rest.starts_with('/'),
            Some(_) => false,
            None => text.starts_with('/') || scp_like(&text) || own(&text),
        };
        if supported {
            Ok(Self(text))
        } else {
            invalid("use https, http, ssh, git, file, user@host:path or an absolute path")
        }
    }
}

/// `pagefold:` and a site's id, spelled as ids are.
fn own(text: &str) -> bool {
    let id = text.strip_prefix(OWN);
    id.is_some_and(|id| id.parse::<SiteId>().is_ok_and(|site| site.to_string() == id))
}

/// `user@host:path`, the short form of ssh.
fn scp_like(text: &str) -> bool {
    let parts =
        text.split_once('@').and_then(|(user, rest)| rest.split_once(':').map(|(host, path)| (user, host, path)));
    parts.is_some_and(|(user, host, path)| {
        let plain = |part: &str| !part.is_empty() && !part.starts_with('-') && !part.contains(['/', ':']);
        plain(user) && plain(host) && !path.is_empty() && !path.starts_with('-')
    })
}

impl AliasName {
    /// The plain tree of this alias in the site's bucket, without a trailing slash (Federalist's layout).
    #[must_use]
    pub fn tree(&self) -> String {
        match self {
            Self::Live => "site".to_owned(),
            Self::Demo => "demo".to_owned(),
            Self::Preview(branch) => format!("preview/{branch}"),
        }
    }

    /// The alias with this plain tree, if there can be one.
    #[must_use]
    pub fn of_tree(tree: &str) -> Option<Self> {
        if tree == "site" { Some(Self::Live) } else { tree.parse().ok().filter(|alias| *alias != Self::Live) }
    }

    /// What stands before `--<site>` in its host; none for the live host, which is the site's name alone.
    #[must_use]
    pub fn host_prefix(&self) -> Option<String> {
        match self {
            Self::Live => None,
            Self::Demo => Some(DEMO_LABEL.to_owned()),
            Self::Preview(branch) => Some(branch.host_prefix()),
        }
    }

    /// The first label of its host.
    #[must_use]
    pub fn host_label(&self, site: &SiteName) -> String {
        match self.host_prefix() {
            None => site.to_string(),
            Some(prefix) => format!("{prefix}--{site}"),
        }
    }
}

impl std::fmt::Display for AliasName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Live => f.write_str("live"),
            Self::Demo => f.write_str(DEMO_LABEL),
            Self::Preview(branch) => write!(f, "preview/{branch}"),
        }
    }
}

impl From<AliasName> for String {
    fn from(alias: AliasName) -> Self {
        alias.to_string()
    }
}

impl TryFrom<String> for AliasName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        match (text.as_str(), text.strip_prefix("preview/")) {
            ("live", _) => Ok(Self::Live),
            (DEMO_LABEL, _) => Ok(Self::Demo),
            (_, Some(branch)) => branch.parse().map(Self::Preview),
            (_, None) => Err(Invalid(format!("`{text}` is not an alias: use `live`, `demo` or `preview/<branch>`"))),
        }
    }
}

impl std::str::FromStr for AliasName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::try_from(text.to_owned())
    }
}

impl HostLabel {
    /// Reads the first label of a host name: `docs` or `<prefix>--docs`. `None` if it cannot be a site's.
    #[must_use]
    pub fn parse(label: &str) -> Option<Self> {
        let label = label.to_ascii_lowercase();
        match label.rsplit_once("--") {
            Some(("", _)) => None,
            Some((prefix, site)) => Some(Self { site: site.parse().ok()?, prefix: Some(prefix.to_owned()) }),
            None => Some(Self { site: label.parse().ok()?, prefix: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn branch(text: &str) -> Branch {
        text.parse().unwrap()
    }

    #[test]
    fn spellings_of_one_repository_meet() {
        let spellings = [
            "https://github.com/Acme/Docs.git",
            "https://github.com/acme/docs",
            "https://github.com/acme/docs/",
            "git@github.com:acme/docs.git",
            "ssh://git@github.com/acme/docs.git",
        ];
        for spelling in spellings {
            let url: RepositoryUrl = spelling.parse().unwrap();
            assert_eq!(url.canonical(), "github.com/acme/docs", "{spelling}");
        }
        let file: RepositoryUrl = "file:///srv/Docs.git".parse().unwrap();
        let path: RepositoryUrl = "/srv/Docs.git".parse().unwrap();
        assert_eq!(file.canonical(), path.canonical());
    }

    #[test]
    fn a_repository_url_never_carries_a_password_or_an_option() {
        for refused in [
            "https://token@github.com/acme/docs",
            "https://user:secret@github.com/acme/docs",
            "ssh://git:secret@github.com/acme/docs",
            "-oProxyCommand=x",
            "ssh://-oProxyCommand=x/y",
            "ext::sh -c id",
            "git@-host:path",
            "relative/path",
            "",
        ] {
            let error = refused.parse::<RepositoryUrl>().unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_plain_branch_reads_well_in_a_host_and_a_confusing_one_is_marked() {
        assert_eq!(branch("feature-x").host_prefix(), "feature-x");
        assert_eq!(branch("feature/x").host_prefix().len(), "feature-x-123456".len());
        assert_ne!(branch("feature/x").host_prefix(), branch("feature.x").host_prefix());
        assert_ne!(branch("demo").host_prefix(), "demo");
        assert_ne!(branch("0123456789ab").host_prefix(), "0123456789ab");
        assert!(branch("ünïcödé").host_prefix().is_ascii());
    }

    #[test]
    fn git_would_refuse_these_branches_too() {
        for refused in ["", "-x", "a..b", "a b", "a~b", "a/", "/a", "a//b", ".a", "a.lock", "a.", "@", "a@{b", "a\n"] {
            assert!(refused.parse::<Branch>().is_err(), "{refused:?}");
        }
    }

    #[test]
    fn a_host_label_splits_at_the_last_double_hyphen() {
        assert_eq!(HostLabel::parse("docs"), Some(HostLabel { site: "docs".parse().unwrap(), prefix: None }));
        let preview = HostLabel::parse("Feature-x--docs").unwrap();
        assert_eq!((preview.prefix.as_deref(), preview.site.as_str()), (Some("feature-x"), "docs"));
        assert_eq!((HostLabel::parse("--docs--"), HostLabel::parse("--docs")), (None, None));
    }

    proptest! {
        #[test]
        fn every_preview_has_a_dns_label_of_its_own(a in "[a-zA-Z0-9/._ü-]{1,80}", b in "[a-zA-Z0-9/._ü-]{1,80}") {
            let site: SiteName = "a2345678901234567890123456789z".parse().unwrap();
            let labels: Vec<String> = [&a, &b].into_iter().filter_map(|text| text.parse().ok())
                .map(|branch| AliasName::Preview(branch).host_label(&site)).collect();
            for label in &labels {
                prop_assert!(label.len() <= 63 && !label.starts_with('-'), "{label}");
                prop_assert_eq!(HostLabel::parse(label).map(|parsed| parsed.site), Some(site.clone()));
            }
            if let [first, second] = labels.as_slice() {
                prop_assert_eq!(first == second, a == b);
            }
        }

        #[test]
        fn an_alias_reads_back(text in "(live|demo|preview/[a-z]{1,9})") {
            prop_assert_eq!(text.parse::<AliasName>().unwrap().to_string(), text);
        }
    }
}
