//! Every request is signed by a known key and allowed by one of its grants.

use std::time::Duration;

use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::presigning::PresigningConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::{BUCKET, Server, client, client_with, code, settings, status};

#[tokio::test]
async fn a_reading_key_reads_and_does_not_write() {
    let server = Server::start().await;
    server.put("k", "x").await;
    let reader = client(server.address, "reader");
    assert_eq!(code(reader.get_object().bucket(BUCKET).key("k").send().await), "ok");
    assert_eq!(code(reader.list_objects_v2().bucket(BUCKET).send().await), "ok");
    assert_eq!(code(reader.put_object().bucket(BUCKET).key("k").send().await), "AccessDenied");
    assert_eq!(code(reader.delete_object().bucket(BUCKET).key("k").send().await), "AccessDenied");
    assert_eq!(code(reader.create_multipart_upload().bucket(BUCKET).key("k").send().await), "AccessDenied");
    assert_eq!(code(reader.create_bucket().bucket("site-new").send().await), "AccessDenied");
    assert_eq!(server.get("k").await, b"x");
}

#[tokio::test]
async fn a_grant_ends_at_its_buckets() {
    let server = Server::start().await;
    server.put("secret", "x").await;
    let (reader, writer) = (client(server.address, "reader"), client(server.address, "writer"));
    writer.create_bucket().bucket("other").send().await.unwrap();
    writer.put_object().bucket("other").key("k").send().await.unwrap();
    assert_eq!(code(reader.get_object().bucket("other").key("k").send().await), "AccessDenied");
    assert_eq!(code(writer.get_object().bucket(BUCKET).key("secret").send().await), "AccessDenied");
    let copy = writer.copy_object().bucket("other").key("stolen").copy_source(format!("{BUCKET}/secret"));
    assert_eq!(code(copy.send().await), "AccessDenied");
    let upload = writer.create_multipart_upload().bucket("other").key("stolen").send().await.unwrap();
    let part = writer.upload_part_copy().bucket("other").key("stolen").upload_id(upload.upload_id.unwrap());
    let part = part.part_number(1).copy_source(format!("{BUCKET}/secret"));
    assert_eq!(code(part.send().await), "AccessDenied");
    let buckets = writer.list_buckets().send().await.unwrap();
    assert_eq!(buckets.buckets().iter().map(|bucket| bucket.name().unwrap()).collect::<Vec<_>>(), ["other"]);
}

#[tokio::test]
async fn a_request_without_a_valid_signature_is_refused() {
    let server = Server::start().await;
    server.put("k", "x").await;
    let anonymous = aws_sdk_s3::Client::from_conf(settings(server.address).allow_no_auth().build());
    assert_eq!(status(anonymous.get_object().bucket(BUCKET).key("k").send().await), 403);
    let forged = client_with(server.address, Credentials::new("admin", "wrong", None, None, "test"));
    assert_eq!(code(forged.get_object().bucket(BUCKET).key("k").send().await), "SignatureDoesNotMatch");
    let unknown = client_with(server.address, Credentials::new("nobody", "wrong", None, None, "test"));
    assert_eq!(status(unknown.get_object().bucket(BUCKET).key("k").send().await), 403);
}

async fn raw(server: &Server, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let length = body.len();
    let host = server.address;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn a_presigned_address_works_for_what_it_was_signed_for() {
    let server = Server::start().await;
    let presigning = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let put = server.client.put_object().bucket(BUCKET).key("k").presigned(presigning.clone()).await.unwrap();
    let path = |uri: &str| uri.split_once(&server.address.to_string()).unwrap().1.to_owned();
    assert!(raw(&server, "PUT", &path(put.uri()), "body").await.starts_with("HTTP/1.1 200"));
    let get = server.client.get_object().bucket(BUCKET).key("k").presigned(presigning).await.unwrap();
    assert!(raw(&server, "GET", &path(get.uri()), "").await.ends_with("body"));
    let tampered = path(get.uri()).replace("/k?", "/l?");
    assert!(raw(&server, "GET", &tampered, "").await.starts_with("HTTP/1.1 403"));
}

/// HMAC-SHA1 of `GET`, the path and the expiry below, by the administrator's secret: valid where version 2 is accepted.
const VERSION_2: &str = "ys1Fn54hIQdUchEOQpGgdRvBnXU%3D";

#[tokio::test]
async fn a_valid_signature_of_version_2_is_refused() {
    let server = Server::start().await;
    server.put("k", "x").await;
    let path = format!("/{BUCKET}/k?AWSAccessKeyId=admin&Expires=4102444800&Signature={VERSION_2}");
    let response = raw(&server, "GET", &path, "").await;
    assert!(response.starts_with("HTTP/1.1 403") && response.contains("AccessDenied"), "{response}");
}
