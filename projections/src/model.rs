//! One read model: a schema with its tables, and how rows are asked of it.

use crate::Error;
use events::Position;
use serde::de::DeserializeOwned;
use sqlx::postgres::{PgArguments, PgConnection, PgPool};
use sqlx::query::QueryScalar;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Postgres};
use std::collections::BTreeMap;

/// The schema that readers see.
pub(crate) const LIVE: &str = "pagefold";
/// Most rows one question answers, whatever its limit says: a page of a thousand, and one to know that there are more.
pub const PAGE_MAX: u32 = 1001;

/// A read model in one schema: the live one, or the one a rebuild fills.
///
/// Every question answers rows as JSON, so the result type of a prepared statement is the same for every version of the
/// tables: a swap to other columns under a reader cannot break it.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) pool: PgPool,
    pub(crate) schema: &'static str,
}

/// One scalar of JSON per row.
pub(crate) type Rows<'q, T> = QueryScalar<'q, Postgres, Json<T>, PgArguments>;

impl Model {
    /// `text` with every `@.` replaced by the model's schema. Only literals of this crate come here.
    pub(crate) fn sql(&self, text: &str) -> AssertSqlSafe<String> {
        sql(self.schema, text)
    }

    /// The sequence of the last fact this model shows; 0 when it is empty.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn position(&self) -> Result<u64, Error> {
        let mut connection = self.pool.acquire().await.map_err(Error::Connect)?;
        position(&mut connection, self.schema).await
    }

    /// The fact that this model shows last: its place, and which one it is.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn place(&self) -> Result<Position, Error> {
        let query: Rows<'_, Position> =
            sqlx::query_scalar(self.sql("SELECT json_build_object('sequence', sequence, 'id', id) FROM @.position"));
        Ok(self.one("read the position", query).await?.unwrap_or_default())
    }

    /// A digest of each table's rows in the order of their keys: two models are the same exactly if these are. Covers
    /// all that the log determines, which is everything but the time an error was noted.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn digest(&self) -> Result<BTreeMap<&'static str, String>, Error> {
        const TABLES: [(&str, &str); 21] = [
            ("position", "row.sequence"),
            ("organizations", "row.id"),
            ("sites", "row.id"),
            ("hosts", "row.label"),
            ("builds", "row.id"),
            ("causes", "row.site, row.sequence"),
            ("deploys", "row.id"),
            ("aliases", "row.site, row.alias"),
            ("locks", "row.site"),
            ("users", "row.id"),
            ("members", "row.organization, row.user_id"),
            ("invitations", "row.id"),
            ("identities", "row.id"),
            ("tokens", "row.id"),
            ("receivers", "row.id"),
            ("notices", "row.id"),
            ("variables", "row.site, row.name"),
            ("credentials", "row.site, row.kind"),
            ("share_links", "row.site, row.id"),
            ("events", "row.sequence"),
            ("errors", "row.sequence"),
        ];
        let doing = Error::during("compare read models");
        let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut transaction = self.pool.begin_with(snapshot).await.map_err(&doing)?;
        let mut digests = BTreeMap::new();
        for (table, key) in TABLES {
            let sql = self.sql(&format!(
                "SELECT encode(sha256(convert_to(coalesce(string_agg(
                     md5((to_jsonb(row) - 'noted_at')::text), '' ORDER BY {key}), ''), 'UTF8')), 'hex')
                 FROM @.{table} row"
            ));
            digests.insert(table, sqlx::query_scalar(sql).fetch_one(&mut *transaction).await.map_err(&doing)?);
        }
        Ok(digests)
    }

    pub(crate) async fn all<T>(&self, doing: &'static str, query: Rows<'_, T>) -> Result<Vec<T>, Error>
    where
        T: DeserializeOwned + Send + Unpin + 'static,
    {
        let rows = query.fetch_all(&self.pool).await.map_err(Error::during(doing))?;
        Ok(rows.into_iter().map(|Json(row)| row).collect())
    }

    pub(crate) async fn one<T>(&self, doing: &'static str, query: Rows<'_, T>) -> Result<Option<T>, Error>
    where
        T: DeserializeOwned + Send + Unpin + 'static,
    {
        let row = query.fetch_optional(&self.pool).await.map_err(Error::during(doing))?;
        Ok(row.map(|Json(row)| row))
    }
}

pub(crate) fn sql(schema: &str, text: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(text.replace("@.", &format!("{schema}.")))
}

pub(crate) async fn position(connection: &mut PgConnection, schema: &str) -> Result<u64, Error> {
    let query = sqlx::query_scalar::<_, i64>(sql(schema, "SELECT sequence FROM @.position"));
    let sequence = query.fetch_one(connection).await.map_err(Error::during("read the position"))?;
    Ok(sequence.unsigned_abs())
}

/// `number` as Postgres counts. No sequence and no page comes near the difference.
pub(crate) fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How many rows a page may have.
pub(crate) fn page(limit: u32) -> i64 {
    i64::from(limit.min(PAGE_MAX))
}
