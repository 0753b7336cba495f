//! A private nats-server for `pagefold up` and the tests: its configuration, its users, its process.

mod access;
mod configuration;
mod error;
mod hand_out;
mod program;
mod proof;
mod relay;
mod users;

use crate::process::{self, Kind, Process, Silence};
use crate::{loopback, private};
use runtime::connection;
use rustix::process::Signal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpStream;

pub use access::{access, url};
pub use error::Error;
pub use hand_out::{INCLUDED, hand_out};
pub use proof::certificate;
pub use relay::Relay;
pub use users::USERS;

static KIND: Kind = Kind {
    name: "nats-server",
    ask_every: Duration::from_millis(20),
    end: Signal::TERM,
    end_max: Duration::from_secs(10),
    end_now: Signal::KILL,
};

/// How a server runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it stores the log, its configuration, the users' passwords, its certificate and its key.
    pub folder: PathBuf,
    /// Ports of the loopback interface, of which it takes the first that is free (0: any free one); any if there are none.
    pub ports: Vec<u16>,
}

/// A running server. It ends with this process, whatever happens to it.
pub struct Server {
    process: Process,
    address: SocketAddr,
    folder: PathBuf,
}

impl Settings {
    /// Makes the users' passwords and the certificate, so that clients can be told how to connect before the server runs; and
    /// says whether there is a server to run.
    ///
    /// # Errors
    /// [`Error`] names what is missing and the remedy.
    pub async fn prepare(&self) -> Result<(), Error> {
        program::find().await?;
        private::folder(&self.folder).map_err(Error::because)?;
        access::passwords(&self.folder).map_err(Error::because)?;
        proof::prepare(&self.folder).map_err(Error::because)
    }
}

impl Server {
    /// Starts nats-server below `folder`, on `port` of the loopback address (0: any free one). What it stored before
    /// is served again.
    ///
    /// # Errors
    /// [`Error`] names what is missing and the remedy.
    pub async fn start(folder: &Path, port: u16) -> Result<Self, Error> {
        let server = Self::spawn(&Settings { folder: folder.to_owned(), ports: vec![port] }).await?;
        server.ready(|_| {}).await?;
        Ok(server)
    }

    /// Starts the process. It [is `ready`](Self::ready) when it has read what it stores.
    ///
    /// # Errors
    /// [`Error`] names what is missing and the remedy.
    pub async fn spawn(settings: &Settings) -> Result<Self, Error> {
        let (program, folder) = (program::find().await?, settings.folder.clone());
        private::folder(&folder).map_err(Error::cannot("make", &folder))?;
        let address = loopback::first_free(&settings.ports).map_err(Error::because)?;
        let text = configuration::of_private(&folder, address).map_err(Error::because)?;
        let config = folder.join("nats.conf");
        private::write(&config, &text).map_err(Error::cannot("write", &config))?;
        let output = private::empty(&output(&folder)).map_err(Error::because)?;
        let mut command = process::tied(Path::new("setpriv"), "SIGTERM", &program);
        command.arg("-c").arg(&config);
        let process = Process::spawn(&KIND, command, output).map_err(Error::cannot("run", &program))?;
        Ok(Self { process, address, folder })
    }

    /// Waits until it answers, for as long as it lives and ten minutes at most; `waiting` is told every ten seconds for how
    /// long.
    ///
    /// # Errors
    /// [`Error`] with the last it has said, if it has ended or is taken for stuck.
    pub async fn ready(&self, waiting: impl Fn(Duration)) -> Result<(), Error> {
        let answer = self.process.answer(async || TcpStream::connect(self.address).await, |_| false, waiting).await;
        answer.map(drop).map_err(|_: Silence<std::io::Error>| {
            let last = process::last_lines(&output(&self.folder), 1).pop();
            Error::because(format!("it did not come up: {}", last.as_deref().unwrap_or("no output")))
        })
    }

    /// `tls://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.port())
    }

    /// How one of [`USERS`] connects to it.
    ///
    /// # Errors
    /// [`Error`] if the user is unknown or the secrets cannot be read.
    pub fn access(&self, user: &str) -> Result<connection::Config, Error> {
        access(&self.folder, user, self.url())
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether its process lives.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.process.has_ended()
    }

    /// The process id, if it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Asks the server to end and waits until it has, or until it was made to.
    pub async fn stop(self) {
        self.process.end().await;
    }
}

fn output(folder: &Path) -> PathBuf {
    folder.join("nats.log")
}
