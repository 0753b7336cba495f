//! Runs git: without its user's settings, without asking anyone, without running anything of a repository, and not for ever.

use super::address::{Address, Scheme};
use super::complaint::Complaint;
use super::route::Route;
use super::{Config, Credentials, Error, local, verdict};
use crate::{group, rlimits};
use dialer::Unreached;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// The settings for every run. Files of a repository belong to whoever owns it, so ownership says nothing here; hooks, helper
/// programs and stalled transfers are off.
const SETTINGS: &str = "[safe]\n\tdirectory = *\n[core]\n\thooksPath = /dev/null\n[protocol \"ext\"]\n\tallow = never\n\
    [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[credential]\n\thelper =\n[uploadpack]\n\tallowAnySHA1InWant = true\n\
    [http]\n\tlowSpeedLimit = 1000\n[advice]\n\tdetachedHead = false\n";
const SETTINGS_FILE: &str = "settings";
/// What git may know of our environment: how to find programs, certificates and the keys of SSH. Proxies are not among it:
/// git connects through us.
const PASSED: [&str; 7] =
    ["PATH", "HOME", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "SSH_AUTH_SOCK"];
/// How a fetch is made, wherever from.
const FETCH: [&str; 6] =
    ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force"];
/// The end of what git said is kept, the reason stands there.
const COMPLAINT_BYTES: usize = 2000;

pub(super) struct Git<'a> {
    config: &'a Config,
    pub(super) address: &'a Address,
    credentials: &'a Credentials,
}

impl<'a> Git<'a> {
    pub(super) fn new(config: &'a Config, address: &'a Address, credentials: &'a Credentials) -> Self {
        Self { config, address, credentials }
    }

    /// Refuses an address that no fetch would be made from, though a mirror may still have what it had.
    pub(super) fn check(&self) -> Result<(), Error> {
        let Address { scheme: Scheme::File, path, .. } = self.address else { return Ok(()) };
        let below = self.config.rules.dialer.allowed.check_path(path);
        below.map_err(|_| local::outside(self.address))
    }

    /// Finds the way to the address.
    pub(super) async fn route(&self) -> Result<Route, Error> {
        Route::open(self.address, self.credentials, self.config).await
    }

    /// Runs git on a repository without a work tree.
    pub(super) async fn run(&self, repository: &Path, arguments: &[&str]) -> Result<(), Complaint> {
        let limit = self.config.limits.disk_bytes;
        let mut command = self.command(&[option("--git-dir=", repository).as_os_str()], limit);
        command.args(arguments);
        self.run_to_end(command).await
    }

    /// Runs git on a repository for what it prints, of which the end is kept if it is long.
    pub(super) async fn run_for(&self, repository: &Path, arguments: &[&str]) -> Result<String, Complaint> {
        let limit = self.config.limits.disk_bytes;
        let mut command = self.command(&[option("--git-dir=", repository).as_os_str()], limit);
        command.args(arguments).stdout(Stdio::piped());
        let printed = self.printed(command).await?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }

    /// Runs git on a repository with a work tree.
    pub(super) async fn run_in(&self, repository: &Path, tree: &Path, arguments: &[&str]) -> Result<(), Complaint> {
        let places = [option("--git-dir=", repository), option("--work-tree=", tree)];
        let limit = self.config.limits.disk_bytes;
        let mut command = self.command(&places.each_ref().map(|place| place.as_os_str()), limit);
        command.args(arguments);
        self.run_to_end(command).await
    }

    /// Fetches what `refspec` names from where the route leads, as far back as `depth` says.
    pub(super) async fn fetch(&self, repository: &Path, route: &Route, refspec: [&str; 2]) -> Result<(), Complaint> {
        let [depth, refspec] = refspec;
        let limit = self.config.space.mirror_bytes;
        let mut command = self.command(&[option("--git-dir=", repository).as_os_str()], limit);
        command.args(FETCH).args(&route.options).args([depth, "--", &route.url, refspec]);
        command.env("GIT_ALLOW_PROTOCOL", route.transport).envs(route.env.iter().map(|(name, value)| (name, value)));
        command.env("GIT_CONFIG_COUNT", route.settings.len().to_string());
        for (index, (key, value)) in route.settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key).env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        self.run_to_end(command).await
    }

    /// Fetches a commit from one of our own mirrors, as far back as `depth` says.
    pub(super) async fn copy(&self, repository: &Path, mirror: &Path, wanted: [&str; 2]) -> Result<(), Complaint> {
        let [depth, commit] = wanted;
        let from = format!("file://{}", mirror.display());
        self.run(repository, &[FETCH.as_slice(), &[depth, "--", &from, commit]].concat()).await
    }

    /// Whether a mirror is not what git made.
    pub(super) async fn is_damaged(&self, mirror: &Path) -> bool {
        self.run(mirror, &["fsck", "--no-dangling", "--no-progress"]).await.is_err()
    }

    /// What a failed fetch means.
    pub(super) fn failed_fetch(&self, complaint: Complaint, unreached: Option<Unreached>) -> Error {
        if complaint.is_about_memory() {
            self.too_much_memory()
        } else if complaint.is_about_length() {
            Error::RepositoryTooLarge { address: self.address.to_string(), limit: self.config.space.mirror_bytes }
        } else {
            verdict::of_fetch(complaint, unreached, verdict::Asked::of(self.address, self.credentials))
        }
    }

    /// What a failed checkout means.
    pub(super) fn failed_checkout(&self, complaint: Complaint) -> Error {
        if complaint.is_about_memory() {
            self.too_much_memory()
        } else if complaint.is_about_length() {
            Error::CommitTooLarge { limit: self.config.limits.disk_bytes }
        } else {
            verdict::of_checkout(complaint)
        }
    }

    fn too_much_memory(&self) -> Error {
        Error::TooMuchMemory { limit: self.config.limits.memory_bytes }
    }

    fn command(&self, places: &[&OsStr], file_bytes: u64) -> Command {
        let mut command = Command::new("prlimit");
        let memory_bytes = self.config.limits.memory_bytes;
        command.args(rlimits::soft(&[("fsize", file_bytes), ("data", memory_bytes), ("core", 0)])).args(["--", "git"]);
        // Whoever serves a path may be somebody who cannot pass the folder of mirrors.
        command.env_clear().args(places).current_dir("/");
        command.envs(PASSED.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
        command
            .env("LC_ALL", "C")
            .env("GIT_ALLOW_PROTOCOL", "file")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.config.root.join(SETTINGS_FILE))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ATTR_NOSYSTEM", "1");
        command
    }

    async fn run_to_end(&self, mut command: Command) -> Result<(), Complaint> {
        command.stdout(Stdio::null());
        self.printed(command).await.map(drop)
    }

    async fn printed(&self, mut command: Command) -> Result<Vec<u8>, Complaint> {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        let timeout: Duration = self.config.timeout;
        let ended = match tokio::time::timeout(timeout, group::output(&mut command)).await {
            Err(_) => return Err(Complaint::of(format!("git did not end within {} s", timeout.as_secs()))),
            Ok(Err(error)) => return Err(Complaint::of(format!("git could not be run: {error}"))),
            Ok(Ok(ended)) => ended,
        };
        if ended.status.success() {
            return Ok(ended.stdout);
        }
        let said = self.reason(&ended.stderr);
        Err(Complaint::of(
            ended.status.signal().map_or(said.clone(), |signal| format!("{said}\ngit died of signal {signal}")),
        ))
    }

    fn reason(&self, said: &[u8]) -> String {
        let said = self.credentials.redact(self.address.redact(&String::from_utf8_lossy(said)));
        let start = said.char_indices().map(|(at, _)| at).find(|at| said.len() - at <= COMPLAINT_BYTES);
        said.get(start.unwrap_or_default()..).unwrap_or_default().trim().to_owned()
    }
}

/// Writes the settings that every run reads, uploads from local repositories included. What is there already needs no room on
/// the disk.
pub(super) fn write_settings(root: &Path) -> io::Result<()> {
    let file = root.join(SETTINGS_FILE);
    if fs::read(&file).is_ok_and(|text| text == SETTINGS.as_bytes()) { Ok(()) } else { fs::write(file, SETTINGS) }
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push(path);
    option
}
