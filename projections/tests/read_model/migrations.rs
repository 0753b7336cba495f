//! The steps of the tables, taken up and down.

use crate::database::{Database, connect};
use servers::postgres::Role;
use sqlx::{AssertSqlSafe, PgConnection};
use std::path::Path;

fn steps(direction: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_str().unwrap().ends_with(&format!(".{direction}.sql")));
    paths.sort();
    paths.into_iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

async fn relations(connection: &mut PgConnection, schema: &str) -> Vec<String> {
    let sql = "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'i')
               AND relname <> 'version' ORDER BY 1";
    sqlx::query_scalar(sql).bind(schema).fetch_all(connection).await.unwrap()
}

#[tokio::test]
async fn every_step_is_part_of_the_live_model_and_can_be_taken_back() {
    let database = Database::new().await;
    let mut connection = connect(&database.url(Role::Owner)).await;
    sqlx::raw_sql("CREATE SCHEMA scratch; SET search_path TO scratch").execute(&mut connection).await.unwrap();
    let (up, down) = (steps("up"), steps("down"));
    assert_eq!(up.len(), down.len());
    for step in &up {
        sqlx::raw_sql(AssertSqlSafe(step.clone())).execute(&mut connection).await.unwrap();
    }
    assert_eq!(relations(&mut connection, "scratch").await, relations(&mut connection, "pagefold").await);
    for step in down.iter().rev() {
        sqlx::raw_sql(AssertSqlSafe(step.clone())).execute(&mut connection).await.unwrap();
    }
    assert!(relations(&mut connection, "scratch").await.is_empty());
    let version: i32 =
        sqlx::query_scalar("SELECT number FROM pagefold.version").fetch_one(&mut connection).await.unwrap();
    assert_eq!(usize::try_from(version).unwrap(), up.len());
}
