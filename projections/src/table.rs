//! A table folded from facts: take out the rows that a batch touches, fold in memory, and put them back.

use crate::Error;
use crate::copy::{Rows, Table};
use crate::model::sql;
use events::Recorded;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgConnection;
use sqlx::types::{Json, Uuid};
use std::collections::{BTreeMap, BTreeSet};

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

/// Rows of a table in memory, to be changed by facts. A row that is here is not in the table: it was taken out of it, or was
/// never there. Nobody else sees that before it is put back.
pub(crate) struct Held<R: Row> {
    rows: BTreeMap<R::Key, Slot<R>>,
    /// Whether the table may have rows that are not here.
    is_part: bool,
}

struct Slot<R> {
    /// None if there is none or none any more.
    row: Option<R>,
    /// The sequence of the last fact about it.
    touched: u64,
}

impl<R: Row> Held<R> {
    /// None of the rows that a table may have.
    pub(crate) const fn none() -> Self {
        Self { rows: BTreeMap::new(), is_part: true }
    }

    /// All rows of an empty table.
    pub(crate) const fn all() -> Self {
        Self { rows: BTreeMap::new(), is_part: false }
    }

    /// How many keys of rows are here.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Applies `facts`, after a question for the rows that they touch and that may be in the table.
    pub(crate) async fn fold(
        &mut self,
        connection: &mut PgConnection,
        schema: &str,
        facts: &[&Recorded],
    ) -> Result<(), Error> {
        let mut steps = Vec::new();
        for recorded in facts {
            if let Some(key) = R::touched(recorded)? {
                steps.push((key, *recorded));
            }
        }
        if self.is_part {
            let absent: BTreeSet<&R::Key> =
                steps.iter().map(|(key, _)| key).filter(|key| !self.rows.contains_key(key)).collect();
            for row in take_out::<R>(connection, schema, &absent.into_iter().collect::<Vec<_>>()).await? {
                self.rows.insert(row.key(), Slot { row: Some(row), touched: 0 });
            }
        }
        for (key, recorded) in steps {
            let slot = self.rows.entry(key).or_insert(Slot { row: None, touched: 0 });
            slot.row = R::fold(slot.row.take(), recorded);
            slot.touched = recorded.sequence;
        }
        Ok(())
    }

    /// Puts all rows into the table.
    pub(crate) async fn put_back(&mut self, connection: &mut PgConnection, schema: &str) -> Result<(), Error> {
        self.put_back_until(connection, schema, u64::MAX).await
    }

    /// Puts rows into the table if there are more than `most`, until half as many are left: those that no fact has touched
    /// for longest.
    pub(crate) async fn shrink(
        &mut self,
        connection: &mut PgConnection,
        schema: &str,
        most: usize,
    ) -> Result<(), Error> {
        if self.rows.len() <= most {
            return Ok(());
        }
        let mut touched: Vec<u64> = self.rows.values().map(|slot| slot.touched).collect();
        let (_, last, _) = touched.select_nth_unstable(self.rows.len() - most / 2 - 1);
        self.put_back_until(connection, schema, *last).await
    }

    async fn put_back_until(&mut self, connection: &mut PgConnection, schema: &str, last: u64) -> Result<(), Error> {
        let mut written = Rows::of(R::TABLE);
        self.rows.retain(|_, slot| {
            let stays = slot.touched > last;
            if let (false, Some(row)) = (stays, &slot.row) {
                row.write(&mut written);
            }
            stays
        });
        self.is_part |= !written.is_empty();
        written.send(connection, schema).await
    }
}

/// Removes the rows with these keys and answers them. To remove a row and to add another is what an update does too, and
/// what is added goes the fast way of COPY.
async fn take_out<R: Row>(connection: &mut PgConnection, schema: &str, keys: &[&R::Key]) -> Result<Vec<R>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let keys = R::columns(keys);
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
