//! Makes the read model's roles, its database and its tables.

use anyhow::Result;
use clap::Args;
use projections::{Login, Store, Wanted};
use secrecy::SecretString;

/// Connections to Postgres that this needs.
const CONNECTIONS: u32 = 1;

/// The read model's place in Postgres.
#[derive(Debug, Args)]
pub(super) struct ReadModel {
    /// The read model's database, as its owner; left alone if absent
    #[arg(long, env = "PAGEFOLD_POSTGRES_URL", hide_env_values = true)]
    postgres_url: Option<SecretString>,
    /// A database of the same server, as a role that may make roles and databases: makes the database and the owner that
    /// the other URL names
    #[arg(long, env = "PAGEFOLD_POSTGRES_ADMINISTRATOR_URL", hide_env_values = true, requires = "postgres_url")]
    postgres_administrator_url: Option<SecretString>,
    /// The role that may read it
    #[arg(long, env = "PAGEFOLD_POSTGRES_READER", default_value = "pagefold_web")]
    postgres_reader: String,
    /// Its password, if the role is to be made: by the administrator, else by the owner, who needs the right to make roles
    #[arg(long, env = "PAGEFOLD_POSTGRES_READER_PASSWORD", hide_env_values = true)]
    postgres_reader_password: Option<SecretString>,
}

impl ReadModel {
    /// Answers what it has made.
    pub(super) async fn provision(&self) -> Result<Vec<String>> {
        let Some(url) = &self.postgres_url else { return Ok(Vec::new()) };
        let (reader, mut made) = (self.reader(), Vec::new());
        if let Some(administrator) = &self.postgres_administrator_url {
            Wanted::by(url)?.make(administrator, reader.as_ref()).await?;
            made.push("Postgres has the roles and the database of the read model".to_owned());
        }
        let store = Store::connect(url, CONNECTIONS).await?;
        if let (Some(reader), None) = (&reader, &self.postgres_administrator_url) {
            store.make_reader(reader).await?;
        }
        store.prepare(Some(&self.postgres_reader)).await?;
        made.push("Postgres has the read model, and its reader may read it".to_owned());
        Ok(made)
    }

    /// Who is to read, if that role is to be made.
    fn reader(&self) -> Option<Login> {
        let password = self.postgres_reader_password.clone()?;
        Some(Login { name: self.postgres_reader.clone(), password })
    }
}
