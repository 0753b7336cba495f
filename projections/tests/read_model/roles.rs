//! What the role of readers may do: read, before and after a swap, and nothing else.

use crate::apply::whole_story;
use crate::database::{Database, connect, facts};
use projections::{Error, Login, Rebuild, Store};
use secrecy::ExposeSecret;
use servers::postgres::Role;
use sqlx::PgConnection;

#[tokio::test]
async fn a_reader_reads_and_cannot_write() {
    let database = Database::new().await;
    let batch = facts(&whole_story());
    database.live().apply(&batch[..5]).await.unwrap();
    let reader = database.reader().await;
    assert_eq!(reader.live().position().await.unwrap(), 5);
    assert_eq!(reader.live().sites(&projections::Sight::All, "", 10, None).await.unwrap().len(), 1);
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

#[tokio::test]
async fn a_reader_is_made_or_given_its_password_and_a_wrong_one_is_told_from_silence() {
    let database = Database::new().await;
    let administrator = Store::connect(&database.url(Role::Administrator), 1).await.unwrap();
    for password in ["it's the first", "second"] {
        let newcomer = Login { name: "newcomer".to_owned(), password: password.into() };
        administrator.make_reader(&newcomer).await.unwrap();
    }
    database.store.prepare(Some("newcomer")).await.unwrap();
    let url = database.url(Role::Reader);
    let (_, place) = url.expose_secret().split_once('@').unwrap();
    let newcomer = Store::connect(&format!("postgres://newcomer:second@{place}").into(), 1).await.unwrap();
    assert_eq!(newcomer.live().position().await.unwrap(), 0);

    let denied = Store::connect(&format!("postgres://newcomer:third@{place}").into(), 1).await.unwrap_err();
    assert!(matches!(&denied, Error::Denied { role, .. } if role == "newcomer"), "{denied:?}");
    let nowhere = "postgres://newcomer:third@127.0.0.1:1/pagefold".to_owned().into();
    let silent = Store::connect(&nowhere, 1).await.unwrap_err();
    assert!(matches!(&silent, Error::Silent { address, .. } if address == "127.0.0.1:1"), "{silent:?}");
    assert!(Store::establish(&nowhere, 1).unwrap().check().await.is_err(), "a store may be there before its server");
}
