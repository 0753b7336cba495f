//! By what somebody tells their own sessions apart: what a browser calls itself, in a few words.

use http::HeaderMap;
use http::header::USER_AGENT;
use serde::{Deserialize, Serialize};

/// Names of browsers by what only they say of themselves, or what those before in the list do not say: nearly all claim to be others.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
/// The same of systems.
const SYSTEMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];
/// Longest name of a program that is no browser, in characters.
const NAME_MAX: usize = 40;

/// What a session was begun with. It is what the other side says, so it proves nothing, and it is no more than a person would recognize.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Browser(Option<String>);

impl Browser {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self(headers.get(USER_AGENT).and_then(|told| named(told.to_str().ok()?)))
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

fn named(told: &str) -> Option<String> {
    let among = |all: &[(&str, &'static str)]| all.iter().find(|(said, _)| told.contains(said)).map(|(_, name)| *name);
    match (among(&BROWSERS), among(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (Some(browser), None) => Some(browser.to_owned()),
        (None, _) => {
            let program = told.split(['/', ' ']).next()?;
            (!program.is_empty()).then(|| program.chars().take(NAME_MAX).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_by_their_names_though_all_claim_to_be_others() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (told, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(), "Firefox on Linux"),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/140.0 Safari/537.36 Edg/140.0"),
                "Edge on Windows",
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 15) {webkit} Chrome/140.0 Mobile Safari/537.36"),
                "Chrome on Android",
            ),
            (
                format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {webkit} Version/18.0 Safari/605.1"),
                "Safari on macOS",
            ),
            (
                format!("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {webkit} CriOS/140.0 Safari/604.1"),
                "Chrome on iOS",
            ),
            ("curl/8.5.0".to_owned(), "curl"),
            ("a".repeat(100), &"a".repeat(NAME_MAX)),
        ] {
            assert_eq!(named(&told).as_deref(), Some(expected), "{told}");
        }
        assert_eq!(named(""), None);
        assert_eq!(Browser::of(&HeaderMap::new()).name(), None);
    }
}
