//! Multipart uploads become one object, or nothing.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::server::{BUCKET, Server, bytes, code, status};

const PART_BYTES: usize = 5 * 1024 * 1024;

async fn create(server: &Server, key: &str) -> String {
    let create = server.client.create_multipart_upload().bucket(BUCKET).key(key).content_type("text/plain");
    create.send().await.unwrap().upload_id.unwrap()
}

async fn upload(server: &Server, id: &str, number: i32, body: Vec<u8>) -> CompletedPart {
    let part = server.client.upload_part().bucket(BUCKET).key("k").upload_id(id).part_number(number);
    let part = part.body(ByteStream::from(body)).send().await.unwrap();
    CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).build()
}

fn complete(
    server: &Server,
    id: &str,
    parts: &[CompletedPart],
) -> aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder {
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build();
    server.client.complete_multipart_upload().bucket(BUCKET).key("k").upload_id(id).multipart_upload(parts)
}

#[tokio::test]
async fn parts_become_one_object() {
    let server = Server::start().await;
    let id = create(&server, "k").await;
    // The last part arrives first and a part is replaced.
    let third = upload(&server, &id, 3, bytes(3, 100)).await;
    upload(&server, &id, 1, bytes(9, PART_BYTES)).await;
    let first = upload(&server, &id, 1, bytes(1, PART_BYTES)).await;
    let second = upload(&server, &id, 2, bytes(2, PART_BYTES + 1)).await;
    assert_eq!(code(server.client.get_object().bucket(BUCKET).key("k").send().await), "NoSuchKey");

    let done = complete(&server, &id, &[first, second, third]).send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-3\""));
    let body = [bytes(1, PART_BYTES), bytes(2, PART_BYTES + 1), bytes(3, 100)].concat();
    let get = server.client.get_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!((get.e_tag(), get.content_type()), (done.e_tag(), Some("text/plain")));
    assert!(get.body.collect().await.unwrap().to_vec() == body);
    let again = complete(&server, &id, &[]).send().await;
    assert_eq!(code(again), "NoSuchUpload");
    let server = server.restart().await;
    assert_eq!(server.body_files(), 1);
}

#[tokio::test]
async fn a_wrong_list_of_parts_completes_nothing() {
    let server = Server::start().await;
    let id = create(&server, "k").await;
    let first = upload(&server, &id, 1, bytes(1, 10)).await;
    let second = upload(&server, &id, 2, bytes(2, 10)).await;
    let unknown = CompletedPart::builder().part_number(7).e_tag("\"e\"").build();
    let stale = CompletedPart::builder().part_number(1).e_tag("\"e\"").build();
    let attempt = async |parts: &[CompletedPart]| code(complete(&server, &id, parts).send().await);
    assert_eq!(attempt(&[second.clone(), first.clone()]).await, "InvalidPartOrder");
    assert_eq!(attempt(&[unknown]).await, "InvalidPart");
    assert_eq!(attempt(&[stale]).await, "InvalidPart");
    assert_eq!(attempt(&[first.clone(), second]).await, "EntityTooSmall");
    assert_eq!(attempt(&[first]).await, "ok");
    assert_eq!(server.get("k").await, bytes(1, 10));
}

#[tokio::test]
async fn a_completion_answers_its_condition_and_can_be_tried_again() {
    let server = Server::start().await;
    let etag = server.put("k", "old").await;
    let id = create(&server, "k").await;
    let part = upload(&server, &id, 1, bytes(1, 40_000)).await;
    let parts = [part];
    assert_eq!(status(complete(&server, &id, &parts).if_none_match("*").send().await), 412);
    assert_eq!(server.get("k").await, b"old");
    assert_eq!(status(complete(&server, &id, &parts).if_match(&etag).send().await), 200);
    assert_eq!(server.get("k").await, bytes(1, 40_000));
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let server = Server::start().await;
    let (id, other) = (create(&server, "k").await, create(&server, "l").await);
    let part = upload(&server, &id, 1, bytes(1, 40_000)).await;
    let uploads = async || {
        let listed = server.client.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
        listed.uploads().iter().map(|upload| upload.upload_id().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(uploads().await, [id.clone(), other.clone()]);
    let abort = || server.client.abort_multipart_upload().bucket(BUCKET).key("k").upload_id(&id).send();
    abort().await.unwrap();
    assert_eq!(uploads().await, [other]);
    assert_eq!(code(abort().await), "NoSuchUpload");
    assert_eq!(code(complete(&server, &id, &[part]).send().await), "NoSuchUpload");
    let late = server.client.upload_part().bucket(BUCKET).key("k").upload_id(&id).part_number(2).send().await;
    assert_eq!(code(late), "NoSuchUpload");
    let server = server.restart().await;
    assert_eq!(server.body_files(), 0);
}

#[tokio::test]
async fn a_part_can_be_a_range_of_an_object() {
    let server = Server::start().await;
    server.put("from", bytes(1, PART_BYTES + 10)).await;
    let id = create(&server, "k").await;
    let copy = |number, range: &str| {
        let part = server.client.upload_part_copy().bucket(BUCKET).key("k").upload_id(&id).part_number(number);
        part.copy_source(format!("{BUCKET}/from")).copy_source_range(range)
    };
    let mut parts = Vec::new();
    for (number, range) in [(1, format!("bytes=0-{}", PART_BYTES - 1)), (2, format!("bytes={PART_BYTES}-"))] {
        let done = copy(number, &range).send().await.unwrap().copy_part_result.unwrap();
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(done.e_tag).build());
    }
    assert_eq!(code(copy(3, "bytes=9999999-").send().await), "InvalidRange");
    assert_eq!(code(copy(3, "all of it").send().await), "InvalidArgument");
    let changed = copy(3, "bytes=0-1").copy_source_if_match("\"other\"").send().await;
    assert_eq!(status(changed), 412);
    complete(&server, &id, &parts).send().await.unwrap();
    assert_eq!(server.get("k").await, server.get("from").await);
}
