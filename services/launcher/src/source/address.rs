//! Where a repository is: taken apart, and shown without credentials.

use super::Error;
use events::RepositoryUrl;
use std::fmt;

/// A way to fetch a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Https,
    Http,
    /// `ssh://…` and `user@host:path`.
    Ssh,
    Git,
    /// `file://…` and an absolute path.
    File,
    /// `pagefold:…`: kept by the installation itself.
    Own,
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
            Self::Own => "pagefold",
        }
    }

    fn usual_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
            Self::Ssh => 22,
            Self::Git => 9418,
            Self::File | Self::Own => 0,
        }
    }
}

/// An address that git can fetch from. Its text has no credentials.
pub(super) struct Address {
    whole: String,
    shown: String,
    credentials: Option<String>,
    pub(super) scheme: Scheme,
    /// Without brackets; empty for a path on this machine.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
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
        let Some(scheme) = parts.scheme else { return refused("its scheme is unknown") };
        if scheme == Scheme::File && !parts.path.starts_with('/') {
            return refused("it is not an absolute path");
        }
        if parts.path.is_empty() {
            return refused("it names no repository");
        }
        let Some((host, port)) = host_and_port(parts.host, scheme) else { return refused("it has no valid host") };
        let (host, path) = (host.to_owned(), parts.path.to_owned());
        let credentials = parts.credentials.map(str::to_owned);
        Ok(Self { whole: text.to_owned(), credentials, shown, scheme, host, port, path })
    }

    /// Host and port as a URL of this scheme has them.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == self.scheme.usual_port() { host } else { format!("{host}:{}", self.port) }
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
    } else if let Some(site) = text.parse::<RepositoryUrl>().ok().and_then(|url| url.own_site()) {
        let path = text.get(text.len() - site.to_string().len()..).unwrap_or_default();
        (Some(Scheme::Own), "", path)
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

/// A name has only what names have: it gets into a command line for SSH.
fn host_and_port(authority: &str, scheme: Scheme) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) if host.parse::<std::net::Ipv6Addr>().is_ok() => (host, rest),
        Some(_) => return None,
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            (host.bytes().all(named).then_some(host)?, port)
        }
    };
    let port = match port.strip_prefix(':') {
        Some("") => scheme.usual_port(),
        Some(port) => port.parse().ok()?,
        None if port.is_empty() => scheme.usual_port(),
        None => return None,
    };
    (host.is_empty() == matches!(scheme, Scheme::File | Scheme::Own)).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::{Address, Scheme};

    fn parse(text: &str) -> Result<Address, super::Error> {
        Address::parse(text)
    }

    #[test]
    fn each_form_is_taken_apart() {
        for (text, scheme, host, port) in [
            ("https://example.org/acme/docs.git", Scheme::Https, "example.org", 443),
            ("https://user:pass@example.org:8443/acme/docs.git", Scheme::Https, "example.org", 8443),
            ("http://localhost:3000/acme/docs", Scheme::Http, "localhost", 3000),
            ("http://[::1]:3000/acme/docs", Scheme::Http, "::1", 3000),
            ("ssh://git@example.org/acme/docs", Scheme::Ssh, "example.org", 22),
            ("ssh://git@example.org:2222/acme/docs", Scheme::Ssh, "example.org", 2222),
            ("git@example.org:acme/docs", Scheme::Ssh, "example.org", 22),
            ("git://example.org/acme/docs", Scheme::Git, "example.org", 9418),
            ("file:///srv/docs.git", Scheme::File, "", 0),
            ("/srv/docs.git", Scheme::File, "", 0),
            ("pagefold:018f2d6c-7a10-7b3e-8f00-5a1f6a1f0c11", Scheme::Own, "", 0),
        ] {
            let address = parse(text).unwrap();
            assert_eq!((address.scheme, address.host.as_str(), address.port), (scheme, host, port), "{text}");
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
            "git@'$(id)':x",
            "git@[example.org:22]:x",
            "ssh://git@$(id)/x",
            "https://[example.org]/a",
            "https://example.org:port/a",
            "https://exämple.org/a",
            "https://example.org/a b",
            "https://example.org/a\nb",
            "https://example.org\\@evil.example/a",
            "https://example.org",
            "https:///a",
            "relative/path",
            "file://relative",
            "file://host/path",
            "HTTPS://example.org/a",
            "",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn credentials_are_never_shown() {
        let address = parse("https://user:pa:ss@example.org/acme/docs").unwrap();
        assert_eq!(address.to_string(), "https://example.org/acme/docs");
        let said = "unable to access 'https://user:pa:ss@example.org/acme/docs/': password pa:ss refused";
        assert_eq!(
            address.redact(said),
            "unable to access 'https://example.org/acme/docs/': password [hidden] refused"
        );
        let refused = parse("https://token@example.org/a b").map(|_| ()).unwrap_err();
        assert!(!refused.to_string().contains("token"));
        assert_eq!(parse("git@example.org:acme/docs").unwrap().to_string(), "git@example.org:acme/docs");
    }
}
