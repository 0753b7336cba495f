//! How git gets to an address without deciding for itself where to connect.
//!
//! HTTP goes through a door of ours, which checks every connection and so every redirect. SSH and git's own protocol know
//! no redirects, so they are given an address that was checked and has just answered. A path is read by a process that
//! sees what an unprivileged user sees.

use super::address::{Address, Scheme};
use super::local::{self, Refused};
use super::{Config, Credentials, Error, credentials};
use crate::workspace::Identity;
use dialer::{Egress, Unreached};
use std::net::SocketAddr;
use std::path::Path;
use tempfile::NamedTempFile;

/// Ends of a login that hangs, and what of the operator's own settings would lead it elsewhere.
const SSH: &str = "ssh -oBatchMode=yes -oConnectTimeout=15 -oServerAliveInterval=15 -oServerAliveCountMax=2 \
    -oProxyCommand=none -oProxyJump=none -oControlMaster=no -oControlPath=none -oPermitLocalCommand=no -oForwardAgent=no \
    -oStrictHostKeyChecking=accept-new -oUpdateHostKeys=no -oCheckHostIP=no -oHashKnownHosts=no";
/// With a key of the site nothing of the operator's own is used: neither their settings nor their keys.
const WITH_KEY: &str = "-F none -oIdentitiesOnly=yes -oIdentityAgent=none -oPreferredAuthentications=publickey";
/// The hosts that SSH has seen, each with the key that it showed first, below the folder of the mirrors.
const KNOWN_HOSTS: &str = "known_hosts";
/// Serves a repository by its exact path, whoever owns it, without anything of its own to run.
const UPLOAD: &str = "env HOME=/nonexistent GIT_CONFIG_GLOBAL=/dev/null GIT_NO_LAZY_FETCH=1 GIT_ALLOW_PROTOCOL=none \
    git -c 'safe.directory=*' -c core.hooksPath=/dev/null -c uploadpack.allowAnySHA1InWant=true upload-pack --strict";

/// The way of one fetch.
pub(super) struct Route {
    /// The only transport that git may use, after redirects too.
    pub(super) transport: &'static str,
    /// What git is told to fetch from.
    pub(super) url: String,
    pub(super) env: Vec<(&'static str, String)>,
    pub(super) settings: Vec<(String, String)>,
    pub(super) options: Vec<String>,
    egress: Option<Egress>,
    /// The site's key, as long as SSH may read it.
    _key: Option<NamedTempFile>,
}

impl Route {
    pub(super) async fn open(address: &Address, given: &Credentials, config: &Config) -> Result<Self, Error> {
        let mut route = Self {
            transport: address.scheme.transport(),
            url: address.for_git().to_owned(),
            env: Vec::new(),
            settings: Vec::new(),
            options: Vec::new(),
            egress: None,
            _key: None,
        };
        match address.scheme {
            Scheme::Http | Scheme::Https => {
                let action = "open a way to the network";
                let egress = Egress::open(config.rules.dialer.clone()).await;
                let egress = egress.map_err(|source| Error::Io { action, source })?;
                route.set("http.proxy", egress.proxy());
                route.set("http.lowSpeedTime", config.stall.as_secs().max(1).to_string());
                route.egress = Some(egress);
                if let Some(login) = given.login_for(address.scheme) {
                    route.settings.extend(credentials::settings(address));
                    route.env.extend(credentials::environment(login));
                }
            }
            Scheme::Ssh => {
                let pinned = pin(address, config).await?;
                let key = match given.key_for(address.scheme) {
                    Some(key) => Some(credentials::hand_over(&config.root, key).await?),
                    None => None,
                };
                let known = config.root.join(KNOWN_HOSTS);
                let command = Ssh { known_hosts: &known, key: key.as_ref().map(NamedTempFile::path) };
                route.env.push(("GIT_SSH_COMMAND", command.to(address, pinned)));
                route._key = key;
            }
            Scheme::Git => {
                let pinned = pin(address, config).await?;
                route.url = format!("git://{pinned}{}", address.path);
                route.env.push(("GIT_OVERRIDE_VIRTUAL_HOST", address.host.clone()));
            }
            Scheme::Own => {
                let own = config.rules.own.as_ref().ok_or_else(|| unknown(address))?;
                route.transport = own.transport();
                route.url = own.url_of(&address.path);
                // By the environment: a command line can be read by others.
                route.set("http.extraHeader", own.login());
                route.set("http.followRedirects", "false".to_owned());
                route.set("http.lowSpeedTime", config.stall.as_secs().max(1).to_string());
            }
            Scheme::File => {
                route.url = format!("file://{}", local_folder(address, config).await?);
                route.options.push(format!("--upload-pack={}", upload(config.reader)));
            }
        }
        Ok(route)
    }

    fn set(&mut self, name: &str, value: String) {
        self.settings.push((name.to_owned(), value));
    }

    /// Why a connection that git asked for was not made.
    pub(super) fn why(&self) -> Option<Unreached> {
        self.egress.as_ref().and_then(Egress::why)
    }
}

fn unknown(address: &Address) -> Error {
    let why = "this launcher was not told where the platform's own repositories are";
    Error::AddressRefused { address: address.to_string(), why }
}

async fn pin(address: &Address, config: &Config) -> Result<SocketAddr, Error> {
    let connected = config.rules.dialer.connect(&address.host, address.port).await;
    let connection = connected.map_err(|why| Error::unreached(address, why))?;
    connection.peer_addr().map_err(|source| Error::Io { action: "look at a connection", source })
}

/// What SSH is told beside the address.
struct Ssh<'a> {
    known_hosts: &'a Path,
    key: Option<&'a Path>,
}

impl Ssh<'_> {
    /// The host's key is still looked up by its name, as SSH itself writes it: where we have noted it, then where the operator has.
    fn to(&self, address: &Address, pinned: SocketAddr) -> String {
        let (host, port) = (&address.host, address.port);
        let alias = if port == 22 { host.clone() } else { format!("[{host}]:{port}") };
        let known = quoted(&format!("-oUserKnownHostsFile=\"{}\" ~/.ssh/known_hosts", self.known_hosts.display()));
        let key = self.key.map(|key| format!(" {WITH_KEY} -i {}", quoted(&key.display().to_string())));
        let key = key.unwrap_or_default();
        format!("{SSH}{key} {known} -oHostName={} '-oHostKeyAlias={alias}'", pinned.ip())
    }
}

/// The text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn upload(reader: Option<Identity>) -> String {
    match reader {
        Some(Identity { uid, gid }) => {
            format!("setpriv --reuid={uid} --regid={gid} --clear-groups --no-new-privs -- {UPLOAD}")
        }
        None => UPLOAD.to_owned(),
    }
}

/// As a file address, always: git takes a plain path for a bundle of commits too, and would open it by itself.
async fn local_folder(address: &Address, config: &Config) -> Result<String, Error> {
    let (path, rules) = (address.path.clone(), config.rules.clone());
    let action = "look at a repository";
    let admitted = tokio::task::spawn_blocking(move || local::admit(&path, &rules)).await;
    let refused = |why| Error::AddressRefused { address: address.to_string(), why };
    let folder =
        admitted.map_err(|error| Error::Io { action, source: error.into() })?.map_err(|error| match error {
            Refused::Missing => Error::RepositoryNotFound { address: address.to_string() },
            Refused::Because(why) => refused(why),
        })?;
    let folder = folder.into_os_string().into_string().map_err(|_| refused("its folder's name is not valid UTF-8"))?;
    if folder.contains('%') { Err(refused("its folder has a `%` in its name")) } else { Ok(folder) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_connects_to_the_address_and_knows_the_host_by_its_name() {
        let ssh = Ssh { known_hosts: Path::new("/mirrors/it's/known_hosts"), key: None };
        let told = |text: &str| ssh.to(&Address::parse(text).unwrap(), "192.0.2.7:22".parse().unwrap());
        assert!(told("git@example.org:docs").ends_with("-oHostName=192.0.2.7 '-oHostKeyAlias=example.org'"));
        assert!(told("ssh://git@example.org:2222/docs").ends_with("'-oHostKeyAlias=[example.org]:2222'"));
        assert!(
            told("git@example.org:docs").contains(r#"'-oUserKnownHostsFile="/mirrors/it'\''s/known_hosts" ~/.ssh"#)
        );
        assert!(!told("git@example.org:docs").contains("-F none"));
        let with_key = Ssh { key: Some(Path::new("/mirrors/keys/deploy-x")), ..ssh };
        let told = with_key.to(&Address::parse("git@example.org:docs").unwrap(), "192.0.2.7:22".parse().unwrap());
        assert!(
            told.contains("-F none -oIdentitiesOnly=yes") && told.contains("-i '/mirrors/keys/deploy-x'"),
            "{told}"
        );
    }
}
