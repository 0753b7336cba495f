//! A private Postgres below one directory: made at the first start, ended with the program that started it.
//!
//! For `pagefold up` and the tests. It listens on a Unix socket alone, every role has a password of its own, and it runs as
//! an ordinary user, because Postgres refuses to run as root. A directory left behind by a crash is taken up
//! again: Postgres recovers by itself, and a new server waits for an old one that is still ending.

mod account;
mod cluster;
mod endpoint;
mod error;
mod passwords;
mod programs;
mod roles;
mod socket;

pub use endpoint::Endpoint;
pub use error::Error;

use crate::private;
use crate::process::{Kind, Process};
use cluster::Cluster;
use programs::Programs;
use rustix::process::Signal;
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The database the read model lives in.
pub const DATABASE: &str = "pagefold";

static KIND: Kind = Kind {
    name: "PostgreSQL",
    ask_every: Duration::from_millis(50),
    // "Fast shutdown": open transactions are rolled back.
    end: Signal::INT,
    end_max: Duration::from_secs(60),
    end_now: Signal::QUIT,
};

/// Where the server lives and how it runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its directory, made if missing: the cluster, the passwords, the log.
    pub data_dir: PathBuf,
    /// The user it runs as when this program runs as root.
    pub user_if_root: String,
    /// Further settings of Postgres, as on its command line with `-c`.
    pub settings: Vec<(String, String)>,
}

/// Who connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Owns the database and writes the read model.
    Owner,
    /// Reads what it is granted.
    Reader,
    /// May do everything; for the operator.
    Administrator,
}

/// A server that runs. Dropping it ends it at once, without losing what was committed.
#[derive(Debug)]
pub struct Server {
    endpoint: Endpoint,
    process: Process,
}

impl Config {
    /// A server below `data_dir`, run as `postgres` if this program runs as root.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), user_if_root: "postgres".to_owned(), settings: Vec::new() }
    }
}

impl Role {
    /// Its name in Postgres.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "pagefold",
            Self::Reader => "pagefold_web",
            Self::Administrator => "postgres",
        }
    }
}

impl Server {
    /// Starts the server and answers when it takes connections, with its roles and its database in place.
    ///
    /// # Errors
    /// [`Error`] says what is missing and what to do about it.
    pub async fn start(config: &Config) -> Result<Self, Error> {
        let programs = Programs::find(&config.user_if_root)?;
        let cluster = Cluster::prepare(&config.data_dir, &programs)?;
        cluster.wait_until_free().await?;
        let output = private::empty(&cluster.log).map_err(Error::file("write", &cluster.log))?;
        let mut command = programs.server(&cluster.directory);
        command.args(arguments(config, cluster.endpoint.socket()));
        let process = Process::spawn(&KIND, command, output).map_err(Error::run(&programs.postgres))?;
        roles::prepare(&process, &cluster).await?;
        Ok(Self { endpoint: cluster.endpoint, process })
    }

    /// Where `role` connects to the read model's database.
    #[must_use]
    pub fn url(&self, role: Role) -> SecretString {
        self.endpoint.url(role)
    }

    /// The process id, if it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Whether its process lives.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.process.has_ended()
    }

    /// Ends the server in order: open transactions are rolled back, everything is written.
    ///
    /// # Errors
    /// [`Error::Stuck`] if it does not end in time; it is ended the hard way then.
    pub async fn stop(self) -> Result<(), Error> {
        let ended = self.process.end().await;
        ended.then_some(()).ok_or(Error::Stuck { seconds: KIND.end_max.as_secs() })
    }
}

fn arguments(config: &Config, socket: &Path) -> Vec<String> {
    let own = [
        ("listen_addresses", String::new()),
        ("port", socket::NUMBER.to_string()),
        ("unix_socket_directories", quoted(socket)),
        ("unix_socket_permissions", "0700".to_owned()),
        ("timezone", "UTC".to_owned()),
        ("log_timezone", "UTC".to_owned()),
    ];
    let own = own.iter().map(|(name, value)| format!("{name}={value}"));
    let further = config.settings.iter().map(|(name, value)| format!("{name}={value}"));
    own.chain(further).flat_map(|setting| ["-c".to_owned(), setting]).collect()
}

/// One folder in a list of folders, whatever its name.
fn quoted(folder: &Path) -> String {
    format!("\"{}\"", folder.display().to_string().replace('"', "\"\""))
}
