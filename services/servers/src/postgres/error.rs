//! Why a private Postgres does not run, and what to do about it.

use runtime::error::BoxError;
use std::io;
use std::path::{Path, PathBuf};

/// A failure to run a private Postgres.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The programs are not on this machine.
    #[error(
        "no `initdb` and `postgres` in one directory of PATH or below /usr/lib/postgresql: install PostgreSQL 15 or newer \
         (Debian: `apt-get install postgresql`) or give the address of a running server"
    )]
    Missing,
    /// Postgres refuses to run as root, and there is no such user to run it as.
    #[error("no user `{0}` to run postgres as: postgres refuses to run as root, create the user or name another")]
    NoUser(String),
    /// The user that Postgres runs as cannot enter a directory on the way to its data.
    #[error(
        "user `{user}` cannot enter `{directory}`: choose a data directory elsewhere (for example below /var/lib) or \
         run as an ordinary user"
    )]
    Unreachable {
        /// Who cannot.
        user: String,
        /// Where.
        directory: PathBuf,
    },
    /// A file or directory could not be made or read.
    #[error("failed to {doing} `{path}`")]
    File {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The kernel takes no socket with so long a name.
    #[error(
        "the socket `{address}` would have a name of more than {max} bytes: choose a data directory with a shorter name"
    )]
    TooLong {
        /// Where it would be.
        address: PathBuf,
        /// How long it may be, in bytes.
        max: usize,
    },
    /// A program could not be run.
    #[error("failed to run `{program}`")]
    Run {
        /// Which.
        program: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The first start could not make the data directory.
    #[error("`initdb` failed: {output}")]
    Init {
        /// What it said.
        output: String,
    },
    /// Another server has the same data directory open.
    #[error("postgres {pid} already runs on `{directory}`: stop it or choose another data directory")]
    InUse {
        /// Its process id.
        pid: i32,
        /// The directory.
        directory: PathBuf,
    },
    /// The server ended instead of starting.
    #[error("postgres ended while it started, its log `{log}` ends with: {tail}")]
    Exited {
        /// Where its log is.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// The server runs but does not let us in, or not go.
    #[error("failed to {doing}")]
    Setup {
        /// What was being done.
        doing: &'static str,
        /// What Postgres or the connection said.
        #[source]
        source: BoxError,
    },
    /// It does not take the roles of the read model.
    #[error("failed to set up the roles of the private postgres")]
    Roles(#[source] projections::Error),
    /// The server did not end in time.
    #[error("postgres did not end within {seconds} s of being asked to")]
    Stuck {
        /// How long was waited.
        seconds: u64,
    },
}

impl Error {
    pub(super) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }

    pub(super) fn run(program: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Run { program: program.to_owned(), source }
    }

    /// `doing` says it all: of the read model's error only what is below it.
    pub(super) fn setup(doing: &'static str, error: projections::Error) -> Self {
        let source = if let projections::Error::Connect(source) = error { source.into() } else { error.into() };
        Self::Setup { doing, source }
    }
}
