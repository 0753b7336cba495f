//! Listings of version 1 and 2 give every key once, in order, folded and encoded as asked.

use aws_sdk_s3::types::EncodingType;
use futures::StreamExt as _;
use futures::stream;

use crate::server::{BUCKET, Server, code};

async fn fill(server: &Server, keys: &[String]) {
    stream::iter(keys).for_each_concurrent(16, |key| async move { drop(server.put(key, key.as_bytes()).await) }).await;
}

fn tree() -> Vec<String> {
    let pages = (0..6).flat_map(|folder| (0..5).map(move |page| format!("docs/{folder}/{page}.html")));
    let top = (0..5).map(|page| format!("page-{page}.html"));
    pages.chain(top).collect()
}

#[tokio::test]
async fn version_2_pages_through_every_key_in_order() {
    let server = Server::start().await;
    let mut keys = tree();
    fill(&server, &keys).await;
    keys.sort();
    let pages =
        server.client.list_objects_v2().bucket(BUCKET).max_keys(7).into_paginator().send().collect::<Vec<_>>().await;
    let pages: Vec<_> = pages.into_iter().map(Result::unwrap).collect();
    assert_eq!(pages.len(), 5);
    let listed: Vec<_> = pages.iter().flat_map(|page| page.contents()).collect();
    assert_eq!(listed.iter().map(|object| object.key().unwrap()).collect::<Vec<_>>(), keys);
    let head = server.client.head_object().bucket(BUCKET).key(&keys[0]).send().await.unwrap();
    assert_eq!((listed[0].e_tag(), listed[0].size()), (head.e_tag(), head.content_length()));
}

#[tokio::test]
async fn version_2_folds_and_pages_common_prefixes() {
    let server = Server::start().await;
    fill(&server, &tree()).await;
    let list = || server.client.list_objects_v2().bucket(BUCKET).delimiter("/");
    let mut token = None;
    let mut prefixes = Vec::new();
    loop {
        let page = list().prefix("docs/").max_keys(4).set_continuation_token(token).send().await.unwrap();
        assert!(page.contents().is_empty());
        prefixes.extend(page.common_prefixes().iter().map(|prefix| prefix.prefix().unwrap().to_owned()));
        token = page.next_continuation_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(prefixes, (0..6).map(|folder| format!("docs/{folder}/")).collect::<Vec<_>>());
    let top = list().send().await.unwrap();
    assert_eq!((top.common_prefixes().len(), top.contents().len(), top.key_count()), (1, 5, Some(6)));
    let after = list().start_after("page-2.html").send().await.unwrap();
    assert_eq!(after.contents()[0].key(), Some("page-3.html"));
    assert!(after.common_prefixes().is_empty());
    assert_eq!(code(list().continuation_token("no token").send().await), "InvalidArgument");
}

#[tokio::test]
async fn version_1_pages_by_marker() {
    let server = Server::start().await;
    fill(&server, &tree()).await;
    let list =
        |marker: &str| server.client.list_objects().bucket(BUCKET).delimiter("/").max_keys(1).marker(marker).send();
    let first = list("").await.unwrap();
    assert_eq!(first.common_prefixes()[0].prefix(), Some("docs/"));
    assert_eq!((first.is_truncated(), first.next_marker()), (Some(true), Some("docs/")));
    let second = list("docs/").await.unwrap();
    assert_eq!(second.contents()[0].key(), Some("page-0.html"));
    let last = list("page-3.html").await.unwrap();
    assert_eq!((last.contents()[0].key(), last.is_truncated()), (Some("page-4.html"), Some(false)));
}

#[tokio::test]
async fn names_are_encoded_when_asked() {
    let server = Server::start().await;
    // XML cannot carry a control character at all, so this key can only be listed encoded.
    let keys = ["a b+c/\u{1}x", "é/%"].map(str::to_owned);
    fill(&server, &keys).await;
    let list = || server.client.list_objects_v2().bucket(BUCKET).encoding_type(EncodingType::Url);
    let all = list().send().await.unwrap();
    let listed: Vec<_> = all.contents().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(listed, ["a%20b%2Bc/%01x", "%C3%A9/%25"]);
    let folded = list().delimiter("/").prefix("a ").send().await.unwrap();
    assert_eq!((folded.prefix(), folded.common_prefixes()[0].prefix()), (Some("a%20"), Some("a%20b%2Bc/")));
}
