//! What could not be folded: an operator's list. Nothing on it blocks, nothing on it vanishes, and a rebuild by a
//! program that knows better heals it.

use crate::Error;
use crate::copy::{Rows, Table, variant};
use crate::model::{self, Model, bigint, page};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnection;

/// Longest reason that is kept, in characters.
const REASON_MAX: usize = 2000;

/// Why a place in the log has no fact here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Its type is not known to this version.
    Unknown,
    /// It cannot be read or cannot become a row.
    Poison,
}

/// A place in the log that has no fact here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureRow {
    /// The sequence in the log.
    pub sequence: u64,
    /// What is wrong with it.
    pub kind: Kind,
    /// Why, for an operator; of an unknown fact, its type.
    pub reason: String,
}

impl FailureRow {
    pub(crate) fn new(sequence: u64, kind: Kind, reason: &str) -> Self {
        // A payload may be quoted in its reason, and Postgres has no text with NUL.
        let reason = reason.chars().take(REASON_MAX).map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c });
        Self { sequence, kind, reason: reason.collect() }
    }
}

const TABLE: Table = Table { name: "errors", columns: &["sequence", "kind", "reason"] };

pub(crate) async fn append(connection: &mut PgConnection, schema: &str, failures: &[&FailureRow]) -> Result<(), Error> {
    let mut rows = Rows::of(TABLE);
    for FailureRow { sequence, kind, reason } in failures {
        rows.row().put(sequence).put(&variant(kind)).put(reason);
    }
    rows.send(connection, schema).await
}

impl Model {
    /// The types of facts after the sequence `after` that the model lacks because its writer did not know them. A program
    /// that knows one of them has to make the model anew.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn unknown_types(&self, after: u64) -> Result<Vec<String>, Error> {
        let text = "SELECT DISTINCT to_jsonb(reason) FROM @.errors WHERE kind = 'unknown' AND sequence > $1";
        let query: model::Rows<'_, String> = sqlx::query_scalar(self.sql(text));
        self.all("read what is not known", query.bind(bigint(after))).await
    }

    /// The newest places that could not be folded, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn failures(&self, limit: u32) -> Result<Vec<FailureRow>, Error> {
        let text = "SELECT to_json(row) FROM @.errors row ORDER BY sequence DESC LIMIT $1";
        let query: model::Rows<'_, FailureRow> = sqlx::query_scalar(self.sql(text));
        self.all("read what could not be folded", query.bind(page(limit))).await
    }
}
