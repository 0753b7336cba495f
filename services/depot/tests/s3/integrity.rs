//! No reader sees a mixture, and no body that fails its digest is ever seen.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::crypto::{Checksum as _, Md5};
use tokio_util::sync::CancellationToken;

use crate::server::{BUCKET, Server, bytes, client, code};

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_an_object_being_overwritten_sees_whole_versions() {
    let server = Server::start().await;
    // Versions alternate between lying in the index and lying in files.
    let versions: Vec<Vec<u8>> = [900_000, 300, 20_000, 1_200_000].into_iter().map(|size| bytes(size, size)).collect();
    server.put("k", versions[0].clone()).await;
    let done = CancellationToken::new();
    let writer = async {
        for round in 0..160 {
            server.put("k", versions[round % versions.len()].clone()).await;
        }
        done.cancel();
    };
    let read = || async {
        let client = client(server.address, "admin");
        let mut reads = 0;
        while !done.is_cancelled() {
            let get = client.get_object().bucket(BUCKET).key("k").send().await.unwrap();
            let etag = get.e_tag.clone().unwrap();
            let body = get.body.collect().await.unwrap().to_vec();
            assert_eq!(etag, format!("\"{}\"", hex::encode(Md5::checksum(&body))));
            reads += 1;
        }
        reads
    };
    let ((), first, second) = tokio::join!(writer, read(), read());
    assert!(first + second > 20, "{first} + {second} reads say little");
}

#[tokio::test]
async fn a_body_with_a_wrong_md5_is_never_visible() {
    let server = Server::start().await;
    server.put("k", "good").await;
    for size in [10, 2_000_000] {
        let put = |key: &str| server.client.put_object().bucket(BUCKET).key(key).body(ByteStream::from(bytes(4, size)));
        let wrong = STANDARD.encode(Md5::checksum(b"something else"));
        assert_eq!(code(put("k").content_md5(&wrong).send().await), "BadDigest");
        assert_eq!(code(put("new").content_md5(&wrong).send().await), "BadDigest");
        assert_eq!(code(put("new").content_md5("no digest").send().await), "InvalidDigest");
        assert_eq!(server.get("k").await, b"good");
        assert_eq!(code(server.client.get_object().bucket(BUCKET).key("new").send().await), "NoSuchKey");
        assert_eq!(server.body_files(), 0);
        let right = STANDARD.encode(Md5::checksum(&bytes(4, size)));
        assert_eq!(code(put("right").content_md5(right).send().await), "ok");
        server.client.delete_object().bucket(BUCKET).key("right").send().await.unwrap();
        server.until_body_files(0).await;
    }
}

#[tokio::test]
async fn a_body_with_a_wrong_checksum_is_never_visible() {
    let server = Server::start().await;
    let put = || server.client.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"hello"));
    assert_eq!(code(put().checksum_crc32("AAAAAA==").send().await), "BadDigest");
    assert_eq!(code(put().checksum_crc32_c("AAAAAA==").send().await), "BadDigest");
    assert_eq!(code(put().checksum_crc64_nvme("AAAAAAAAAAA=").send().await), "BadDigest");
    assert_eq!(code(put().checksum_sha256(STANDARD.encode([0; 32])).send().await), "BadDigest");
    assert_eq!(code(server.client.get_object().bucket(BUCKET).key("k").send().await), "NoSuchKey");
    let right = put().checksum_crc32("NhCmhg==").send().await.unwrap();
    assert_eq!(right.checksum_crc32(), Some("NhCmhg=="));
}

#[tokio::test]
async fn a_checksum_the_client_computes_is_confirmed() {
    let server = Server::start().await;
    for algorithm in
        ChecksumAlgorithm::values().iter().filter(|name| ["CRC32", "CRC32C", "SHA1", "SHA256"].contains(name))
    {
        let put = server.client.put_object().bucket(BUCKET).key(*algorithm).body(ByteStream::from(bytes(5, 30_000)));
        put.checksum_algorithm(ChecksumAlgorithm::from(*algorithm)).send().await.unwrap();
        assert_eq!(server.get(algorithm).await, bytes(5, 30_000));
    }
}
