//! A table folded from facts: take out the rows that a batch touches, fold in memory, and put them back.

use crate::Error;
use crate::copy::{Rows, Table};
use crate::model::sql;
use events::Recorded;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgConnection;
use sqlx::types::{Json, Uuid};
use std::collections::BTreeMap;

/// A row of a table, and how facts change it. The fields of its JSON are the table's columns.
pub(crate) trait Row: DeserializeOwned + Send + Sync + Unpin + 'static {
    /// The table, and its columns in the order in which [`Row::write`] writes them.
    const TABLE: Table;
    /// The columns of its primary key.
    const KEY: &'static [&'static str];
    /// Which row.
    type Key: Ord + Clone + Send + Sync;

    /// The row's own key.
    fn key(&self) -> Self::Key;

    /// The values of some keys, by the columns of the primary key.
    fn columns(keys: &[&Self::Key]) -> Vec<Keys>;

    /// The row that this fact may change.
    fn touched(recorded: &Recorded) -> Result<Option<Self::Key>, Error>;

    /// The row after this fact; none if there is none or none any more. What cannot follow changes nothing, as in the
    /// aggregates: history is not refused.
    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self>;

    /// Adds the row to those that are to be written.
    fn write(&self, rows: &mut Rows);
}

/// The values of one column of some keys.
pub(crate) enum Keys {
    Uuids(Vec<Uuid>),
    Texts(Vec<String>),
}

/// Applies `facts` to the table of `R`, in two statements whatever their number.
pub(crate) async fn fold<R: Row>(
    connection: &mut PgConnection,
    schema: &str,
    facts: &[&Recorded],
) -> Result<(), Error> {
    let mut steps = Vec::new();
    let mut rows: BTreeMap<R::Key, Option<R>> = BTreeMap::new();
    for recorded in facts {
        if let Some(key) = R::touched(recorded)? {
            rows.insert(key.clone(), None);
            steps.push((key, *recorded));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    for row in take_out::<R>(connection, schema, &rows).await? {
        rows.insert(row.key(), Some(row));
    }
    for (key, recorded) in steps {
        if let Some(row) = rows.get_mut(&key) {
            *row = R::fold(row.take(), recorded);
        }
    }
    let mut written = Rows::of(R::TABLE);
    rows.values().flatten().for_each(|row| row.write(&mut written));
    written.send(connection, schema).await
}

/// Removes the rows with these keys and answers them: nobody else sees that before they are back. To remove a row and to
/// add another is what an update does too, and what is added goes the fast way of COPY.
async fn take_out<R: Row>(
    connection: &mut PgConnection,
    schema: &str,
    rows: &BTreeMap<R::Key, Option<R>>,
) -> Result<Vec<R>, Error> {
    let keys = R::columns(&rows.keys().collect::<Vec<_>>());
    let arrays: Vec<String> =
        (1..).zip(&keys).map(|(number, keys)| format!("${number}::{}[]", keys.type_name())).collect();
    let matching: Vec<String> = R::KEY.iter().map(|name| format!("row.{name} = wanted.{name}")).collect();
    let text = format!(
        "DELETE FROM @.{} row USING unnest({}) wanted ({}) WHERE {} RETURNING to_json(row)",
        R::TABLE.name,
        arrays.join(", "),
        R::KEY.join(", "),
        matching.join(" AND ")
    );
    let mut query = sqlx::query_scalar::<_, Json<R>>(sql(schema, &text));
    for keys in keys {
        query = match keys {
            Keys::Uuids(uuids) => query.bind(uuids),
            Keys::Texts(texts) => query.bind(texts),
        };
    }
    let held = query.fetch_all(connection).await.map_err(Error::during("take out rows to fold"))?;
    Ok(held.into_iter().map(|Json(row)| row).collect())
}

impl Keys {
    const fn type_name(&self) -> &'static str {
        match self {
            Self::Uuids(_) => "uuid",
            Self::Texts(_) => "text",
        }
    }
}
