//! Where the repositories are that the platform keeps itself: at `web`, which gives them to a launcher by a token of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

/// An address and the token for it.
#[derive(Debug, Clone)]
pub struct Home {
    /// The address of `web`, as the launcher reaches it.
    pub url: String,
    /// What lets a launcher read.
    pub token: SecretString,
}

impl Home {
    pub(super) fn transport(&self) -> &'static str {
        if self.url.starts_with("https://") { "https" } else { "http" }
    }

    pub(super) fn url_of(&self, site: &str) -> String {
        format!("{}/git/{site}.git", self.url.trim_end_matches('/'))
    }

    pub(super) fn login(&self) -> String {
        let login = STANDARD.encode(format!("launcher:{}", self.token.expose_secret()));
        format!("Authorization: Basic {login}")
    }
}

#[cfg(test)]
mod tests {
    use super::Home;

    #[test]
    fn the_token_is_in_no_address_and_in_nothing_that_is_printed() {
        let home = Home { url: "https://web.internal:8080/".to_owned(), token: "a-secret".into() };
        assert_eq!((home.transport(), home.url_of("x")), ("https", "https://web.internal:8080/git/x.git".to_owned()));
        assert!(!format!("{home:?}").contains("a-secret") && home.login().starts_with("Authorization: Basic "));
    }
}
