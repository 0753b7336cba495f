//! What an operator chooses.

use dialer::Own;
use events::SitesUrl;
use events::address::Allowed;
use mailer::Mailer;
use secrecy::SecretString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Where it listens, whom it believes, and where the sites are.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address of the listener; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who may use the API and the dashboard.
    pub tokens: Vec<Token>,
    /// The installation's key: secrets of its own are made of it. Whoever changes it ends sessions and the webhook secrets of
    /// sites.
    pub key: SecretString,
    /// What GitHub signs its deliveries with.
    pub github_webhook_secret: SecretString,
    /// Where the repositories of sites may be.
    pub repositories: Allowed,
    /// Where the platform's own servers answer, which are no repositories.
    pub closed: Vec<Own>,
    /// Where receivers of notices may be.
    pub receivers: Allowed,
    /// Where the servers behind routes may be.
    pub backends: Allowed,
    /// The server's own public address, for example `https://pagefold.example`; empty for the address it listens on.
    pub web_url: String,
    /// How the public addresses of sites are formed.
    pub sites_url: SitesUrl,
    /// Where the edges answer, for the records of names that can have no CNAME.
    pub edge_addresses: Vec<IpAddr>,
    /// Who vouches for people.
    pub sign_in: SignIn,
    /// What invitations are sent by; whoever invites sends the link if absent.
    pub mailer: Option<Mailer>,
    /// The folder for bodies that are too long for memory, while they arrive. It is made if it is missing.
    pub spool: PathBuf,
    /// The folder of the repositories that are kept here. It is made if it is missing; whoever loses it loses them.
    pub own_repositories: PathBuf,
    /// What a launcher reads them by; none if it needs not.
    pub repositories_token: Option<SecretString>,
}

/// Who vouches for people, and whom it lets in.
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    /// A provider of OpenID Connect.
    pub openid: Option<OpenId>,
    /// GitHub.
    pub github: Option<GitHub>,
    /// Whoever has a verified address of mail in one of these domains needs no invitation.
    pub domains: Vec<String>,
}

/// A provider of OpenID Connect that knows this server.
#[derive(Debug, Clone)]
pub struct OpenId {
    /// By which it is discovered; exactly as it calls itself.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// By which this server proves itself.
    pub client_secret: SecretString,
    /// What people call it.
    pub name: String,
}

/// GitHub, or a server of its kind, that knows this server as an OAuth app.
#[derive(Debug, Clone)]
pub struct GitHub {
    /// Where people sign in, such as `https://github.com`.
    pub url: String,
    /// Where its API is, such as `https://api.github.com`.
    pub api_url: String,
    /// What it calls this server.
    pub client_id: String,
    /// By which this server proves itself.
    pub client_secret: SecretString,
}

/// A secret that names its holder: facts they cause have the actor `token:<name>`.
#[derive(Debug, Clone)]
pub struct Token {
    /// Letters, digits, `-` and `_`.
    pub name: String,
    /// The secret itself.
    pub secret: SecretString,
}
