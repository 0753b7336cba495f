//! The door for people and programs: webhooks, the HTTP API and the dashboard.
//!
//! *Hears* HTTP: signed webhooks, commands with a token, questions. *Says* `repository.*`, `organization.*`, `handle.*`,
//! `user.*`, `identity.*`, `invitation.*`, `token.*`, `site.*`, `host.*`, `route.*`, `domain.*`, `receiver.*`, `notice.requested`, `build.requested`,
//! `build.canceled`, `alias.promoted` and `deploy.collected`. *Touches* the read model, the archived logs and the manifests of deploys, all
//! only to read; the repositories of sites that have none elsewhere; webhooks that led to nothing are noted in a stream of their own. *Safe to repeat because* a delivery id is
//! recorded once and a command that changes nothing states nothing.

pub mod api;
mod app;
mod assets;
mod auth;
mod authority;
mod bodies;
mod budget;
mod caller;
mod commands;
mod compression;
mod config;
mod cookies;
mod dashboard;
mod domains;
mod explaining;
mod github;
mod guard;
mod guesses;
mod health;
mod hosting;
mod hub;
mod issued;
mod keys;
mod looks;
mod news;
mod once;
mod pace;
mod people;
mod place;
mod platform;
mod problem;
mod promotions;
mod reception;
mod repositories;
mod request_key;
mod routing;
mod seen;
mod server;
mod sessions;
mod settings;
mod sign_in;
mod signature;
mod slots;
mod source_check;
mod spool;
mod strays;
mod streams;
mod subjects;
mod tail;
mod token;
mod urls;
mod uses;
mod view;
mod webhook;

use app::Around;
use listener::{Limits, Share};
use runtime::Health;
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::{Config, GitHub, OpenId, SignIn, Token};
pub use keys::vault_key;

/// Why the server could not be set up or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address could not be taken.
    #[error("failed to listen on `{address}`")]
    Listen {
        /// Which one.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The folder for bodies, or that of the repositories, could not be made.
    #[error("cannot make `{}`", folder.display())]
    Spool {
        /// Which one.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A token's name would not fit in an actor.
    #[error("token name `{0}` must have letters, digits, `-` and `_` only")]
    TokenName(String),
    /// A provider that vouches for people could be anybody on the way to it.
    #[error("`{0}` must be an https address, or http on this machine")]
    Unproved(String),
    /// A secret is empty, so that anybody could guess it.
    #[error("the secret of {0} is empty")]
    EmptySecret(String),
}

/// The server, bound; it answers once it runs.
pub struct Web {
    config: Config,
    listener: TcpListener,
    local_addr: SocketAddr,
    limits: Limits,
    around: Around,
}

impl Web {
    /// Checks the configuration and takes the address.
    ///
    /// # Errors
    /// [`Error`] names what is wrong with the configuration, or why the address cannot be taken.
    pub async fn bind(
        config: Config,
        log: runtime::Log,
        read_model: projections::Store,
        storage: storage::Storage,
    ) -> Result<Self, Error> {
        check(&config)?;
        let spool = |source| Error::Spool { folder: config.spool.clone(), source };
        tokio::fs::create_dir_all(&config.spool).await.map_err(spool)?;
        let kept = |source| Error::Spool { folder: config.own_repositories.clone(), source };
        tokio::fs::create_dir_all(&config.own_repositories).await.map_err(kept)?;
        let mut config = config;
        let listen = |source| Error::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let local_addr = listener.local_addr().map_err(listen)?;
        // Nobody has web look at itself.
        config.closed.push(dialer::Own::At(local_addr.to_string()));
        if config.web_url.is_empty() {
            config.web_url = format!("http://{local_addr}");
        }
        let limits = Limits { drain: runtime::shutdown::DRAIN_DEADLINE, ..Limits::of(Share::Web) };
        let around = Around { log, read_model, storage, health: Health::default() };
        Ok(Self { config, listener, local_addr, limits, around })
    }

    /// Answers `/healthz` by `health`, which may have parts of others too.
    #[must_use]
    pub fn with_health(self, health: Health) -> Self {
        Self { around: Around { health, ..self.around }, ..self }
    }

    /// The same with other limits on what clients may hold.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { limits: Limits { drain: self.limits.drain, ..limits }, ..self }
    }

    /// The address it listens on, with the port it was given.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Answers until `stop` fires; then live streams end at once and other requests may finish before the drain deadline.
    ///
    /// # Errors
    /// None so far.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        health::watch(&self.around, &stop);
        let app = app::App::new(&self.config, self.around, &self.limits, stop.clone());
        tokio::spawn(commands::sweep(Arc::clone(&app), stop.clone()));
        tokio::spawn(commands::keep_collecting(Arc::clone(&app), stop.clone()));
        server::serve(self.listener, self.limits, app, stop).await;
        Ok(())
    }
}

/// What launchers need of the installation's key, in hexadecimal: by it they read what builds are given, and nothing else.
#[must_use]
pub fn build_key(installation: &SecretString) -> SecretString {
    hex::encode(keys::Key::new(installation.clone()).of_builds()).into()
}

/// What edges need of the installation's key, in hexadecimal: by it they open closed sites, and nothing else.
#[must_use]
pub fn edge_key(installation: &SecretString) -> SecretString {
    hex::encode(keys::Key::new(installation.clone()).of_doors()).into()
}

fn check(config: &Config) -> Result<(), Error> {
    for token in &config.tokens {
        if !token::is_token_name(&token.name) {
            return Err(Error::TokenName(token.name.clone()));
        }
        if token.secret.expose_secret().is_empty() {
            return Err(Error::EmptySecret(format!("token `{}`", token.name)));
        }
    }
    let SignIn { openid, github, .. } = &config.sign_in;
    let openid = openid.iter().map(|openid| (&openid.issuer, &openid.client_secret));
    let github =
        github.iter().flat_map(|github| [&github.url, &github.api_url].map(|url| (url, &github.client_secret)));
    for (url, secret) in openid.chain(github) {
        if !is_proved(url) {
            return Err(Error::Unproved(url.clone()));
        }
        if secret.expose_secret().is_empty() {
            return Err(Error::EmptySecret(format!("the client of `{url}`")));
        }
    }
    if config.key.expose_secret().is_empty() {
        return Err(Error::EmptySecret("the installation, its key".to_owned()));
    }
    if config.github_webhook_secret.expose_secret().is_empty() {
        return Err(Error::EmptySecret("the GitHub webhook".to_owned()));
    }
    Ok(())
}

/// Whether it is who it says: by its certificate, or by being on this machine.
fn is_proved(url: &str) -> bool {
    let host = url.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
    url.starts_with("https://") || host.is_some_and(|host| matches!(host, "localhost" | "127.0.0.1"))
}

#[cfg(test)]
mod tests {
    use super::is_proved;

    #[test]
    fn a_provider_proves_itself_or_is_near() {
        for proved in ["https://login.gov", "http://127.0.0.1:8080/oidc", "http://localhost"] {
            assert!(is_proved(proved), "{proved}");
        }
        for other in ["http://login.gov", "http://127.0.0.1.evil.test", "login.gov", "http://localhost@evil.test"] {
            assert!(!is_proved(other), "{other}");
        }
    }
}
