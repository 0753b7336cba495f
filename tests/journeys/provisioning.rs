//! Servers as they come, and what `pagefold provision` and `pagefold permissions` make of them: nothing else is needed.

use async_nats::{ConnectOptions, Event};
use events::Digest;
use journeys::{Fleet, Part, Service, eventually};
use projections::{Error, Store};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::process::Command;
use storage::{Body, Error as StoreError};
use tokio::sync::mpsc;

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

/// Asks a server of the log as a service that was taken over would; answers what it says, or nothing if it refuses.
async fn ask_log(fleet: &Fleet, service: Service, subject: &str, body: &Value) -> Option<Value> {
    let config = fleet.access(service);
    let inbox = runtime::connection::inbox_prefix(&config.user);
    let (refuse, mut refused) = mpsc::unbounded_channel();
    let options = ConnectOptions::with_user_and_password(config.user, config.password.expose_secret().into())
        .add_root_certificates(config.certificate.unwrap())
        .custom_inbox_prefix(inbox)
        .event_callback(move |event| {
            if let Event::ServerError(error) = event {
                let _ = refuse.send(error.to_string());
            }
            std::future::ready(())
        });
    let client = options.connect(config.url).await.unwrap();
    let asked = client.request(subject.to_owned(), body.to_string().into());
    tokio::select! {
        answer = asked => Some(serde_json::from_slice(&answer.unwrap().payload).unwrap()),
        error = refused.recv() => {
            let error = error.unwrap();
            assert!(error.to_ascii_lowercase().contains("permissions violation for publish"), "{error}");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_service_makes_or_changes_a_consumer_under_the_name_of_another() {
    let mut fleet = fresh().await;
    fleet.provision().await;
    for service in [Service::Launcher, Service::Syncer] {
        fleet.start(Part::Service(service)).await;
    }
    let made = async |owner: Service| {
        let subject = format!("$JS.API.CONSUMER.INFO.EVENTS.{}", owner.name());
        let info = ask_log(&fleet, owner, &subject, &json!({})).await.unwrap();
        Some(info["config"].clone()).filter(Value::is_object)
    };
    let heard = |owner| eventually("the consumer to be made", move || made(owner));
    let owners = [Service::Launcher, Service::Syncer];
    let before = [heard(owners[0]).await, heard(owners[1]).await];
    for service in Service::ALL {
        for owner in owners.into_iter().filter(|owner| *owner != service) {
            let config =
                json!({ "durable_name": owner.name(), "ack_policy": "explicit", "filter_subject": "events.none.*" });
            let request = json!({ "stream_name": "EVENTS", "config": config });
            for subject in [
                "$JS.API.CONSUMER.CREATE.EVENTS".to_owned(),
                format!("$JS.API.CONSUMER.CREATE.EVENTS.{}", owner.name()),
                format!("$JS.API.CONSUMER.CREATE.EVENTS.{}.events.none.*", owner.name()),
                format!("$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.{}", owner.name()),
            ] {
                let answer = ask_log(&fleet, service, &subject, &request).await;
                assert_eq!(answer, None, "{} {subject}", service.name());
            }
        }
    }
    assert_eq!([heard(owners[0]).await, heard(owners[1]).await], before);
    // Who follows the log does so under a name of its own.
    let name = json!({ "name": "edge-1", "ack_policy": "none", "filter_subject": "events.>" });
    let request = json!({ "stream_name": "EVENTS", "config": name });
    let own = ask_log(&fleet, Service::Edge, "$JS.API.CONSUMER.CREATE.EVENTS.edge-1.events.>", &request).await.unwrap();
    assert_eq!(own["name"], "edge-1", "{own}");
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
    denied(platform(Service::Web).put_log("artifacts/story", "other".into()).await);
    platform(Service::Web).put_log("uploads/story", "sent".into()).await.unwrap();
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
