//! What the role of readers may do: read, before and after a swap, and nothing else.

use crate::apply::whole_story;
use crate::database::{Database, connect, facts};
use projections::server::Role;
use projections::{Error, Rebuild};
use sqlx::PgConnection;

#[tokio::test]
async fn a_reader_reads_and_cannot_write() {
    let database = Database::new().await;
    let batch = facts(&whole_story());
    database.live().apply(&batch[..5]).await.unwrap();
    let reader = database.reader().await;
    assert_eq!(reader.live().position().await.unwrap(), 5);
    assert_eq!(reader.live().sites(10, None).await.unwrap().len(), 1);
    assert!(matches!(reader.live().apply(&batch).await, Err(Error::Query { .. })));
    assert!(matches!(Rebuild::begin(&reader).await, Err(Error::Query { .. })));

    let mut connection = undefaulted(&database).await;
    for forbidden in [
        "DELETE FROM pagefold.sites",
        "UPDATE pagefold.position SET sequence = 0",
        "DROP TABLE pagefold.sites",
        "CREATE TABLE pagefold.mine ()",
        "CREATE SCHEMA mine",
        "CREATE TABLE public.mine ()",
        "CREATE TEMPORARY TABLE mine ()",
    ] {
        let refused = sqlx::raw_sql(forbidden).execute(&mut connection).await.unwrap_err();
        let code = refused.as_database_error().and_then(sqlx::error::DatabaseError::code).map(|code| code.into_owned());
        assert_eq!(code.as_deref(), Some("42501"), "{forbidden}: {refused}");
    }
    assert_eq!(database.live().position().await.unwrap(), 5);
}

#[tokio::test]
async fn a_reader_still_reads_and_still_cannot_write_after_a_swap() {
    let database = Database::new().await;
    let batch = facts(&whole_story());
    let mut rebuild = Rebuild::begin(&database.store).await.unwrap();
    rebuild.apply(&batch).await.unwrap();
    rebuild.swap().await.unwrap();
    let reader = database.reader().await;
    assert_eq!(reader.live().builds(crate::fixture::site_id("docs"), 9, None).await.unwrap().len(), 2);
    let mut connection = undefaulted(&database).await;
    assert!(sqlx::raw_sql("DELETE FROM pagefold.sites").execute(&mut connection).await.is_err());
}

/// The role's default is read-only; a reader can undo that default, but not what it was never granted.
async fn undefaulted(database: &Database) -> PgConnection {
    let mut connection = connect(&database.url(Role::Reader)).await;
    assert!(sqlx::raw_sql("DELETE FROM pagefold.sites").execute(&mut connection).await.is_err());
    sqlx::raw_sql("SET default_transaction_read_only = off").execute(&mut connection).await.unwrap();
    connection
}
