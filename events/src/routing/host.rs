//! The name of a host, as readers ask for it.

use crate::ids::{Invalid, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name of a host, in bytes (RFC 1035).
pub const HOST_MAX: usize = 253;
/// Longest part of one.
const LABEL_MAX: usize = 63;

/// The name of a host that routes are of: two labels or more, in lower case, without a port. No address in numbers is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("minLength" = 3, "maxLength" = 253))]
pub struct HostName(String);

text!(HostName);

impl HostName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing stands before what was registered, as far as the number of its labels tells: such a name can have no
    /// CNAME record.
    #[must_use]
    pub fn is_apex(&self) -> bool {
        self.0.split('.').count() == 2
    }

    /// Whether it is `domain`, or below it by however many labels.
    #[must_use]
    pub fn is_at_or_below(&self, domain: &str) -> bool {
        self.0.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The one label before `domain`, if that is where it is.
    #[must_use]
    pub fn label_below(&self, domain: &str) -> Option<&str> {
        let label = self.0.strip_suffix(domain)?.strip_suffix('.')?;
        (!label.is_empty() && !label.contains('.')).then_some(label)
    }
}

impl TryFrom<String> for HostName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let name = text.to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=LABEL_MAX).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let mut labels = name.rsplit('.');
        let is_name = labels.next().is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_lowercase()));
        if is_name && name.len() <= HOST_MAX && name.contains('.') && name.split('.').all(is_label) {
            Ok(Self(name))
        } else {
            let why = "a host is a name of two or more labels, such as `www.example.org`, without a port";
            Err(Invalid(format!("`{}` is no host: {why}", text.escape_debug())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_compares_without_case() {
        for (text, expected) in [
            ("www.example.org", Some("www.example.org")),
            ("WWW.Example.ORG", Some("www.example.org")),
            ("fix--docs.sites.localhost", Some("fix--docs.sites.localhost")),
            ("xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("localhost", None),
            ("127.0.0.1", None),
            ("example.org:80", None),
            ("example.org.", None),
            (".example.org", None),
            ("a..org", None),
            ("-a.org", None),
            ("a_b.org", None),
            ("bücher.example", None),
            ("a.org/x", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<HostName>().ok().as_ref().map(HostName::as_str), expected, "{text}");
        }
        assert!(format!("{}.org", "a".repeat(64)).parse::<HostName>().is_err());
        assert!(format!("{}org", "a.".repeat(130)).parse::<HostName>().is_err());
    }

    #[test]
    fn what_is_below_a_domain_has_whole_labels_before_it() {
        let is_there = |host: &str| host.parse::<HostName>().unwrap().is_at_or_below("sites.test");
        assert!(is_there("sites.test") && is_there("docs.sites.test") && is_there("a.docs.sites.test"));
        assert!(!is_there("docssites.test") && !is_there("sites.test.example"));
        let is_apex = |host: &str| host.parse::<HostName>().unwrap().is_apex();
        assert!(is_apex("example.org") && !is_apex("www.example.org"));
    }

    #[test]
    fn a_site_is_below_its_domain_by_one_label() {
        let below = |host: &str| host.parse::<HostName>().unwrap().label_below("sites.test").map(ToOwned::to_owned);
        assert_eq!(below("docs.sites.test").as_deref(), Some("docs"));
        assert_eq!((below("sites.test"), below("a.docs.sites.test"), below("docssites.test")), (None, None, None));
    }
}
