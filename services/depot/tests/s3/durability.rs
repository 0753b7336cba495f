//! What was answered is kept; what was not published leaves no trace; one process owns a directory.

use std::fs;

use depot::{Depot, Error};

use crate::server::{BUCKET, Server, bytes, config};

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let server = Server::start().await;
    let etag = server.put("small", "x").await;
    server.put("large", bytes(1, 200_000)).await;
    server.put("replaced", bytes(2, 200_000)).await;
    server.put("replaced", bytes(3, 200_000)).await;
    server.put("deleted", bytes(4, 200_000)).await;
    server.client.delete_object().bucket(BUCKET).key("deleted").send().await.unwrap();
    let server = server.restart().await;
    assert_eq!(server.get("small").await, b"x");
    assert_eq!(server.get("large").await, bytes(1, 200_000));
    assert_eq!(server.get("replaced").await, bytes(3, 200_000));
    let head = server.client.head_object().bucket(BUCKET).key("small").send().await.unwrap();
    assert_eq!(head.e_tag, Some(etag));
    assert_eq!(server.body_files(), 2);
}

#[tokio::test]
async fn bodies_that_were_never_published_are_removed_at_start() {
    let server = Server::start().await;
    server.put("kept", bytes(1, 200_000)).await;
    let directory = server.stop().await;
    let orphan = "0190a0a0a0a07000800000000000002a";
    let unfinished = directory.path().join("incoming").join(orphan);
    let unnamed = directory.path().join("bodies/2a").join(orphan);
    fs::write(&unfinished, "half").unwrap();
    fs::write(&unnamed, "whole").unwrap();
    let foreign = directory.path().join("incoming/README");
    fs::write(&foreign, "not a body").unwrap();
    let server = Server::open(directory).await;
    assert!(!unfinished.exists() && !unnamed.exists() && foreign.exists());
    assert_eq!(server.get("kept").await, bytes(1, 200_000));
}

#[tokio::test]
async fn a_second_owner_of_the_directory_is_refused_and_harms_nothing() {
    let server = Server::start().await;
    server.put("k", bytes(1, 200_000)).await;
    let second = Depot::bind(config(server.directory.path())).await;
    assert!(matches!(second.err(), Some(Error::InUse { .. })));
    assert_eq!(server.get("k").await, bytes(1, 200_000));
}

#[tokio::test]
async fn a_key_id_given_twice_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.keys.push(config.keys[0].clone());
    assert!(matches!(Depot::bind(config).await.err(), Some(Error::DuplicateKey { .. })));
}
