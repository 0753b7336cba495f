//! The versions of the tables, as plain SQL without schema names: applied to whichever schema shall have them.
//!
//! A model is never changed in place. A new version is added below, and a rebuild from the log makes a schema of that
//! version beside the live one. The steps down are never taken but by a test: they prove that the steps up are understood.

use crate::Error;
use crate::model::sql;
use sqlx::postgres::PgConnection;

/// When a step is taken while a schema is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Before the first fact.
    Tables,
    /// When the tables are full: one sort is much cheaper than many insertions.
    Indexes,
}

struct Step {
    phase: Phase,
    up: &'static str,
}

macro_rules! step {
    ($phase:ident, $name:literal) => {
        Step { phase: Phase::$phase, up: include_str!(concat!("../migrations/", $name, ".up.sql")) }
    };
}

const STEPS: [Step; 33] = [
    step!(Tables, "0001_tables"),
    step!(Indexes, "0002_indexes"),
    step!(Tables, "0003_organizations"),
    step!(Indexes, "0004_organizations_by_name"),
    step!(Tables, "0005_locks"),
    step!(Tables, "0006_people"),
    step!(Indexes, "0007_people_by_user"),
    step!(Tables, "0011_receivers"),
    step!(Indexes, "0012_receivers_by_site"),
    step!(Tables, "0021_identities"),
    step!(Indexes, "0022_identities_by_user"),
    step!(Indexes, "0023_tokens_by_creator"),
    step!(Indexes, "0031_open_builds"),
    step!(Tables, "0041_webhook_pings"),
    step!(Tables, "0042_erased_sites"),
    step!(Tables, "0051_variables"),
    step!(Tables, "0052_hints"),
    step!(Tables, "0060_credentials"),
    step!(Tables, "0061_suspensions"),
    step!(Tables, "0062_authors"),
    step!(Tables, "0063_webhook_secrets"),
    step!(Tables, "0064_building"),
    step!(Tables, "0065_steps"),
    step!(Tables, "0070_serving"),
    step!(Tables, "0071_routes"),
    step!(Indexes, "0072_routes_by_host"),
    step!(Tables, "0075_collected"),
    step!(Tables, "0076_pull_requests"),
    step!(Tables, "0080_share_links"),
    step!(Tables, "0085_domains"),
    step!(Indexes, "0086_domains_by_site"),
    step!(Tables, "0090_cleared_caches"),
    step!(Tables, "0095_domain_certificates"),
];

/// The version of the tables this program writes.
#[expect(clippy::cast_possible_truncation, reason = "a handful of steps")]
pub(crate) const VERSION: u32 = STEPS.len() as u32;

/// Makes the empty schema and writes its version down.
pub(crate) async fn create(connection: &mut PgConnection, schema: &str) -> Result<(), Error> {
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    run(connection, create).await?;
    let text =
        format!("CREATE TABLE @.version (number integer NOT NULL); INSERT INTO @.version (number) VALUES ({VERSION})");
    run(connection, sql(schema, &text)).await
}

/// Takes the steps of one phase up, inside a transaction of the caller.
pub(crate) async fn up(connection: &mut PgConnection, schema: &str, phase: Phase) -> Result<(), Error> {
    run(connection, sqlx::AssertSqlSafe(format!("SET LOCAL search_path TO {schema}"))).await?;
    for step in STEPS.iter().filter(|step| step.phase == phase) {
        run(connection, sqlx::AssertSqlSafe(step.up.to_owned())).await?;
    }
    run(connection, sqlx::AssertSqlSafe("SET LOCAL search_path TO DEFAULT".to_owned())).await
}

/// The steps of the indexes, each as its statements, which can be run in any order and at the same time.
pub(crate) fn indexes() -> impl Iterator<Item = Vec<&'static str>> {
    let steps = STEPS.iter().filter(|step| step.phase == Phase::Indexes);
    steps.map(|step| step.up.split(';').filter(|statement| !statement.trim().is_empty()).collect())
}

/// The version of a schema; none if there is no such schema.
pub(crate) async fn version(connection: &mut PgConnection, schema: &str) -> Result<Option<u32>, Error> {
    let doing = Error::during("read the version of the read model");
    let there = sqlx::query_scalar::<_, bool>("SELECT to_regclass($1) IS NOT NULL");
    if !there.bind(format!("{schema}.version")).fetch_one(&mut *connection).await.map_err(&doing)? {
        return Ok(None);
    }
    let number = sqlx::query_scalar::<_, i32>(sql(schema, "SELECT number FROM @.version"));
    Ok(Some(number.fetch_one(connection).await.map_err(&doing)?.unsigned_abs()))
}

async fn run(connection: &mut PgConnection, sql: sqlx::AssertSqlSafe<String>) -> Result<(), Error> {
    sqlx::raw_sql(sql).execute(connection).await.map(drop).map_err(Error::during("make the tables"))
}
