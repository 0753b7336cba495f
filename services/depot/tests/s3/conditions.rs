//! Conditional writes have one winner; conditional reads answer 304 and 412.

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use futures::future::join_all;

use crate::server::{BUCKET, Server, status};

const KEYS: usize = 200;
const WRITERS: usize = 8;

/// Races the writers for every key and gives the number of winners of each.
async fn race(server: &Server, expected: Option<&[String]>) -> Vec<usize> {
    let mut winners = Vec::new();
    for key in 0..KEYS {
        let puts = (0..WRITERS).map(|writer| {
            let body = ByteStream::from(format!("{key} by {writer}").into_bytes());
            let put = server.client.put_object().bucket(BUCKET).key(format!("race/{key}")).body(body);
            match expected {
                Some(etags) => put.if_match(&etags[key]).send(),
                None => put.if_none_match("*").send(),
            }
        });
        let statuses: Vec<u16> = join_all(puts.map(|put| async { status(put.await) })).await;
        assert!(statuses.iter().all(|status| [200, 412].contains(status)), "{statuses:?}");
        winners.push(statuses.iter().filter(|status| **status == 200).count());
    }
    winners
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_of_an_absent_key_one_wins() {
    let server = Server::start().await;
    assert_eq!(race(&server, None).await, vec![1; KEYS]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_that_expect_the_same_version_one_wins() {
    let server = Server::start().await;
    let mut etags = Vec::new();
    for key in 0..KEYS {
        etags.push(server.put(&format!("race/{key}"), "first").await);
    }
    assert_eq!(race(&server, Some(&etags)).await, vec![1; KEYS]);
}

#[tokio::test]
async fn a_write_that_expects_a_version_of_an_absent_key_finds_none() {
    let server = Server::start().await;
    let put = server.client.put_object().bucket(BUCKET).key("absent").if_match("\"e\"").send().await;
    assert_eq!(status(put), 404);
}

#[tokio::test]
async fn a_delete_with_the_wrong_version_deletes_nothing() {
    let server = Server::start().await;
    let etag = server.put("k", "body").await;
    let delete = |etag: &str| server.client.delete_object().bucket(BUCKET).key("k").if_match(etag).send();
    assert_eq!(status(delete("\"other\"").await), 412);
    assert_eq!(server.get("k").await, b"body");
    assert_eq!(status(delete(&etag).await), 200);
}

#[tokio::test]
async fn a_read_answers_its_conditions() {
    let server = Server::start().await;
    let etag = server.put("k", "body").await;
    let get = || server.client.get_object().bucket(BUCKET).key("k");
    let head = || server.client.head_object().bucket(BUCKET).key("k");
    let unmodified = get().if_none_match(&etag).send().await.unwrap_err();
    let response = unmodified.raw_response().unwrap();
    assert_eq!((response.status().as_u16(), response.headers().get("etag")), (304, Some(etag.as_str())));
    assert_eq!(status(head().if_none_match(&etag).send().await), 304);
    assert_eq!(status(get().if_none_match("\"other\"").send().await), 200);
    assert_eq!(status(get().if_match("\"other\"").send().await), 412);
    assert_eq!(status(head().if_match("\"other\"").send().await), 412);
    assert_eq!(status(get().if_match(&etag).send().await), 200);

    let modified = head().send().await.unwrap().last_modified.unwrap();
    let before = DateTime::from_secs(modified.secs() - 1);
    assert_eq!(status(get().if_modified_since(modified).send().await), 304);
    assert_eq!(status(get().if_modified_since(before).send().await), 200);
    assert_eq!(status(head().if_unmodified_since(before).send().await), 412);
}
