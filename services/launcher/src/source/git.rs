//! Runs git: without its user's settings, without asking anyone, without running anything of a repository, and not for ever.

use super::Config;
use super::address::Address;
use crate::group;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// The settings for every run. Files of a repository belong to whoever owns it, so ownership says nothing here; hooks, helper
/// programs and stalled transfers are off.
const SETTINGS: &str = "[safe]\n\tdirectory = *\n[core]\n\thooksPath = /dev/null\n[protocol \"ext\"]\n\tallow = never\n\
    [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[credential]\n\thelper =\n[uploadpack]\n\tallowAnySHA1InWant = true\n\
    [http]\n\tlowSpeedLimit = 1000\n\tlowSpeedTime = 30\n[advice]\n\tdetachedHead = false\n";
const SETTINGS_FILE: &str = "settings";
/// What git may know of our environment: how to find programs, certificates, proxies and the keys of SSH.
const PASSED: [&str; 13] = [
    "PATH",
    "HOME",
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
    "all_proxy",
    "SSH_AUTH_SOCK",
];
const SSH: &str = "ssh -oBatchMode=yes -oConnectTimeout=15 -oServerAliveInterval=15";
/// The end of what git said is kept, the reason stands there.
const COMPLAINT_BYTES: usize = 2000;

/// What git said when it failed, without credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Complaint(String);

impl Complaint {
    /// Whether the repository answered that it has no such branch or commit.
    pub(super) fn is_about_a_missing_ref(&self) -> bool {
        ["couldn't find remote ref", "not our ref", "unadvertised object", "no such remote ref"]
            .iter()
            .any(|words| self.0.contains(words))
    }
}

pub(super) struct Git<'a> {
    config: &'a Config,
    address: &'a Address,
}

impl<'a> Git<'a> {
    pub(super) fn new(config: &'a Config, address: &'a Address) -> Self {
        Self { config, address }
    }

    /// Runs git on a repository without a work tree.
    pub(super) async fn run(&self, repository: &Path, arguments: &[&str]) -> Result<(), Complaint> {
        self.run_to_end(&[option("--git-dir=", repository).as_os_str()], arguments).await
    }

    /// Runs git on a repository with a work tree.
    pub(super) async fn run_in(&self, repository: &Path, tree: &Path, arguments: &[&str]) -> Result<(), Complaint> {
        let places = [option("--git-dir=", repository), option("--work-tree=", tree)];
        self.run_to_end(&places.each_ref().map(|place| place.as_os_str()), arguments).await
    }

    async fn run_to_end(&self, places: &[&OsStr], arguments: &[&str]) -> Result<(), Complaint> {
        let mut command = Command::new("git");
        command.env_clear().args(places).args(arguments).current_dir(&self.config.root);
        command.envs(PASSED.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
        let transports: Vec<&str> = self.config.schemes.iter().map(|scheme| scheme.transport()).collect();
        // A checkout is fetched from its mirror by a file address, whatever sites may use.
        let transports = format!("file:{}", transports.join(":"));
        command
            .env("LC_ALL", "C")
            .env("GIT_ALLOW_PROTOCOL", transports)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.config.root.join(SETTINGS_FILE))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_SSH_COMMAND", SSH);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let timeout: Duration = self.config.timeout;
        let ended = match tokio::time::timeout(timeout, group::output(&mut command)).await {
            Err(_) => return Err(Complaint(format!("git did not end within {} s", timeout.as_secs()))),
            Ok(Err(error)) => return Err(Complaint(format!("git could not be run: {error}"))),
            Ok(Ok(ended)) => ended,
        };
        if ended.status.success() { Ok(()) } else { Err(Complaint(self.reason(&ended.stderr))) }
    }

    fn reason(&self, said: &[u8]) -> String {
        let said = self.address.redact(&String::from_utf8_lossy(said));
        let start = said.char_indices().map(|(at, _)| at).find(|at| said.len() - at <= COMPLAINT_BYTES);
        said.get(start.unwrap_or_default()..).unwrap_or_default().trim().to_owned()
    }
}

/// Writes the settings that every run reads, uploads from local repositories included.
pub(super) fn write_settings(root: &Path) -> io::Result<()> {
    fs::write(root.join(SETTINGS_FILE), SETTINGS)
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push(path);
    option
}
