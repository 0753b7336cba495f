//! An edge by itself, as it runs on a machine of its own.

use journeys::{Child, Platform, Process, Signal};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;

#[tokio::test]
async fn an_edge_serves_without_log_and_database_and_starts_again_from_what_it_keeps() {
    let platform = Platform::start().await;
    let site = platform.site("edged", json!({})).await;
    site.publish(1, [("index.html", "kept"), ("cold.html", "cold")]).await;
    let address = free_address();
    let (child, live) = (edge(&platform, &address), site.live().at(&format!("http://{address}")));
    live.serves("/", "kept").await;

    for server in [Process::Nats, Process::Postgres] {
        platform.signal(server, Signal::STOP);
    }
    let _ = live.get("/").await.expect(200);
    assert_eq!(live.get("/cold").await.expect(200).text(), "cold");
    assert!(child.end(Signal::TERM).success(), "{}", child.told());
    let child = edge(&platform, &address);
    live.serves("/", "kept").await;
    child.end(Signal::KILL);
    let child = edge(&platform, &address);
    live.serves("/", "kept").await;
    for server in [Process::Nats, Process::Postgres] {
        platform.signal(server, Signal::CONT);
    }

    site.publish(2, [("index.html", "fresh")]).await;
    live.serves("/", "fresh").await;
    assert!(child.end(Signal::TERM).success(), "{}", child.told());
}

/// Starts `pagefold edge` with the addresses and the secrets that an operator would give it.
fn edge(platform: &Platform, address: &str) -> Child {
    let (ready, data) = (platform.ready(), platform.data());
    let secret = |file: &str, pointer: &str| {
        let secrets: Value = serde_json::from_slice(&std::fs::read(data.join(file)).unwrap()).unwrap();
        secrets.pointer(pointer).and_then(Value::as_str).unwrap().to_owned()
    };
    let variables = [
        ("PAGEFOLD_NATS_URL", ready.nats.clone()),
        ("PAGEFOLD_NATS_PASSWORD", secret("nats/passwords.json", "/edge")),
        ("PAGEFOLD_NATS_CERTIFICATE", path(&data.join("nats/certificate.pem"))),
        ("PAGEFOLD_S3_ENDPOINT", ready.s3.clone()),
        ("PAGEFOLD_S3_ACCESS_KEY", "edge".to_owned()),
        ("PAGEFOLD_S3_SECRET_KEY", secret("secrets.json", "/s3/edge")),
        ("PAGEFOLD_EDGE_LISTEN", address.to_owned()),
        ("PAGEFOLD_EDGE_DATA", path(&platform.folder().join("edge"))),
        ("PAGEFOLD_SITES_DOMAIN", ready.sites_domain.clone()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    Child::start(&["edge".to_owned()], &variables, &platform.folder().join("edge.output"))
}

fn path(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// An address that nobody listens on.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
