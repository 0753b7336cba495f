//! Who vouches for people: a provider of OpenID Connect and GitHub, as far as they are configured. What they say is proved by the
//! exchange of a code, which is good once, for the browser that began alone.

mod flow;
mod github;
mod openid;
mod outside;

use crate::config;
use crate::keys::Key;
use crate::problem::Problem;
use events::IdentityId;
pub(crate) use flow::{Flow, Purpose};
use futures::FutureExt;
use github::GitHub;
use openid::OpenId;
use outside::Outside;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use uuid::Builder;

/// Which provider, as addresses name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Way {
    OpenId,
    GitHub,
}

/// The providers that may vouch.
#[derive(Debug)]
pub(crate) struct Providers {
    openid: Option<OpenId>,
    github: Option<GitHub>,
    /// Whose addresses of mail do for coming in without an invitation, in lower case.
    domains: Vec<String>,
    outside: Outside,
    /// Where the server is, as browsers reach it.
    web_url: String,
}

/// What a provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vouched {
    pub(crate) issuer: String,
    /// By which the provider knows them, for ever.
    pub(crate) subject: String,
    /// What they are called there: an address, or a name that is theirs alone.
    pub(crate) account: String,
    pub(crate) name: Option<String>,
    /// Where mail reaches them, as far as the provider has made sure of it.
    pub(crate) email: Option<String>,
}

/// What somebody has granted at GitHub: to be used for them.
pub(crate) struct Granted {
    /// What they are called there.
    pub(crate) account: String,
    pub(crate) token: SecretString,
}

/// Where a browser is sent to be vouched for, and what it keeps meanwhile.
pub(crate) struct Departure {
    pub(crate) url: String,
    pub(crate) flow: Flow,
}

impl Way {
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::GitHub => "github",
        }
    }
}

impl FromStr for Way {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        [Self::OpenId, Self::GitHub].into_iter().find(|way| way.slug() == text).ok_or(Problem::NotFound)
    }
}

impl Providers {
    pub(crate) fn new(config: &config::SignIn, web_url: &str) -> Self {
        Self {
            openid: config.openid.clone().map(OpenId::new),
            github: config.github.clone().map(GitHub::new),
            domains: config.domains.iter().map(|domain| domain.trim_start_matches('@').to_lowercase()).collect(),
            outside: Outside::new(),
            web_url: web_url.to_owned(),
        }
    }

    /// The providers and what they are called on buttons.
    pub(crate) fn offered(&self) -> Vec<(Way, &str)> {
        let openid = self.openid.as_ref().map(|openid| (Way::OpenId, openid.name()));
        openid.into_iter().chain(self.github.as_ref().map(|_| (Way::GitHub, "GitHub"))).collect()
    }

    /// What a provider is called that vouches as `issuer`.
    pub(crate) fn name_of<'a>(&'a self, issuer: &'a str) -> &'a str {
        let openid = self.openid.as_ref().filter(|openid| openid.issuer() == issuer).map(OpenId::name);
        let github = self.github.as_ref().filter(|github| github.issuer() == issuer).map(|_| "GitHub");
        openid.or(github).unwrap_or(issuer)
    }

    /// Sends a browser to a provider.
    pub(crate) async fn depart(&self, way: Way, purpose: Purpose) -> Result<Departure, Problem> {
        let back = self.back(way);
        match (way, &self.openid, &self.github) {
            (Way::OpenId, Some(openid), _) => openid.depart(&self.outside, &back, purpose).boxed().await,
            (Way::GitHub, _, Some(github)) => github.depart(&back, purpose),
            (Way::OpenId | Way::GitHub, _, _) => Err(Problem::NotFound),
        }
    }

    /// Whom the provider vouches for that the browser comes back from with `code`.
    pub(crate) async fn arrive(&self, flow: &Flow, code: String) -> Result<Vouched, Problem> {
        let back = self.back(flow.way);
        match (flow.way, &self.openid, &self.github) {
            (Way::OpenId, Some(openid), _) => openid.arrive(&self.outside, &back, flow, code).boxed().await,
            (Way::GitHub, _, Some(github)) => github.arrive(&self.outside, &back, flow, code).boxed().await,
            (Way::OpenId | Way::GitHub, _, _) => Err(Problem::NotFound),
        }
    }

    /// What the browser's person has granted at GitHub, that comes back from there with `code`.
    pub(crate) async fn granted(&self, flow: &Flow, code: String) -> Result<Granted, Problem> {
        let Some(github) = &self.github else { return Err(Problem::NotFound) };
        github.granted(&self.outside, &self.back(flow.way), flow, code).boxed().await
    }

    /// Whether they may come in without an invitation.
    pub(crate) fn welcomes(&self, vouched: &Vouched) -> bool {
        let domain = vouched.email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
        domain.is_some_and(|domain| self.domains.iter().any(|known| known.eq_ignore_ascii_case(domain)))
    }

    fn back(&self, way: Way) -> String {
        format!("{}/login/with/{}/back", self.web_url, way.slug())
    }
}

impl Vouched {
    /// The identity's id: made with the installation's key, so that the log tells nobody who it is.
    pub(crate) fn id(&self, key: &Key) -> IdentityId {
        let made = key.derive("identity v1", format!("{}\n{}", self.issuer, self.subject).as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&made[..16]);
        IdentityId(Builder::from_random_bytes(bytes).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_mail_of_a_named_domain_is_welcome_if_it_is_made_sure_of() {
        let config = config::SignIn { domains: vec!["@Example.gov".to_owned()], ..config::SignIn::default() };
        let providers = Providers::new(&config, "https://pagefold.test");
        let vouched = |email: Option<&str>| Vouched {
            issuer: String::new(),
            subject: String::new(),
            account: String::new(),
            name: None,
            email: email.map(str::to_owned),
        };
        for (email, welcome) in [
            (Some("ada@example.gov"), true),
            (Some("ada@EXAMPLE.gov"), true),
            (Some("ada@example.gov.evil.test"), false),
            (Some("ada@sub.example.gov"), false),
            (Some("example.gov"), false),
            (Some("ada@example.gov@evil.test"), false),
            (None, false),
        ] {
            assert_eq!(providers.welcomes(&vouched(email)), welcome, "{email:?}");
        }
    }

    #[test]
    fn an_identity_is_one_of_its_issuer_and_its_installation() {
        let key = |secret: &str| Key::new(secret.into());
        let vouched = |issuer: &str, subject: &str| Vouched {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            account: String::new(),
            name: None,
            email: None,
        };
        let one = vouched("https://id.test", "7").id(&key("a"));
        assert_eq!(vouched("https://id.test", "7").id(&key("a")), one);
        for (other, secret) in [
            (vouched("https://id.test", "8"), "a"),
            (vouched("https://other.test", "7"), "a"),
            (vouched("https://id.test", "7"), "b"),
        ] {
            assert_ne!(other.id(&key(secret)), one);
        }
    }
}
