//! Where a repository is: checked against the allowed schemes, shown without credentials.

use super::Error;
use std::collections::BTreeSet;
use std::fmt;

/// A way to fetch a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    Https,
    Http,
    /// `ssh://…` and `user@host:path`.
    Ssh,
    Git,
    /// `file://…` and an absolute path.
    File,
}

impl Scheme {
    /// The name that git gives the transport.
    pub(super) fn transport(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Ssh => "ssh",
            Self::Git => "git",
            Self::File => "file",
        }
    }
}

/// An address that may be fetched from. Its text has no credentials.
pub(super) struct Address {
    whole: String,
    shown: String,
    credentials: Option<String>,
}

impl Address {
    pub(super) fn parse(text: &str, allowed: &BTreeSet<Scheme>) -> Result<Self, Error> {
        let parts = split(text);
        let shown = match parts.credentials {
            Some(credentials) => text.replacen(&format!("{credentials}@"), "", 1),
            None => text.to_owned(),
        };
        let refused = |why| Err(Error::AddressRefused { address: shown.clone(), why });
        if text.starts_with('-') || parts.host.starts_with('-') || parts.path.starts_with('-') {
            return refused("it could be read as an option");
        }
        if text.chars().any(|character| character.is_control() || character.is_whitespace() || character == '\\') {
            return refused("it holds a space, a control character or a backslash");
        }
        match parts.scheme {
            None => return refused("its scheme is unknown"),
            Some(scheme) if !allowed.contains(&scheme) => return refused("its scheme is not allowed here"),
            Some(Scheme::File) if !parts.path.starts_with('/') => return refused("it is not an absolute path"),
            Some(_) if parts.path.is_empty() => return refused("it names no repository"),
            Some(_) => {}
        }
        Ok(Self { whole: text.to_owned(), credentials: parts.credentials.map(str::to_owned), shown })
    }

    /// The whole address, for git alone.
    pub(super) fn for_git(&self) -> &str {
        &self.whole
    }

    /// The text without the credentials of this address, whole or in parts.
    pub(super) fn redact(&self, text: &str) -> String {
        let Some(credentials) = &self.credentials else { return text.to_owned() };
        let password = credentials.split_once(':').map_or(credentials.as_str(), |(_, password)| password);
        let mut redacted = text.replace(&format!("{credentials}@"), "");
        for secret in [credentials.as_str(), password] {
            if !secret.is_empty() {
                redacted = redacted.replace(secret, "[hidden]");
            }
        }
        redacted
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

struct Parts<'a> {
    scheme: Option<Scheme>,
    /// What stands before the host, unless it is only the user of an SSH login.
    credentials: Option<&'a str>,
    host: &'a str,
    path: &'a str,
}

fn split(text: &str) -> Parts<'_> {
    let (scheme, authority, path) = if let Some((scheme, rest)) = text.split_once("://") {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        (known(scheme), authority, path)
    } else if text.starts_with('/') {
        (Some(Scheme::File), "", text)
    } else {
        // `user@host:path`; with two colons git would take the first word for the name of a helper program.
        match text.split_once(':') {
            Some((login, path)) if !login.contains('/') && !path.starts_with(':') => (Some(Scheme::Ssh), login, path),
            _ => (None, "", text),
        }
    };
    let (credentials, host) = match authority.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, authority),
    };
    let login = |credentials: &&str| scheme != Some(Scheme::Ssh) || credentials.contains(':');
    Parts { scheme, credentials: credentials.filter(login), host, path }
}

fn known(scheme: &str) -> Option<Scheme> {
    let all = [Scheme::Https, Scheme::Http, Scheme::Ssh, Scheme::Git, Scheme::File];
    all.into_iter().find(|known| known.transport() == scheme)
}

#[cfg(test)]
mod tests {
    use super::{Address, Scheme};
    use std::collections::BTreeSet;

    fn parse(text: &str, allowed: &[Scheme]) -> Result<Address, super::Error> {
        Address::parse(text, &allowed.iter().copied().collect::<BTreeSet<_>>())
    }

    const ALL: &[Scheme] = &[Scheme::Https, Scheme::Http, Scheme::Ssh, Scheme::Git, Scheme::File];

    #[test]
    fn each_form_needs_its_scheme_to_be_allowed() {
        for (text, scheme) in [
            ("https://example.org/acme/docs.git", Scheme::Https),
            ("http://localhost:3000/acme/docs", Scheme::Http),
            ("ssh://git@example.org/acme/docs", Scheme::Ssh),
            ("git@example.org:acme/docs", Scheme::Ssh),
            ("git://example.org/acme/docs", Scheme::Git),
            ("file:///srv/docs.git", Scheme::File),
            ("/srv/docs.git", Scheme::File),
        ] {
            assert!(parse(text, &[scheme]).is_ok(), "{text}");
            let others: Vec<_> = ALL.iter().copied().filter(|other| *other != scheme).collect();
            assert!(parse(text, &others).is_err(), "{text}");
        }
    }

    #[test]
    fn what_git_would_run_or_misread_is_refused() {
        for text in [
            "--upload-pack=touch /tmp/x",
            "ext::sh -c id",
            "ext::id",
            "fd::17",
            "-oProxyCommand=id:x",
            "ssh://-oProxyCommand=id/x",
            "git@-oProxyCommand=id:x",
            "git@example.org:-x",
            "https://example.org/a b",
            "https://example.org/a\nb",
            "https://example.org\\@evil.example/a",
            "https://example.org",
            "relative/path",
            "file://relative",
            "HTTPS://example.org/a",
            "",
        ] {
            assert!(parse(text, ALL).is_err(), "{text}");
        }
    }

    #[test]
    fn credentials_are_never_shown() {
        let address = parse("https://user:pa:ss@example.org/acme/docs", ALL).unwrap();
        assert_eq!(address.to_string(), "https://example.org/acme/docs");
        let said = "unable to access 'https://user:pa:ss@example.org/acme/docs/': password pa:ss refused";
        assert_eq!(
            address.redact(said),
            "unable to access 'https://example.org/acme/docs/': password [hidden] refused"
        );
        let refused = parse("https://token@example.org/a b", ALL).map(|_| ()).unwrap_err();
        assert!(!refused.to_string().contains("token"));
        assert_eq!(parse("git@example.org:acme/docs", ALL).unwrap().to_string(), "git@example.org:acme/docs");
    }
}
