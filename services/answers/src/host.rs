//! Which label of a host name a request is for.

/// The name in `host`, in lower case: a port and a final dot are passed over.
#[must_use]
pub fn name(host: &str) -> Option<String> {
    let name = match host.split_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) => return None,
        None => host,
    };
    Some(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase())
}

/// The one label that stands before `base_domain` in `name`.
#[must_use]
pub fn label<'n>(name: &'n str, base_domain: &str) -> Option<&'n str> {
    let label = name.strip_suffix(base_domain)?.strip_suffix('.')?;
    (!label.is_empty() && !label.contains('.')).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_label_stands_before_the_base_domain() {
        for (host, expected) in [
            ("docs.sites.localhost", Some("docs")),
            ("docs.sites.localhost:8080", Some("docs")),
            ("docs.sites.localhost.", Some("docs")),
            ("Docs.SITES.localhost.:80", Some("docs")),
            ("demo--docs.sites.localhost:", Some("demo--docs")),
            ("sites.localhost", None),
            (".sites.localhost", None),
            ("a.docs.sites.localhost", None),
            ("docssites.localhost", None),
            ("docs.sites.localhost..", None),
            ("docs.sites.localhost.evil.example", None),
            ("docs.sites.localhost:80:80", None),
            ("docs.sites.localhost:http", None),
            ("127.0.0.1:8080", None),
            ("[::1]:8080", None),
            ("", None),
        ] {
            let name = name(host);
            assert_eq!(name.as_deref().and_then(|name| label(name, "sites.localhost")), expected, "{host}");
        }
    }
}
