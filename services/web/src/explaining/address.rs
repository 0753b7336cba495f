//! The address that is asked about.

use crate::problem::Problem;
use answers::host;
use http::Uri;

/// Longest address that is read, in bytes.
pub(crate) const URL_MAX: usize = 8192;

/// An address as the edge would be asked for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// In lower case, without a port.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// As it is sent.
    pub(super) path: String,
    pub(super) query: Option<String>,
}

impl Address {
    /// Reads it as people copy it: with a scheme or without, and perhaps with a fragment, which browsers keep to themselves.
    pub(super) fn read(url: &str) -> Result<Self, Problem> {
        let wrong = || {
            Problem::InvalidInput(
                "`url` must be an address of a page, such as https://docs.example.org/page".to_owned(),
            )
        };
        let url = url.trim().split('#').next().unwrap_or_default();
        let whole = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let known = whole.starts_with("http://") || whole.starts_with("https://");
        let uri: Uri = Some(whole)
            .filter(|whole| known && whole.len() <= URL_MAX)
            .ok_or_else(wrong)?
            .parse()
            .map_err(|_| wrong())?;
        let host = uri.host().and_then(host::name).filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let path = Some(uri.path()).filter(|path| !path.is_empty()).unwrap_or("/").to_owned();
        Ok(Self { host, port: uri.port_u16(), path, query: uri.query().map(ToOwned::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_copy_them() {
        for (url, host, path, query) in [
            ("https://docs.example.org/a?b=c#d", "docs.example.org", "/a", Some("b=c")),
            (" Docs.Example.org.:8080 ", "docs.example.org", "/", None),
            ("docs.example.org/%C3%BC", "docs.example.org", "/%C3%BC", None),
        ] {
            let read = Address::read(url).unwrap();
            assert_eq!((read.host.as_str(), read.path.as_str(), read.query.as_deref()), (host, path, query), "{url}");
        }
        assert_eq!(Address::read("http://a.test:81/").unwrap().port, Some(81));
        let long = format!("http://a.test/{}", "a".repeat(URL_MAX));
        for wrong in ["", "/", "ftp://a.test/", "http://", "http:///a", "a b", long.as_str()] {
            assert!(Address::read(wrong).is_err(), "{wrong:.40}");
        }
    }
}
