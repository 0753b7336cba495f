//! Who logs in to Postgres, and what an administrator makes for them.

use crate::Error;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use std::time::Duration;

/// How long an administrator waits for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A role that logs in by a password.
#[derive(Debug, Clone)]
pub struct Login {
    /// The role's name.
    pub name: String,
    /// Its password.
    pub password: SecretString,
}

/// The database that a read model is to have, and who is to own it.
#[derive(Debug, Clone)]
pub struct Wanted {
    database: String,
    owner: Login,
}

/// Whoever may make roles and databases, connected.
#[derive(Debug)]
pub struct Administrator(PgConnection);

impl Administrator {
    /// Connects to the server that `url` names, once and within `patience`.
    ///
    /// # Errors
    /// [`Error::Connect`], of which [`Error::is_answer`] tells whether trying again may help.
    pub async fn connect(url: &SecretString, patience: Duration) -> Result<Self, Error> {
        let options = url.expose_secret().parse().map_err(Error::Connect)?;
        reach(&options, patience).await.map(Self).map_err(Error::Connect)
    }

    /// Makes the owner and the database, and keeps out everybody else; with `reader`, makes the role that may read too. Safe to
    /// repeat: passwords become what is wanted.
    ///
    /// # Errors
    /// [`Error::Query`] if the administrator may not do so.
    pub async fn make(&mut self, wanted: &Wanted, reader: Option<&Login>) -> Result<(), Error> {
        wanted.make_by(&mut self.0, reader).await
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// [`Error::Connect`] if Postgres is not there any more.
    pub async fn close(self) -> Result<(), Error> {
        self.0.close().await.map_err(Error::Connect)
    }
}

impl Wanted {
    /// What `url` names: `postgres://owner:password@host:port/database`.
    ///
    /// # Errors
    /// [`Error::Incomplete`] if it lacks the role, the password or the database; [`Error::Connect`] if it is no URL.
    pub fn by(url: &SecretString) -> Result<Self, Error> {
        let options: PgConnectOptions = url.expose_secret().parse().map_err(Error::Connect)?;
        let (_, rest) = url.expose_secret().split_once("://").ok_or(Error::Incomplete)?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let (login, _) = authority.rsplit_once('@').ok_or(Error::Incomplete)?;
        let (name, password) = login.split_once(':').ok_or(Error::Incomplete)?;
        let (name, password) = (decoded(name)?, decoded(password)?);
        let database = options.get_database().ok_or(Error::Incomplete)?.to_owned();
        if name.is_empty() || password.is_empty() || database.is_empty() {
            return Err(Error::Incomplete);
        }
        Ok(Self { database, owner: Login { name, password: password.into() } })
    }

    /// The database `database`, owned by `owner`.
    #[must_use]
    pub const fn new(database: String, owner: Login) -> Self {
        Self { database, owner }
    }

    /// Makes the owner and the database, and keeps out everybody else, as the administrator of the server that `url` names;
    /// with `reader`, makes the role that may read too. Safe to repeat: passwords become what is wanted.
    ///
    /// # Errors
    /// [`Error::Denied`] if the administrator's password is wrong, [`Error::Silent`] if Postgres cannot be reached,
    /// [`Error::Query`] if the administrator may not do so.
    pub async fn make(&self, url: &SecretString, reader: Option<&Login>) -> Result<(), Error> {
        let options: PgConnectOptions = url.expose_secret().parse().map_err(Error::Connect)?;
        let reached = reach(&options, CONNECT_TIMEOUT).await;
        let mut administrator = Administrator(reached.map_err(|source| Error::unreached(&options, source))?);
        administrator.make(self, reader).await?;
        administrator.close().await
    }

    async fn make_by(&self, connection: &mut PgConnection, reader: Option<&Login>) -> Result<(), Error> {
        let Self { database, owner } = self;
        make(connection, owner).await?;
        // Whoever is no superuser may give a database to none but a role that it is a member of.
        let joining = "SELECT CASE WHEN rolsuper THEN '' ELSE format('GRANT %I TO %I', $1, rolname) END \
                       FROM pg_roles WHERE rolname = current_user";
        run(connection, joining, &[&owner.name]).await?;
        // Texts are in any language, and ordered by their bytes, whatever the server was made with.
        let making = "SELECT CASE WHEN EXISTS (SELECT FROM pg_database WHERE datname = $1) THEN '' \
                      ELSE format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8'' \
                                   LC_COLLATE ''C'' LC_CTYPE ''C''', $1, $2) END";
        run(connection, making, &[database, &owner.name]).await?;
        // By default every role may connect and make temporary tables.
        run(connection, "SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', $1)", &[database]).await?;
        match reader {
            Some(reader) => make_reader(connection, database, reader).await,
            None => Ok(()),
        }
    }
}

async fn reach(options: &PgConnectOptions, patience: Duration) -> Result<PgConnection, sqlx::Error> {
    // How long the disk takes for a new database warns of nothing.
    let options = options.clone().disable_statement_logging();
    let reached = tokio::time::timeout(patience, PgConnection::connect_with(&options)).await;
    reached.map_err(|_elapsed| sqlx::Error::PoolTimedOut).flatten()
}

/// Makes the role that may log in and read only what it is granted, or gives it that password.
pub(crate) async fn make_reader(connection: &mut PgConnection, database: &str, reader: &Login) -> Result<(), Error> {
    make(connection, reader).await?;
    let text = "SELECT format('ALTER ROLE %I SET default_transaction_read_only = on; \
                GRANT CONNECT ON DATABASE %I TO %I', $1, $2, $1)";
    run(connection, text, &[&reader.name, database]).await
}

async fn make(connection: &mut PgConnection, login: &Login) -> Result<(), Error> {
    let text = "SELECT format('%s ROLE %I LOGIN PASSWORD %L', \
                CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = $1) THEN 'ALTER' ELSE 'CREATE' END, $1, $2)";
    run(connection, text, &[&login.name, login.password.expose_secret()]).await
}

/// Does what Postgres makes of `text` and its arguments: it knows best how names and passwords are quoted.
async fn run(connection: &mut PgConnection, text: &'static str, arguments: &[&str]) -> Result<(), Error> {
    let doing = Error::during("make the roles and the database of the read model");
    let query = arguments.iter().fold(sqlx::query_scalar::<_, String>(text), |query, argument| query.bind(*argument));
    let statement = query.fetch_one(&mut *connection).await.map_err(&doing)?;
    if statement.is_empty() {
        return Ok(());
    }
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop).map_err(&doing)
}

fn decoded(text: &str) -> Result<String, Error> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_not_text| Error::Incomplete)?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(url: &str) -> Result<Wanted, Error> {
        Wanted::by(&url.to_owned().into())
    }

    #[test]
    fn a_url_names_the_database_and_its_owner() {
        let Wanted { database, owner } = wanted("postgres://pagefold:p%40ss%3A1@db.internal:5433/sites?x=y").unwrap();
        assert_eq!((&*database, &*owner.name, owner.password.expose_secret()), ("sites", "pagefold", "p@ss:1"));
    }

    #[test]
    fn a_url_that_leaves_one_of_them_out_is_refused() {
        for url in ["postgres://db.internal/sites", "postgres://pagefold@db/sites", "postgres://pagefold:secret@db"] {
            assert!(matches!(wanted(url), Err(Error::Incomplete)), "{url}");
        }
        assert!(!format!("{:?}", wanted("postgres://pagefold:hidden@db/sites").unwrap()).contains("hidden"));
    }
}
