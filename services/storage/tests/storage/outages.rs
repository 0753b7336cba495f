//! A store that refuses, falls silent or hangs up in the middle of a body.

use super::line::{Line, Mode};
use super::{Server, head, manifest};
use bytes::Bytes;
use events::Digest;
use std::time::Duration;
use storage::{Body, Config, Error, Patience, Storage, keys};
use tokio::time::{Instant, sleep};

const MIB: usize = 1024 * 1024;
/// Longer than the client's own tries last.
const OUTAGE: Duration = Duration::from_secs(6);

async fn behind_a_line() -> (Server, Line, Storage) {
    let server = Server::start().await;
    let line = Line::to(server.address).await;
    let storage = Storage::connect(&Config { endpoint: line.endpoint(), ..server.config.clone() });
    server.storage.platform().ensure().await.unwrap();
    (server, line, storage)
}

#[tokio::test]
async fn patience_outlasts_a_store_that_refuses() {
    let (server, line, storage) = behind_a_line().await;
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("from"), folder.path().join("into"));
    std::fs::write(&from, "what a build left").unwrap();
    let key = keys::artifact(head(1).build, 1);
    line.set(Mode::Refusing);
    let (platform, began) = (storage.platform(), Instant::now());
    let at_once = platform.put_artifact(&key, &from).await.unwrap_err();
    assert!(at_once.is_transient() && began.elapsed() < OUTAGE, "{at_once:?}");
    assert!(storage.works().await.unwrap_err().is_transient());

    let (mut failures, mut patience) = (0, Patience::default());
    let put = async {
        while let Err(error) = platform.put_artifact(&key, &from).await {
            assert!(error.is_transient(), "{error:?}");
            failures += 1;
            patience.rest().await;
        }
    };
    let back = async {
        sleep(OUTAGE).await;
        line.set(Mode::Open);
    };
    tokio::join!(put, back);
    assert!(failures > 0, "nothing failed");
    server.storage.platform().get_artifact(&key, &into).await.unwrap();
    assert_eq!(std::fs::read(&into).unwrap(), b"what a build left");
    storage.works().await.unwrap();

    // A service that starts before its store waits for it.
    line.set(Mode::Refusing);
    let back = async {
        sleep(Duration::from_secs(3)).await;
        line.set(Mode::Open);
    };
    let (probed, ()) = tokio::join!(storage.probe_when_there(), back);
    probed.unwrap();
}

#[tokio::test]
async fn bodies_that_are_cut_in_the_middle_are_never_taken_for_whole() {
    let (server, line, storage) = behind_a_line().await;
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("from"), folder.path().join("into"));
    let content: Vec<u8> = (0..3 * MIB).map(|n| (n / 1000) as u8).collect();
    std::fs::write(&from, &content).unwrap();
    let key = keys::artifact(head(1).build, 1);
    let platform = storage.platform();

    line.set(Mode::Cutting(MIB));
    assert!(platform.put_artifact(&key, &from).await.unwrap_err().is_transient());
    let read = server.storage.platform().get_artifact(&key, &into).await.unwrap_err();
    assert!(matches!(read, Error::Missing { .. }), "{read:?}");

    line.set(Mode::Open);
    platform.put_artifact(&key, &from).await.unwrap();
    line.set(Mode::Cutting(MIB));
    let cut = platform.get_artifact(&key, &into).await.unwrap_err();
    assert!(cut.is_transient() && !into.exists(), "{cut:?}");
    line.set(Mode::Open);
    platform.get_artifact(&key, &into).await.unwrap();
    assert!(std::fs::read(&into).unwrap() == content);
}

#[tokio::test]
async fn a_mirror_that_is_cut_in_the_middle_claims_nothing_and_is_repeated() {
    let (server, line, storage) = behind_a_line().await;
    let direct = server.site().await;
    let files: Vec<(String, Vec<u8>)> = (0..8).map(|n| (format!("{n}.bin"), vec![n; MIB])).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect();
    let whole = manifest(&direct, 1, &files).await;
    let whole = direct.put_manifest(whole, &[]).await.unwrap();
    let site = storage.with_rhythm(super::QUICK).site(events::SiteId(uuid::Uuid::nil()));
    for mode in [Mode::Cutting(3 * MIB / 2), Mode::Refusing] {
        line.set(mode);
        assert!(site.mirror("site", &whole).await.unwrap_err().is_transient());
        assert_eq!(super::tree(&direct, "trees/").await.len(), 1);
        assert!(super::seen_mark(&server).await.starts_with(b"writing"));
    }
    line.set(Mode::Open);
    let mut patience = Patience::default();
    while let Err(error) = site.mirror("site", &whole).await {
        assert!(matches!(error, Error::Busy { .. }), "{error:?}");
        patience.rest().await;
    }
    assert_eq!(super::tree(&direct, "site/").await.len(), 8);
    assert!(super::seen_mark(&server).await.starts_with(b"shows"));
}

#[tokio::test]
async fn a_store_that_accepts_and_never_answers_is_noticed() {
    let (_server, line, storage) = behind_a_line().await;
    line.set(Mode::Silent);
    let began = Instant::now();
    let platform = storage.platform();
    let small = platform.get_log("logs/none", 0);
    let site = storage.site(events::SiteId(uuid::Uuid::nil()));
    let pack = Bytes::from(vec![7; MIB]);
    let large = site.put_pack(Digest::of(&pack), Body::Bytes(pack));
    let (small, large) = tokio::join!(small, large);
    assert!(small.unwrap_err().is_transient() && large.unwrap_err().is_transient());
    // Three tries of twenty seconds each, and their rests.
    assert!(began.elapsed() < Duration::from_secs(90), "{:?}", began.elapsed());
}
