//! The launcher's settings, from the command line to its own terms.

use crate::limits::{Building, Caching, Mirroring};
use clap::Args;
use dialer::{Dialer, Own};
use events::address::Allowed;
use launcher::sandbox;
use launcher::source::{Home, Rules};
use launcher::{BuildKey, Policy, REGISTRIES};
use secrecy::SecretString;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// How builds run on this machine.
#[derive(Debug, Clone, Args)]
pub(crate) struct Builds {
    /// Builds at the same time
    #[arg(long, env = "PAGEFOLD_LAUNCHER_SLOTS", default_value_t = 2)]
    pub(crate) slots: usize,
    /// `docker`, `bubblewrap`, or `auto` for the first that works
    #[arg(long, env = "PAGEFOLD_SANDBOX", default_value = "auto")]
    pub(crate) sandbox: Kind,
    /// Where the Docker API answers; its usual socket if absent
    #[arg(long, env = "DOCKER_HOST")]
    pub(crate) docker_host: Option<String>,
    /// The image that builds run in
    #[arg(long, env = "PAGEFOLD_BUILD_IMAGE", default_value = launcher::sandbox::DEFAULT_IMAGE)]
    pub(crate) build_image: String,
    /// How long a build may take, in seconds
    #[arg(long, env = "PAGEFOLD_BUILD_TIMEOUT_S", default_value_t = 45 * 60)]
    pub(crate) build_timeout_s: u64,
    /// Variables of this environment that builds see too, such as `NODE_EXTRA_CA_CERTS`
    #[arg(long, env = "PAGEFOLD_BUILD_ENV", value_delimiter = ',')]
    pub(crate) build_env: Vec<String>,
    /// Hosts that packages come from: what builds reach by HTTP and HTTPS where their site says no more
    #[arg(long, env = "PAGEFOLD_BUILD_REGISTRIES", value_name = "HOST", value_delimiter = ',', default_values = REGISTRIES)]
    pub(crate) build_registries: Vec<String>,
    /// More places that builds reach, in private networks too, such as a registry of your own
    #[arg(long, env = "PAGEFOLD_BUILD_HOSTS", value_name = "HOST:PORT", value_delimiter = ',')]
    pub(crate) build_hosts: Vec<String>,
    #[command(flatten)]
    pub(crate) limits: Building,
    #[command(flatten)]
    pub(crate) mirroring: Mirroring,
    #[command(flatten)]
    pub(crate) caching: Caching,
}

/// Where the repositories of sites may be.
#[derive(Debug, Clone, Args)]
pub(crate) struct Repositories {
    /// Folders of this machine below which repositories may be, given as a path or a `file://` URL; none if absent
    #[arg(long, env = "PAGEFOLD_LOCAL_REPOSITORIES", value_name = "DIR", value_delimiter = ',')]
    pub(crate) local_repositories: Vec<PathBuf>,
    /// Whether repositories may be on loopback and private networks [default: true for `up`, else false]
    #[arg(long, env = "PAGEFOLD_PRIVATE_REPOSITORIES", value_name = "BOOL")]
    pub(crate) private_repositories: Option<bool>,
}

/// Where sources are fetched from.
#[derive(Debug, Clone, Args)]
pub(crate) struct Sources {
    #[command(flatten)]
    pub(crate) repositories: Repositories,
    /// More servers that are never fetched from, each as HOST:PORT or a URL: the database, web and edge with their ports for
    /// operators, whatever the launcher cannot know
    #[arg(long, env = "PAGEFOLD_FORBIDDEN_ADDRESSES", value_name = "HOST:PORT", value_delimiter = ',')]
    pub(crate) forbidden_addresses: Vec<String>,
    /// The address of web, as this launcher reaches it, for the repositories that are kept there
    #[arg(long, env = "PAGEFOLD_REPOSITORIES_URL", requires = "repositories_token")]
    pub(crate) repositories_url: Option<String>,
    /// What they are read by; the same as of web
    #[arg(long, env = "PAGEFOLD_REPOSITORIES_TOKEN", hide_env_values = true)]
    pub(crate) repositories_token: Option<SecretString>,
}

impl Repositories {
    /// What sites may name: a folder by the name it was given here, and by where that leads.
    pub(crate) fn allowed(&self, private: bool) -> Allowed {
        let folders = self.local_repositories.iter();
        let folders = folders.flat_map(|folder| [std::path::absolute(folder).ok(), folder.canonicalize().ok()]);
        Allowed { private: self.private_repositories.unwrap_or(private), folders: folders.flatten().collect() }
    }
}

impl Sources {
    /// The launcher's rules: `own` is where the platform's servers answer, `closed` the folder with its data.
    pub(crate) fn rules(&self, allowed: Allowed, own: Vec<String>, closed: PathBuf) -> Rules {
        let named = self.forbidden_addresses.iter().flat_map(|address| hosts_of(address));
        let own = own.into_iter().chain(named).map(Own::At).collect();
        let home = self.repositories_url.clone().zip(self.repositories_token.clone());
        let home = home.map(|(url, token)| Home { url, token });
        Rules { dialer: Dialer { allowed, own }, closed: vec![closed], own: home }
    }

    /// Says so if sources may be near and nobody told where the rest of the platform is. `up` knows by itself.
    pub(crate) fn tell_what_is_unknown(&self, allowed: &Allowed) {
        if allowed.private && self.forbidden_addresses.is_empty() {
            tracing::warn!(
                "sources may be on private networks, and where the database, web and edge answer is unknown: name them by \
                 --forbidden-addresses"
            );
        }
    }
}

impl Builds {
    /// Where a container engine answers, if that is by the network.
    pub(crate) fn docker_hosts(&self) -> Vec<String> {
        self.docker_host.as_deref().map(hosts_of).unwrap_or_default()
    }
}

/// The host and port of a server's URL, for each of several separated by commas; of a socket's path there is none.
pub(crate) fn hosts_of(urls: &str) -> Vec<String> {
    let host = |url: &str| {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let usual = match scheme {
            "https" => 443,
            "http" => 80,
            "postgres" | "postgresql" => 5432,
            "tcp" => 2375,
            "ssh" => 22,
            _ => 4222,
        };
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let whole = if has_port { host.to_owned() } else { format!("{host}:{usual}") };
        (!host.is_empty() && !matches!(scheme, "unix" | "npipe")).then_some(whole)
    };
    urls.split(',').map(str::trim).filter_map(host).collect()
}

/// Which sandbox, as it is typed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind(sandbox::Kind);

impl FromStr for Kind {
    type Err = sandbox::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

pub(crate) fn config(builds: &Builds, data_dir: PathBuf, sources: Rules, key: BuildKey) -> launcher::Config {
    launcher::Config {
        slots: builds.slots.max(1),
        data_dir,
        timeout: Duration::from_secs(builds.build_timeout_s),
        sandbox: sandbox::Config {
            kind: builds.sandbox.0,
            docker_host: builds.docker_host.clone(),
            image: builds.build_image.clone(),
            env_passthrough: builds.build_env.clone(),
            ..sandbox::Config::default()
        },
        network: Arc::new(Policy::new(
            builds.build_registries.clone(),
            builds.build_hosts.clone(),
            sources.dialer.own.clone(),
        )),
        large_memory_bytes: builds.limits.build_large_memory_bytes,
        sources,
        mirrors: builds.mirroring.space(),
        caches: builds.caching.space(),
        limits: builds.limits.limits(),
        output: builds.limits.output(),
        key,
        sweep_every: launcher::SWEEP_EVERY,
    }
}

#[cfg(test)]
mod tests {
    use super::{Own, Sources, hosts_of};
    use clap::Parser;
    use events::address::Allowed;

    #[derive(Parser)]
    struct Told {
        #[command(flatten)]
        sources: Sources,
        #[command(flatten)]
        builds: super::Builds,
    }

    #[test]
    fn the_platforms_own_servers_are_told_by_host_and_port_or_by_url() {
        let told = Told::parse_from([
            "launcher",
            "--forbidden-addresses=postgres://web:secret@db.internal/pagefold,10.0.0.8:8080",
            "--forbidden-addresses=https://edge.internal",
            "--docker-host=tcp://10.0.0.9:2375",
        ]);
        let own = [vec!["log.internal:4222".to_owned()], told.builds.docker_hosts()].concat();
        let rules = told.sources.rules(Allowed::default(), own, "/var/lib/pagefold".into());
        let expected = ["log.internal:4222", "10.0.0.9:2375", "db.internal:5432", "10.0.0.8:8080", "edge.internal:443"];
        let own: Vec<&str> = rules
            .dialer
            .own
            .iter()
            .filter_map(|own| match own {
                Own::At(address) => Some(&**address),
                Own::Moving(_) => None,
            })
            .collect();
        assert_eq!(own, expected);
    }

    #[test]
    fn a_server_is_known_by_host_and_port() {
        let hosts = hosts_of("nats://user:pass@127.0.0.1:4222, nats.internal,https://s3.internal/x,http://[::1]:9000");
        assert_eq!(hosts, ["127.0.0.1:4222", "nats.internal:4222", "s3.internal:443", "[::1]:9000"]);
        assert_eq!(hosts_of("http://[fd00::7]/"), ["[fd00::7]:80"]);
        assert_eq!(
            hosts_of("postgres://web@one.internal,two.internal:5433/x"),
            ["one.internal:5432", "two.internal:5433"]
        );
        assert!(hosts_of("unix:///var/run/docker.sock").is_empty());
    }
}
