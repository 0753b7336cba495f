//! Why the read model could not be written or read.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgConnectOptions;

/// A failure of the read model. None of them loses a fact: the position tells where to go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection to Postgres.
    #[error("failed to connect to postgres")]
    Connect(#[source] sqlx::Error),
    /// Postgres is there and does not let the role in.
    #[error("postgres at `{address}` refuses the password of role `{role}`")]
    Denied {
        /// Where it is.
        address: String,
        /// Who was refused.
        role: String,
    },
    /// Postgres is not there, or does not serve yet.
    #[error("postgres at `{address}` does not let role `{role}` in")]
    Silent {
        /// Where it should be.
        address: String,
        /// Who asked.
        role: String,
        /// What was seen instead.
        #[source]
        source: sqlx::Error,
    },
    /// Postgres refused or was lost in the middle of something.
    #[error("failed to {doing}")]
    Query {
        /// What was being done.
        doing: &'static str,
        /// What Postgres or the connection said.
        #[source]
        source: sqlx::Error,
    },
    /// The URL of a database does not say whose it is.
    #[error("the URL of the read model must name its owner, the owner's password and the database")]
    Incomplete,
    /// A number that no column can hold.
    #[error("`{number}` is too large for a column of `{table}`")]
    Number {
        /// The table it was for.
        table: &'static str,
        /// The number.
        number: u64,
    },
    /// A text that Postgres cannot hold.
    #[error("Unicode has the character U+0000, and Postgres has no text with it")]
    Nul,
    /// A fact whose subject cannot be the identity of what it is about.
    #[error("subject `{subject}` does not name a {aggregate}")]
    Subject {
        /// What it is about.
        aggregate: &'static str,
        /// What the envelope says.
        subject: String,
    },
    /// Facts are missing between the position and the batch, or inside the batch. The log has no gaps, so the reader of
    /// the log must go back to `expected`.
    #[error("fact {expected} comes next, but the batch has {found}")]
    Gap {
        /// The sequence that comes next.
        expected: u64,
        /// The sequence that was given.
        found: u64,
    },
    /// The live schema was made by a newer version of Pagefold.
    #[error("read model has version {found}, this program knows up to {known}: run the newer program or rebuild")]
    Newer {
        /// The version of the live schema.
        found: u32,
        /// The newest version this program can make.
        known: u32,
    },
    /// Another process rebuilds at this moment.
    #[error("another rebuild is under way")]
    RebuildRunning,
    /// This rebuild has failed half-way and cannot go on.
    #[error("the rebuild has failed before: begin another")]
    RebuildFailed,
    /// The live model has moved on: apply more to the rebuild, then swap again.
    #[error("rebuild stands at {next}, behind the live model at {live}")]
    Behind {
        /// The rebuild's position.
        next: u64,
        /// The live model's position.
        live: u64,
    },
}

impl Error {
    /// Why there is no connection, told with the address and the role and without the password.
    pub(crate) fn unreached(options: &PgConnectOptions, source: sqlx::Error) -> Self {
        /// SQLSTATE class: invalid authorization specification.
        const DENIED: &str = "28";
        let address = match options.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let role = options.get_username().to_owned();
        let code = source.as_database_error().and_then(DatabaseError::code);
        if code.is_some_and(|code| code.starts_with(DENIED)) {
            return Self::Denied { address, role };
        }
        Self::Silent { address, role, source }
    }

    /// Whether Postgres answered, and something else than that it does not serve yet: to wait would not help.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        /// SQLSTATE: cannot connect now.
        const STARTING: &str = "57P03";
        let Self::Connect(source) = self else { return false };
        source.as_database_error().is_some_and(|answer| answer.code().as_deref() != Some(STARTING))
    }

    pub(crate) fn during(doing: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Query { doing, source }
    }

    /// Whether the fact itself is at fault, so that trying again cannot help.
    #[must_use]
    pub fn is_of_the_fact(&self) -> bool {
        /// SQLSTATE classes: data exception, integrity constraint violation, program limit exceeded.
        const CLASSES: [&str; 3] = ["22", "23", "54"];
        match self {
            Self::Number { .. } | Self::Nul | Self::Subject { .. } => true,
            Self::Query { source, .. } => source
                .as_database_error()
                .and_then(DatabaseError::code)
                .is_some_and(|code| CLASSES.iter().any(|class| code.starts_with(class))),
            Self::Connect(_)
            | Self::Incomplete
            | Self::Denied { .. }
            | Self::Silent { .. }
            | Self::Gap { .. }
            | Self::Newer { .. }
            | Self::RebuildRunning
            | Self::RebuildFailed
            | Self::Behind { .. } => false,
        }
    }

    /// The whole chain in one line, for a record that outlives the log of this process.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        text
    }
}
