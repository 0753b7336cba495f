//! Servers as they come, and what `pagefold provision` and `pagefold permissions` make of them: nothing else is needed.

use events::Digest;
use journeys::{Fleet, Part, Service, eventually};
use projections::{Error, Store};
use reqwest::Method;
use serde_json::{Value, json};
use std::process::Command;
use storage::{Body, Error as StoreError};

/// A fleet of servers alone, in which nothing has been made.
async fn fresh() -> Fleet {
    let mut fleet = Fleet::prepare_with(1).await;
    for server in [Part::Nats(0), Part::Postgres, Part::Store] {
        fleet.start(server).await;
    }
    fleet
}

/// What PostgreSQL answers, or why not.
fn ask(url: &str, statement: &str) -> Result<String, String> {
    let psql = Command::new("psql").args([url, "-XAtqc", statement]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if psql.status.success() { Ok(text(&psql.stdout)) } else { Err(text(&psql.stderr)) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_postgresql_with_one_superuser_suffices() {
    let mut fleet = fresh().await;
    let nobody = Store::connect(&fleet.ready().postgres.clone().into(), 1).await.unwrap_err();
    assert!(matches!(nobody, Error::Denied { .. }), "{nobody:?}");
    let wrong = fleet.administrator().replace("//postgres:", "//postgres:not-");
    let refused = fleet.provision_by(&wrong);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("refuses the password of role `postgres`"), "{said}");
    fleet.provision().await;
    fleet.provision().await;

    let administrator = |statement: &str| ask(&fleet.administrator(), statement).unwrap();
    let may = "rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls";
    let roles = format!("SELECT rolname, {may} FROM pg_roles WHERE rolname LIKE 'pagefold%' ORDER BY rolname");
    assert_eq!(administrator(&roles), "pagefold|t|f|f|f|f|f\npagefold_web|t|f|f|f|f|f");
    let database = "SELECT rolname, pg_encoding_to_char(encoding), datcollate FROM pg_database \
                    JOIN pg_roles ON pg_roles.oid = datdba WHERE datname = 'pagefold'";
    assert_eq!(administrator(database), "pagefold|UTF8|C");
    let open = "SELECT has_database_privilege('public', 'pagefold', 'CONNECT'), \
                has_database_privilege('pagefold_web', 'pagefold', 'CREATE')";
    assert_eq!(administrator(open), "f|f");
    let writing = "BEGIN READ WRITE; DELETE FROM pagefold.sites";
    assert!(ask(&fleet.reader(), writing).unwrap_err().contains("permission denied"));

    for service in Service::ALL {
        fleet.start(Part::Service(service)).await;
    }
    fleet.all_fit().await;
    let repository = fleet.repository("fresh");
    let body = json!({ "name": "fresh", "repository": repository.url() });
    let _ = fleet.api().send(Method::POST, "/sites", &body).await.expect(201);
    // A text that only an encoding of all characters holds.
    fleet.deliver(&repository.push("größe-大きさ", [("index.html", "a preview")])).await;
    fleet.deliver(&repository.push("main", [("index.html", "from nothing")])).await;
    fleet.host("fresh").serves("/", "from nothing").await;
    let projected = async || {
        let builds: Value = fleet.api().try_get("/sites/fresh/builds").await.ok()?.json();
        let branches: Vec<&str> =
            builds["items"].as_array()?.iter().filter_map(|build| build["branch"].as_str()).collect();
        (branches.contains(&"größe-大きさ") && branches.contains(&"main")).then_some(())
    };
    eventually("the read model to have both builds", projected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_make_roles_and_databases_suffices_too() {
    let fleet = fresh().await;
    ask(&fleet.administrator(), "CREATE ROLE clerk LOGIN CREATEROLE CREATEDB PASSWORD 'clerk'").unwrap();
    let administrator = fleet.administrator();
    let clerk = format!("postgres://clerk:clerk@{}", administrator.split_once('@').unwrap().1);
    for _ in 0..2 {
        let made = fleet.provision_by(&clerk);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    assert_eq!(ask(&fleet.reader(), "SELECT count(*) FROM pagefold.sites").unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_of_the_store_opens_what_its_policy_says() {
    let fleet = fresh().await;
    fleet.provision().await;
    let denied = |result: Result<(), StoreError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::Request { status: Some(403), .. }), "{error:?}");
    };
    let platform = |service: Service| fleet.storage_of(service).platform();
    platform(Service::Launcher).put_log("logs/story", "told".into()).await.unwrap();
    assert_eq!(platform(Service::Web).get_log("logs/story", 0).await.unwrap().unwrap(), "told");
    denied(platform(Service::Launcher).get_log("logs/story", 0).await.map(drop));
    denied(platform(Service::Web).put_log("logs/story", "other".into()).await);
    denied(platform(Service::Edge).get_log("logs/story", 0).await.map(drop));
    let site = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    fleet.storage_of(Service::Syncer).site(site).ensure().await.unwrap();
    fleet.storage_of(Service::Edge).site(site).objects("").await.unwrap();
    fleet.storage_of(Service::Web).site(site).objects("").await.unwrap();
    denied(fleet.storage_of(Service::Launcher).site(site).objects("").await.map(drop));
    for service in [Service::Web, Service::Edge] {
        let pack = Body::Bytes("x".into());
        denied(fleet.storage_of(service).site(site).put_pack(Digest::of(b"x"), pack).await);
    }
    fleet.storage_of(Service::Syncer).site(site).erase().await.unwrap();
}
