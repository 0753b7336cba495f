//! What an operator chooses.

use events::SitesUrl;
use events::address::Allowed;
use secrecy::SecretString;
use std::net::SocketAddr;
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
    /// Where receivers of notices may be.
    pub receivers: Allowed,
    /// The server's own public address, for example `https://pagefold.example`; empty for the address it listens on.
    pub web_url: String,
    /// How the public addresses of sites are formed.
    pub sites_url: SitesUrl,
    /// The folder for bodies that are too long for memory, while they arrive. It is made if it is missing.
    pub spool: PathBuf,
}

/// A secret that names its holder: facts they cause have the actor `token:<name>`.
#[derive(Debug, Clone)]
pub struct Token {
    /// Letters, digits, `-` and `_`.
    pub name: String,
    /// The secret itself.
    pub secret: SecretString,
}
