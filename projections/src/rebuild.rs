//! Makes a model anew from the log, beside the live one, and puts it in its place while readers read.

use crate::Error;
use crate::apply::{Applied, lock_position};
use crate::migrations::{self, Phase};
use crate::model::{LIVE, Model, position};
use crate::store::{LIVE_LOCK, Store, grant, lock};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

/// The schema a rebuild fills.
const NEXT: &str = "pagefold_next";
/// What the live schema is called between the swap and its end.
const OLD: &str = "pagefold_old";
/// Held by the connection of a rebuild as long as it lives.
const REBUILD_LOCK: i64 = 0x7061_6765_0002;

/// A model under construction. Drop it to give up: the next rebuild clears what it left.
#[derive(Debug)]
pub struct Rebuild {
    model: Model,
    /// Holds the lock; a connection of its own, so that the lock ends with this value and with nothing else.
    guard: PgConnection,
    indexed: bool,
}

impl Rebuild {
    /// Starts from an empty schema without secondary indexes, readable by whoever reads the live one.
    ///
    /// # Errors
    /// [`Error::RebuildRunning`] if another process rebuilds, [`Error::Query`] if Postgres refuses.
    pub async fn begin(store: &Store) -> Result<Self, Error> {
        let doing = Error::during("begin a rebuild");
        let mut guard = store.pool.acquire().await.map_err(Error::Connect)?.detach();
        let taken = sqlx::query_scalar::<_, bool>("SELECT pg_try_advisory_lock($1)").bind(REBUILD_LOCK);
        if !taken.fetch_one(&mut guard).await.map_err(&doing)? {
            return Err(Error::RebuildRunning);
        }
        for leftover in [OLD, NEXT] {
            drop_schema(&mut guard, leftover).await?;
        }
        let mut transaction = guard.begin().await.map_err(&doing)?;
        migrations::create(&mut transaction, NEXT).await?;
        migrations::up(&mut transaction, NEXT, Phase::Tables).await?;
        transaction.commit().await.map_err(&doing)?;
        Ok(Self { model: Model { pool: store.pool.clone(), schema: NEXT }, guard, indexed: false })
    }

    /// The model so far.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Applies a stretch of the log, as [`Model::apply`].
    ///
    /// # Errors
    /// As [`Model::apply`].
    pub async fn apply(&self, batch: &[Applied]) -> Result<u64, Error> {
        self.model.apply(batch).await
    }

    /// Makes the secondary indexes and the planner's statistics. Call it when most of the log is applied; what comes
    /// later is applied as before, only slower.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres refuses.
    pub async fn finish_indexes(&mut self) -> Result<(), Error> {
        if self.indexed {
            return Ok(());
        }
        let doing = Error::during("finish a rebuild");
        let mut transaction = self.guard.begin().await.map_err(&doing)?;
        // A sort that does not fit into memory goes to the disk and back.
        let memory = sqlx::raw_sql("SET LOCAL maintenance_work_mem TO '256MB'");
        memory.execute(&mut *transaction).await.map_err(&doing)?;
        migrations::up(&mut transaction, NEXT, Phase::Indexes).await?;
        for table in tables(&mut transaction, NEXT).await? {
            let analyze = sqlx::raw_sql(AssertSqlSafe(format!("ANALYZE {NEXT}.{table}")));
            analyze.execute(&mut *transaction).await.map_err(&doing)?;
        }
        transaction.commit().await.map_err(&doing)?;
        self.indexed = true;
        Ok(())
    }

    /// Puts this model in the place of the live one and answers its position. The rebuild is over then. No reader fails:
    /// each statement sees one model or the other.
    ///
    /// # Errors
    /// [`Error::Behind`] if the live model has moved past this one: apply more and call it again. [`Error::Query`] if
    /// Postgres refuses; the live model is as it was then.
    pub async fn swap(&mut self) -> Result<u64, Error> {
        self.put(false).await
    }

    /// [`Rebuild::swap`] where the live model is of another log: how far it goes means nothing.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres refuses; the live model is as it was then.
    pub async fn replace(&mut self) -> Result<u64, Error> {
        self.put(true).await
    }

    async fn put(&mut self, of_another_log: bool) -> Result<u64, Error> {
        self.finish_indexes().await?;
        let doing = Error::during("swap in a rebuild");
        let mut transaction = self.guard.begin().await.map_err(&doing)?;
        let next = match rename(&mut transaction, of_another_log).await {
            Ok(next) => next,
            Err(error) => {
                // Said aloud: a dropped transaction would keep its locks until this connection is used again.
                transaction.rollback().await.map_err(&doing)?;
                return Err(error);
            }
        };
        transaction.commit().await.map_err(&doing)?;
        // The swap has happened. What could not be dropped now is dropped when the next rebuild begins.
        if let Err(error) = drop_schema(&mut self.guard, OLD).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the replaced read model is still there");
        }
        Ok(next)
    }
}

/// Gives the next schema the live one's name and readers, unless it is behind; answers its position.
async fn rename(transaction: &mut PgConnection, of_another_log: bool) -> Result<u64, Error> {
    lock(transaction, LIVE_LOCK).await?;
    lock_position(transaction, LIVE).await?;
    lock_position(transaction, NEXT).await?;
    let (live, next) = (position(transaction, LIVE).await?, position(transaction, NEXT).await?);
    if next < live && !of_another_log {
        return Err(Error::Behind { next, live });
    }
    for role in readers(transaction).await? {
        grant(transaction, NEXT, &role).await?;
    }
    let rename = format!("ALTER SCHEMA {LIVE} RENAME TO {OLD}; ALTER SCHEMA {NEXT} RENAME TO {LIVE}");
    let renamed = sqlx::raw_sql(AssertSqlSafe(rename)).execute(transaction).await;
    renamed.map(|_| next).map_err(Error::during("swap in a rebuild"))
}

/// The roles that may read the live schema.
async fn readers(connection: &mut PgConnection) -> Result<Vec<String>, Error> {
    let roles = sqlx::query_scalar(
        "SELECT DISTINCT role.rolname::text FROM pg_namespace space, aclexplode(space.nspacl) held, pg_roles role
         WHERE space.nspname = $1 AND held.privilege_type = 'USAGE' AND role.oid = held.grantee
           AND held.grantee <> space.nspowner",
    );
    roles.bind(LIVE).fetch_all(connection).await.map_err(Error::during("read who may read"))
}

async fn tables(connection: &mut PgConnection, schema: &str) -> Result<Vec<String>, Error> {
    let names = sqlx::query_scalar("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = $1");
    names.bind(schema).fetch_all(connection).await.map_err(Error::during("read the tables of a model"))
}

/// Drops a schema, table by table: a reader that still holds two of its tables could otherwise wait for us while we wait
/// for it, and Postgres would end one of the two.
async fn drop_schema(connection: &mut PgConnection, schema: &str) -> Result<(), Error> {
    let doing = Error::during("drop a schema");
    for table in tables(connection, schema).await? {
        let text = format!("DROP TABLE IF EXISTS {schema}.{table}");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await.map_err(&doing)?;
    }
    let text = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
    sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await.map(drop).map_err(&doing)
}
