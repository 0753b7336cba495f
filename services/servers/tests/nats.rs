//! The private nats-server: closed to others, taken up again, gone when it was ended, and told of when it cannot come up.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use servers::nats::{Server, Settings, access, url};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn what_it_keeps_is_closed_and_serves_it_again() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("nats");
    Settings { folder: folder.clone(), ports: Vec::new() }.prepare().await.unwrap();
    let told = access(&folder, "web", url(1)).unwrap();
    let first = Server::start(&folder, 0).await.unwrap();
    assert_eq!(mode(&folder), 0o700);
    for name in ["nats.conf", "nats.log", "passwords.json", "certificate.pem", "key.pem"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    let (port, proof) = (first.port(), std::fs::read(folder.join("certificate.pem")).unwrap());
    first.stop().await;
    let second = Server::start(&folder, port).await.unwrap();
    assert_eq!(second.url(), url(port));
    assert_eq!(std::fs::read(folder.join("certificate.pem")).unwrap(), proof);
    let log = runtime::Connection::open(&runtime::connection::Config { url: second.url(), ..told }).await.unwrap();
    log.check().await.unwrap();
}

#[tokio::test]
async fn one_that_cannot_come_up_is_told_of_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("store"), "no folder").unwrap();
    let told = Server::start(folder.path(), 0).await.err().unwrap().to_string();
    assert!(told.starts_with("cannot start nats-server: it did not come up: "), "{told}");
    assert!(told.contains("storage directory"), "{told}");
}

#[tokio::test]
async fn who_is_no_user_has_no_access() {
    let folder = tempfile::tempdir().unwrap();
    let told = access(folder.path(), "nobody", url(1)).unwrap_err().to_string();
    assert_eq!(told, "cannot start nats-server: there is no user `nobody`");
}
