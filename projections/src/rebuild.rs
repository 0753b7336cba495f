//! Makes a model anew from the log, beside the live one, and puts it in its place while readers read.

use crate::Error;
use crate::apply::{Applied, lock_position};
use crate::migrations::{self, Phase};
use crate::model::{LIVE, Model, position};
use crate::store::{LIVE_LOCK, Store, grant, lock};
use crate::tables::Tables;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use std::sync::{Mutex, PoisonError};

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
    stage: Stage,
}

/// How far a model under construction is.
#[derive(Debug)]
enum Stage {
    /// Rows that later facts may change are in memory, and secondary indexes are missing.
    Filling(Box<Tables>),
    /// It is whole up to its position.
    Whole,
    /// It has failed half-way.
    Failed,
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
        drop_schema(&mut guard, OLD).await?;
        make(&mut guard).await?;
        Ok(Self {
            model: Model { pool: store.pool.clone(), schema: NEXT },
            guard,
            stage: Stage::Filling(Box::new(Tables::all())),
        })
    }

    /// Begins again from nothing, with indexes from the start: for a log with facts that Postgres cannot hold. They are found
    /// and recorded as they are when the live model follows the log, and it takes as long.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres refuses.
    pub async fn begin_again(&mut self) -> Result<(), Error> {
        self.stage = Stage::Failed;
        make(&mut self.guard).await?;
        self.index().await?;
        self.stage = Stage::Whole;
        Ok(())
    }

    /// The model so far.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Applies a stretch of the log. Until [`Rebuild::finish_indexes`] a row is written when no fact has touched it for long,
    /// and not with each fact that does.
    ///
    /// # Errors
    /// As [`Model::apply`], and [`Error::is_of_the_fact`] where Postgres cannot hold what a fact says, which is not seen in
    /// advance: begin again and make the indexes first, and everything is applied as [`Model::apply`] does. Any error but
    /// [`Error::Gap`] ends a rebuild that has no indexes yet.
    pub async fn apply(&mut self, batch: &[Applied]) -> Result<u64, Error> {
        // Where it is given up half-way, what is in memory and what is in the tables do not fit together.
        match std::mem::replace(&mut self.stage, Stage::Failed) {
            Stage::Failed => Err(Error::RebuildFailed),
            Stage::Whole => {
                self.stage = Stage::Whole;
                self.model.apply(batch).await
            }
            Stage::Filling(mut tables) => {
                let applied = self.model.fill(batch, &mut tables).await;
                if matches!(applied, Ok(_) | Err(Error::Gap { .. })) {
                    self.stage = Stage::Filling(tables);
                }
                applied
            }
        }
    }

    /// Writes what is still in memory, and makes the secondary indexes and the planner's statistics. Call it when most of
    /// the log is applied; what comes later is applied as to the live model.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres refuses, and [`Error::is_of_the_fact`] as [`Rebuild::apply`].
    pub async fn finish_indexes(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.stage, Stage::Failed) {
            Stage::Failed => return Err(Error::RebuildFailed),
            Stage::Whole => {}
            Stage::Filling(mut tables) => {
                let doing = Error::during("finish a rebuild");
                let mut transaction = self.guard.begin().await.map_err(&doing)?;
                tables.put_back(&mut transaction, NEXT).await?;
                transaction.commit().await.map_err(&doing)?;
                self.index().await?;
            }
        }
        self.stage = Stage::Whole;
        Ok(())
    }

    /// Makes indexes and statistics on two connections: one processor makes each of them.
    async fn index(&mut self) -> Result<(), Error> {
        let doing = Error::during("finish a rebuild");
        let mut beside = self.model.pool.acquire().await.map_err(Error::Connect)?.detach();
        let statistics =
            tables(&mut self.guard, NEXT).await?.into_iter().map(|table| format!("ANALYZE {NEXT}.{table}"));
        let steps = migrations::indexes().map(|step| step.into_iter().map(str::to_owned).collect());
        for step in steps.chain([statistics.collect::<Vec<String>>()]) {
            // What takes longest comes last in a step, and is begun with.
            let left = Mutex::new(step);
            tokio::try_join!(run_all(&mut self.guard, &left), run_all(&mut beside, &left))?;
        }
        beside.close().await.map_err(doing)
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

/// Makes the next schema, empty and without secondary indexes.
async fn make(connection: &mut PgConnection) -> Result<(), Error> {
    let doing = Error::during("begin a rebuild");
    drop_schema(connection, NEXT).await?;
    let mut transaction = connection.begin().await.map_err(&doing)?;
    migrations::create(&mut transaction, NEXT).await?;
    migrations::up(&mut transaction, NEXT, Phase::Tables).await?;
    transaction.commit().await.map_err(&doing)
}

/// Runs one statement after another in the next schema, from the last to the first, until none is left.
async fn run_all(connection: &mut PgConnection, left: &Mutex<Vec<String>>) -> Result<(), Error> {
    let doing = Error::during("finish a rebuild");
    // A sort that does not fit into memory goes to the disk and back.
    let settings = format!("SET search_path TO {NEXT}; SET maintenance_work_mem TO '128MB'");
    sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut *connection).await.map_err(&doing)?;
    loop {
        let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(statement) = next else { break };
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await.map_err(&doing)?;
    }
    sqlx::raw_sql("RESET search_path; RESET maintenance_work_mem").execute(connection).await.map(drop).map_err(&doing)
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
