//! How the world fails us. A refusal of the domain is not an error of this kind.

use crate::codec;
use crate::owner::Owner;
use events::Refusal;

/// Any error of a library below.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The log could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It did not answer, or answered too late: whether it did it is unknown.
    #[error("the log did not answer in time to {operation}")]
    Unavailable {
        /// What was asked.
        operation: &'static str,
        /// What the client saw.
        #[source]
        source: BoxError,
    },
    /// A server is there and does not let the user in.
    #[error("the log's server at `{address}` refuses the password of user `{user}`")]
    Denied {
        /// Where it is.
        address: String,
        /// Who was refused.
        user: String,
    },
    /// Whoever answers does not prove to be the log's server; no password was sent.
    #[error("whoever answers at `{address}` does not prove to be the log's server by its certificate")]
    Unproved {
        /// Where that is.
        address: String,
        /// What is wrong with the proof.
        #[source]
        source: BoxError,
    },
    /// No server is there.
    #[error("no server of the log answers at `{address}`")]
    Silent {
        /// Where none is.
        address: String,
        /// What the client saw.
        #[source]
        source: BoxError,
    },
    /// It answered no.
    #[error("the log refused to {operation}: {description} (error {code})")]
    Rejected {
        /// What was asked.
        operation: &'static str,
        /// The server's error code (`err_code`).
        code: u64,
        /// The server's words.
        description: String,
    },
    /// Other writers were faster, again and again.
    #[error("other writers kept changing `{subject}`")]
    Contended {
        /// The subject of the aggregate.
        subject: String,
    },
    /// A message of the log cannot be read.
    #[error("message {sequence} of the log cannot be read")]
    Unreadable {
        /// Its sequence.
        sequence: u64,
        /// Why.
        #[source]
        source: codec::Error,
    },
    /// An owner's key was wrapped with another key than this installation has.
    #[error("the key `{owner}` cannot be unwrapped: the installation has another key than it had")]
    WrongKey {
        /// Whose key.
        owner: Owner,
    },
    /// A fact that a newer version has stated: to decide without knowing it would be to decide on half the truth.
    #[error("fact {sequence} of the log is of type `{type_name}`, which needs a newer version of this program")]
    Newer {
        /// Its sequence.
        sequence: u64,
        /// Its type.
        type_name: String,
    },
    /// A snapshot or a lease holds something else than it should.
    #[error("`{what}` is not what it should be")]
    Corrupt {
        /// Which one.
        what: String,
        /// Why.
        #[source]
        source: BoxError,
    },
}

impl Error {
    /// For `map_err`: what was asked when the library below failed.
    pub(crate) fn unavailable<E: Into<BoxError>>(operation: &'static str) -> impl Fn(E) -> Self {
        move |source| Self::Unavailable { operation, source: source.into() }
    }
}

/// Why a command led to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The domain said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The world failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// An error with all that caused it, in one line: for a person, or for the operator's shelf. Logs take the error itself.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
