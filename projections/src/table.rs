//! A table folded from facts: load the rows a batch touches, fold in memory, write each row once.

use crate::Error;
use crate::model::sql;
use events::Recorded;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;
use sqlx::types::Json;
use std::collections::BTreeMap;

/// A row of a table, and how facts change it. Its JSON fields are the table's columns.
pub(crate) trait Row: Serialize + DeserializeOwned + Send + Sync + Unpin + 'static {
    /// The table's name.
    const TABLE: &'static str;
    /// The columns of its primary key: the JSON fields of [`Row::Key`].
    const KEY: &'static [&'static str];
    /// Which row.
    type Key: Ord + Clone + Serialize + Send + Sync;

    /// The row's own key.
    fn key(&self) -> Self::Key;

    /// The row that this fact may change.
    fn touched(recorded: &Recorded) -> Result<Option<Self::Key>, Error>;

    /// The row after this fact; none if there is none or none any more. What cannot follow changes nothing, as in the
    /// aggregates: history is not refused.
    fn fold(row: Option<Self>, recorded: &Recorded) -> Option<Self>;
}

/// Applies `facts` to the table of `R`, in at most three statements whatever their number.
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
    for row in load::<R>(connection, schema, &rows).await? {
        rows.insert(row.key(), Some(row));
    }
    for (key, recorded) in steps {
        let before = rows.remove(&key).flatten();
        rows.insert(key, R::fold(before, recorded));
    }
    let gone: Vec<&R::Key> = rows.iter().filter(|(_, row)| row.is_none()).map(|(key, _)| key).collect();
    remove::<R>(connection, schema, &gone).await?;
    let kept: Vec<&R> = rows.values().flatten().collect();
    let key = R::KEY.join(", ");
    store(connection, schema, (R::TABLE, Some(&key)), &kept).await
}

/// Adds `rows`, which are new, to `table`.
pub(crate) async fn append<T: Serialize>(
    connection: &mut PgConnection,
    schema: &str,
    table: &'static str,
    rows: &[T],
) -> Result<(), Error> {
    store(connection, schema, (table, None), rows).await
}

async fn load<R: Row>(
    connection: &mut PgConnection,
    schema: &str,
    rows: &BTreeMap<R::Key, Option<R>>,
) -> Result<Vec<R>, Error> {
    let keys = json(R::TABLE, &rows.keys().collect::<Vec<_>>())?;
    let table = R::TABLE;
    let text = format!(
        "SELECT to_json(row) FROM @.{table} row, json_populate_recordset(NULL::@.{table}, $1::json) wanted WHERE {}",
        matching("row", "wanted", R::KEY)
    );
    let query = sqlx::query_scalar::<_, Json<R>>(sql(schema, &text)).bind(keys);
    let held = query.fetch_all(connection).await.map_err(Error::during("load rows to fold"))?;
    Ok(held.into_iter().map(|Json(row)| row).collect())
}

async fn remove<R: Row>(connection: &mut PgConnection, schema: &str, gone: &[&R::Key]) -> Result<(), Error> {
    if gone.is_empty() {
        return Ok(());
    }
    let table = R::TABLE;
    let text = format!(
        "DELETE FROM @.{table} row USING json_populate_recordset(NULL::@.{table}, $1::json) gone WHERE {}",
        matching("row", "gone", R::KEY)
    );
    run(connection, sqlx::query(sql(schema, &text)).bind(json(table, gone)?)).await
}

/// Writes `rows`; those whose key is there already are replaced, if a key is given.
async fn store<T: Serialize>(
    connection: &mut PgConnection,
    schema: &str,
    (table, key): (&'static str, Option<&str>),
    rows: &[T],
) -> Result<(), Error> {
    let Some(first) = rows.first() else { return Ok(()) };
    let shape = serde_json::to_value(first).map_err(|source| Error::Row { table, source })?;
    let columns: Vec<String> =
        shape.as_object().into_iter().flat_map(|object| object.keys()).map(|name| format!("\"{name}\"")).collect();
    let on_conflict = key.map_or_else(String::new, |key| {
        let replaced: Vec<String> = columns.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        format!("ON CONFLICT ({key}) DO UPDATE SET {}", replaced.join(", "))
    });
    let columns = columns.join(", ");
    let text = format!(
        "INSERT INTO @.{table} ({columns})
         SELECT {columns} FROM json_populate_recordset(NULL::@.{table}, $1::json) {on_conflict}"
    );
    run(connection, sqlx::query(sql(schema, &text)).bind(json(table, rows)?)).await
}

async fn run(connection: &mut PgConnection, query: Query<'_, Postgres, PgArguments>) -> Result<(), Error> {
    query.execute(connection).await.map(drop).map_err(Error::during("write rows"))
}

fn matching(left: &str, right: &str, columns: &[&str]) -> String {
    columns.iter().map(|name| format!("{left}.{name} = {right}.{name}")).collect::<Vec<_>>().join(" AND ")
}

fn json<T: Serialize>(table: &'static str, rows: &[T]) -> Result<String, Error> {
    serde_json::to_string(rows).map_err(|source| Error::Row { table, source })
}
