//! The door to Postgres: connects, and sees to it that there is a live model to read.

use crate::Error;
use crate::login::{self, Login};
use crate::migrations::{self, Phase, VERSION};
use crate::model::{LIVE, Model};
use crate::nodelay;
use secrecy::{ExposeSecret, SecretString};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use std::time::Duration;

/// How long a caller waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Held while the live schema is made or replaced, so that two programs do not do so at once.
pub(crate) const LIVE_LOCK: i64 = 0x7061_6765_0001;

/// A pool of connections to the database that holds the read model. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
    options: PgConnectOptions,
}

/// Whether the live model can be written by this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It has this program's version.
    Ready,
    /// It was made by an older version: it can be read, and a [`crate::Rebuild`] replaces it.
    Stale {
        /// The version it has.
        found: u32,
    },
}

impl Store {
    /// Connects with at most `max_connections` at a time. `url` is `postgres://role:password@host:port/database`; a host
    /// that is a percent-encoded path is the folder of a Unix socket. For whoever wants to know at once.
    ///
    /// # Errors
    /// [`Error::Connect`] if the URL cannot be read, [`Error::Denied`] if the password is wrong, [`Error::Silent`] if
    /// Postgres cannot be reached.
    pub async fn connect(url: &SecretString, max_connections: u32) -> Result<Self, Error> {
        let store = Self::establish(url, max_connections)?;
        store.check().await?;
        Ok(store)
    }

    /// The same, but connects when it is first used, and again whenever that is necessary: for services, which wait for
    /// what they need.
    ///
    /// # Errors
    /// [`Error::Connect`] if the URL cannot be read.
    pub fn establish(url: &SecretString, max_connections: u32) -> Result<Self, Error> {
        let options: PgConnectOptions = url.expose_secret().parse().map_err(Error::Connect)?;
        // Times are answered as text in JSON; the digest compares them. No question of ours is worth compiling, which takes
        // longer than any of them.
        let options = options.application_name("pagefold").options([("TimeZone", "UTC"), ("jit", "off")]);
        let pool = PgPoolOptions::new().max_connections(max_connections).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = match options.get_socket() {
            Some(_) => pool,
            None => nodelay::on_connecting(pool, options.get_port()),
        };
        Ok(Self { pool: pool.connect_lazy_with(options.clone()), options })
    }

    /// Whether Postgres lets us in, by a connection of its own.
    ///
    /// # Errors
    /// [`Error::Denied`] if the password is wrong, [`Error::Silent`] if Postgres cannot be reached.
    pub async fn check(&self) -> Result<(), Error> {
        let connecting = PgConnection::connect_with(&self.options);
        let answered = tokio::time::timeout(ACQUIRE_TIMEOUT, connecting).await;
        let answered = answered.map_err(|_elapsed| sqlx::Error::PoolTimedOut).flatten();
        match answered {
            Ok(connection) => connection.close().await.map_err(Error::Connect),
            Err(source) => Err(Error::unreached(&self.options, source)),
        }
    }

    /// The model readers see.
    #[must_use]
    pub fn live(&self) -> Model {
        Model { pool: self.pool.clone(), schema: LIVE }
    }

    /// Makes the live model if there is none, and lets the role `reader` read it. Safe to repeat, by several programs at
    /// once too.
    ///
    /// # Errors
    /// [`Error::Newer`] if a newer program made the live model, [`Error::Query`] if Postgres refuses.
    pub async fn prepare(&self, reader: Option<&str>) -> Result<Readiness, Error> {
        let doing = Error::during("prepare the read model");
        let mut transaction = self.pool.begin().await.map_err(Error::Connect)?;
        lock(&mut transaction, LIVE_LOCK).await?;
        let readiness = match migrations::version(&mut transaction, LIVE).await? {
            Some(VERSION) => Readiness::Ready,
            Some(found) if found > VERSION => return Err(Error::Newer { found, known: VERSION }),
            Some(found) => Readiness::Stale { found },
            None => {
                migrations::create(&mut transaction, LIVE).await?;
                migrations::up(&mut transaction, LIVE, Phase::Tables).await?;
                migrations::up(&mut transaction, LIVE, Phase::Indexes).await?;
                Readiness::Ready
            }
        };
        if let Some(role) = reader {
            grant(&mut transaction, LIVE, role).await?;
        }
        transaction.commit().await.map_err(&doing)?;
        Ok(readiness)
    }

    /// Makes the role that may log in and read only what it is granted, or gives it that password.
    ///
    /// # Errors
    /// [`Error::Query`] if the owner may not do so.
    pub async fn make_reader(&self, reader: &Login) -> Result<(), Error> {
        let mut connection = self.pool.acquire().await.map_err(Error::Connect)?;
        let database = self.options.get_database().unwrap_or_else(|| self.options.get_username());
        login::make_reader(&mut connection, database, reader).await
    }

    /// Closes every connection, after the work under way.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Takes an advisory lock until the transaction ends.
pub(crate) async fn lock(connection: &mut PgConnection, key: i64) -> Result<(), Error> {
    let query = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(key);
    query.execute(connection).await.map(drop).map_err(Error::during("take a lock"))
}

/// Lets `role` read everything in `schema`.
pub(crate) async fn grant(connection: &mut PgConnection, schema: &str, role: &str) -> Result<(), Error> {
    let doing = Error::during("grant reading");
    let quoted = sqlx::query_scalar::<_, String>("SELECT quote_ident($1)").bind(role);
    let role = quoted.fetch_one(&mut *connection).await.map_err(&doing)?;
    let text =
        format!("GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(connection).await.map(drop).map_err(&doing)
}
