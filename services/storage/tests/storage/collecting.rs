//! Whoever collects and whoever stores see each other, and none of them waits for the dead.

use super::line::{Line, Mode};
use super::{Config, Error, QUICK, Server, head, manifest, tree};
use std::time::Duration;
use storage::Storage;
use tokio::task::JoinHandle;

/// Steps of a collector until its mark is there: it looks for syncs, looks for a mark, and takes it.
async fn until_it_collects(server: &Server, line: &Line) {
    let site = server.site().await;
    while tree(&site, "collecting").await.is_empty() {
        line.step();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn collector(server: &Server, line: &Line) -> JoinHandle<Result<storage::Unneeded, Error>> {
    line.set(Mode::Stepwise);
    let storage = Storage::connect(&Config { endpoint: line.endpoint(), ..server.config.clone() }).with_rhythm(QUICK);
    let site = storage.site(head(0).site);
    tokio::spawn(async move { site.collect(&[head(1).deploy]).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_stored_while_somebody_collects() {
    let server = Server::start().await;
    let (site, line) = (server.site().await, Line::to(server.address).await);
    site.put_manifest(manifest(&site, 1, &[("a.html", b"1")]).await, &[]).await.unwrap();
    let collecting = collector(&server, &line);
    until_it_collects(&server, &line).await;
    let refused = site.enter(&head(2).deploy).await.unwrap_err();
    assert!(matches!(refused, Error::Busy { .. }), "{refused}");
    line.set(Mode::Open);
    assert_eq!(collecting.await.unwrap().unwrap().deploys, 1);
    site.enter(&head(2).deploy).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_died_keeps_nobody_from_storing_for_long() {
    let server = Server::start().await;
    let (site, line) = (server.site().await, Line::to(server.address).await);
    let collecting = collector(&server, &line);
    until_it_collects(&server, &line).await;
    collecting.abort();
    line.set(Mode::Refusing);
    site.enter(&head(2).deploy).await.unwrap_err();
    assert_eq!(tree(&site, "syncs/").await, [""; 0], "whoever is turned away leaves nothing");
    while let Err(error) = site.enter(&head(2).deploy).await {
        assert!(matches!(error, Error::Busy { .. }), "{error}");
        tokio::time::sleep(QUICK.renew_every).await;
    }
    let refused = site.collect(&[]).await.unwrap_err();
    assert!(matches!(refused, Error::Busy { .. }), "the next one sees who stores: {refused}");
}
