//! Keys, headers, ranges, copies and deletes.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, MetadataDirective, ObjectIdentifier};

use crate::server::{BUCKET, REGION, Server, bytes, code, status};

fn odd_keys() -> Vec<String> {
    let keys = [
        "a",
        "a/b",
        "a/b/c",
        "../x",
        "../../etc/passwd",
        "..",
        "/lead",
        "//two",
        "trail/",
        "./c",
        "c",
        "a/../b",
        "d//e",
        "grüße/日本語/🦀",
        "e\u{301}",
        "é",
        "sp ace + plus",
        "q?x=1&y=2",
        "100%",
        "%2e%2e",
        "quote\"'<>&",
        "back\\slash",
        "index.redb",
        "~",
        "*",
        "#frag",
    ];
    let long = [170, 255, 256, 1024].map(|length| "k".repeat(length));
    keys.into_iter().map(str::to_owned).chain(long).collect()
}

#[tokio::test]
async fn every_key_is_an_object_of_its_own() {
    let server = Server::start().await;
    let keys = odd_keys();
    for key in &keys {
        server.put(key, key.as_bytes()).await;
    }
    for key in &keys {
        assert_eq!(server.get(key).await, key.as_bytes(), "{key}");
    }
    let listed = server.client.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    let mut listed: Vec<_> = listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect();
    let mut expected = keys.clone();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    for key in &keys {
        server.client.delete_object().bucket(BUCKET).key(key).send().await.unwrap();
    }
    assert_eq!(server.client.list_objects_v2().bucket(BUCKET).send().await.unwrap().key_count, Some(0));
}

#[tokio::test]
async fn a_key_that_is_too_long_is_refused() {
    let server = Server::start().await;
    let put = server.client.put_object().bucket(BUCKET).key("k".repeat(1025)).send().await;
    assert_eq!(code(put), "KeyTooLongError");
}

#[tokio::test]
async fn a_key_does_not_reach_into_another_bucket() {
    let server = Server::start().await;
    server.client.create_bucket().bucket("other").send().await.unwrap();
    server.put("secret", "s").await;
    let get = server.client.get_object().bucket("other").key(format!("../{BUCKET}/secret")).send().await;
    assert_eq!(code(get), "NoSuchKey");
}

#[tokio::test]
async fn headers_come_back_with_the_object() {
    let server = Server::start().await;
    let put = server.client.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"x"));
    let put = put.content_type("text/html").cache_control("max-age=5").content_encoding("gzip");
    let put = put.metadata("commit", "abc").website_redirect_location("/elsewhere");
    put.send().await.unwrap();
    let get = server.client.get_object().bucket(BUCKET).key("k").send().await.unwrap();
    let head = server.client.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    for (kind, cache, encoding, redirect, metadata) in [
        (get.content_type, get.cache_control, get.content_encoding, get.website_redirect_location, get.metadata),
        (head.content_type, head.cache_control, head.content_encoding, head.website_redirect_location, head.metadata),
    ] {
        assert_eq!(kind.as_deref(), Some("text/html"));
        assert_eq!(cache.as_deref(), Some("max-age=5"));
        assert_eq!(encoding.as_deref(), Some("gzip"));
        assert_eq!(redirect.as_deref(), Some("/elsewhere"));
        assert_eq!(metadata.unwrap()["commit"], "abc");
    }
    assert_eq!(head.e_tag.as_deref(), Some("\"9dd4e461268c8034f5c8564e155c67a6\""));
    assert_eq!(head.content_length, Some(1));
}

#[tokio::test]
async fn bodies_of_every_size_are_read_whole_and_in_ranges() {
    let server = Server::start().await;
    for size in [0, 1, 16 * 1024, 16 * 1024 + 1, 1024 * 1024, 3 * 1024 * 1024 + 5] {
        let body = bytes(size, size);
        server.put("k", body.clone()).await;
        assert!(server.get("k").await == body, "{size}");
        let range = |range: &str| server.client.get_object().bucket(BUCKET).key("k").range(range).send();
        assert_eq!(code(range(&format!("bytes={size}-")).await), "InvalidRange");
        if size < 100 {
            continue;
        }
        let last = size - 1;
        for (asked, first, end) in [
            ("bytes=10-19".to_owned(), 10, 20),
            ("bytes=-7".to_owned(), size - 7, size),
            (format!("bytes={}-", size - 3), size - 3, size),
            (format!("bytes=5-{}", size * 2), 5, size),
            (format!("bytes=-{}", size * 2), 0, size),
        ] {
            let part = range(&asked).await.unwrap();
            let content_range = format!("bytes {first}-{}/{size}", (end - 1).min(last));
            assert_eq!(part.content_range(), Some(content_range.as_str()));
            assert!(part.body.collect().await.unwrap().to_vec() == body[first..end], "{asked} of {size}");
        }
    }
}

#[tokio::test]
async fn buckets_are_created_once_and_deleted_empty() {
    let server = Server::start().await;
    let client = &server.client;
    assert_eq!(code(client.create_bucket().bucket(BUCKET).send().await), "BucketAlreadyOwnedByYou");
    assert_eq!(status(client.create_bucket().bucket("Not_Valid").send().await), 400);
    assert_eq!(status(client.head_bucket().bucket("missing").send().await), 404);
    assert_eq!(code(client.put_object().bucket("missing").key("k").send().await), "NoSuchBucket");
    assert_eq!(code(client.get_object().bucket("missing").key("k").send().await), "NoSuchBucket");
    assert_eq!(code(client.list_objects_v2().bucket("missing").send().await), "NoSuchBucket");
    let location = client.get_bucket_location().bucket(BUCKET).send().await.unwrap();
    assert_eq!(location.location_constraint.unwrap().as_str(), REGION);
    server.put("k", "x").await;
    assert_eq!(code(client.delete_bucket().bucket(BUCKET).send().await), "BucketNotEmpty");
    client.delete_object().bucket(BUCKET).key("k").send().await.unwrap();
    client.delete_bucket().bucket(BUCKET).send().await.unwrap();
    assert!(client.list_buckets().send().await.unwrap().buckets().is_empty());
}

#[tokio::test]
async fn a_copy_outlives_its_source_and_costs_no_file() {
    let server = Server::start().await;
    let client = &server.client;
    for size in [100, 100_000] {
        let body = bytes(1, size);
        let put = client.put_object().bucket(BUCKET).key("from").content_type("text/css");
        put.body(ByteStream::from(body.clone())).send().await.unwrap();
        let files = server.body_files();
        let copy = |key: &str| client.copy_object().bucket(BUCKET).key(key).copy_source(format!("{BUCKET}/from"));
        copy("to").send().await.unwrap();
        copy("other").metadata_directive(MetadataDirective::Replace).content_type("text/plain").send().await.unwrap();
        assert_eq!(server.body_files(), files);
        client.delete_object().bucket(BUCKET).key("from").send().await.unwrap();
        assert_eq!(server.get("to").await, body);
        assert_eq!(server.get("other").await, body);
        let head = |key: &str| client.head_object().bucket(BUCKET).key(key).send();
        assert_eq!(head("to").await.unwrap().content_type.as_deref(), Some("text/css"));
        assert_eq!(head("other").await.unwrap().content_type.as_deref(), Some("text/plain"));
    }
}

#[tokio::test]
async fn a_copy_on_itself_replaces_its_headers_only() {
    let server = Server::start().await;
    server.put("k", bytes(2, 50_000)).await;
    let copy = || server.client.copy_object().bucket(BUCKET).key("k").copy_source(format!("{BUCKET}/k"));
    assert_eq!(code(copy().send().await), "InvalidRequest");
    copy().metadata_directive(MetadataDirective::Replace).metadata("a", "b").send().await.unwrap();
    assert_eq!(server.get("k").await, bytes(2, 50_000));
    let head = server.client.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(head.metadata.unwrap()["a"], "b");
    server.until_body_files(1).await;
}

#[tokio::test]
async fn a_copy_answers_conditions_on_its_source_and_its_target() {
    let server = Server::start().await;
    let etag = server.put("from", "x").await;
    server.put("to", "y").await;
    let copy = || server.client.copy_object().bucket(BUCKET).key("to").copy_source(format!("{BUCKET}/from"));
    assert_eq!(status(copy().copy_source_if_match("\"other\"").send().await), 412);
    assert_eq!(status(copy().copy_source_if_none_match(&etag).send().await), 412);
    assert_eq!(status(copy().if_none_match("*").send().await), 412);
    assert_eq!(server.get("to").await, b"y");
    assert_eq!(status(copy().copy_source_if_match(&etag).send().await), 200);
}

#[tokio::test]
async fn many_objects_are_deleted_in_one_request() {
    let server = Server::start().await;
    let id = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    for key in ["a", "b/c", "d & e"] {
        server.put(key, bytes(3, 20_000)).await;
    }
    let delete = Delete::builder().set_objects(Some(["a", "d & e", "absent"].map(id).to_vec())).build().unwrap();
    let deleted = server.client.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    assert_eq!((deleted.deleted().len(), deleted.errors().len()), (3, 0));
    assert_eq!(server.client.list_objects_v2().bucket(BUCKET).send().await.unwrap().contents()[0].key(), Some("b/c"));
}

#[tokio::test]
async fn what_is_not_kept_is_refused() {
    let server = Server::start().await;
    let put = || server.client.put_object().bucket(BUCKET).key("k");
    assert_eq!(code(put().tagging("a=b").send().await), "NotImplemented");
    let lock = aws_sdk_s3::types::ObjectLockLegalHoldStatus::On;
    assert_eq!(code(put().object_lock_legal_hold_status(lock).send().await), "NotImplemented");
    let get = server.client.get_object().bucket(BUCKET).key("k").version_id("3");
    assert_eq!(code(get.send().await), "NoSuchVersion");
}
