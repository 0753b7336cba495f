//! The fixture: a depot that runs until it is stopped, and clients for its keys.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use depot::{Access, Config, Depot, Grant, Key};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const BUCKET: &str = "site-files";
pub(crate) const REGION: &str = "eu-central-1";

pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) address: SocketAddr,
    pub(crate) directory: TempDir,
    stop: CancellationToken,
    running: JoinHandle<Result<(), depot::Error>>,
}

impl Server {
    /// A server with an empty bucket.
    pub(crate) async fn start() -> Self {
        let server = Self::open(tempfile::tempdir().unwrap()).await;
        server.client.create_bucket().bucket(BUCKET).send().await.unwrap();
        server
    }

    pub(crate) async fn open(directory: TempDir) -> Self {
        let depot = Depot::bind(config(directory.path())).await.unwrap();
        let address = depot.local_addr();
        let stop = CancellationToken::new();
        let running = tokio::spawn(depot.run(stop.clone()));
        Self { client: client(address, "admin"), address, directory, stop, running }
    }

    pub(crate) async fn stop(self) -> TempDir {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
        self.directory
    }

    pub(crate) async fn restart(self) -> Self {
        Self::open(self.stop().await).await
    }

    pub(crate) async fn put(&self, key: &str, body: impl Into<Vec<u8>>) -> String {
        let body = ByteStream::from(body.into());
        let put = self.client.put_object().bucket(BUCKET).key(key).body(body).send().await.unwrap();
        put.e_tag.unwrap()
    }

    pub(crate) async fn get(&self, key: &str) -> Vec<u8> {
        let get = self.client.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        get.body.collect().await.unwrap().to_vec()
    }

    /// Waits until the files of replaced and deleted bodies are gone, which happens soon after the answer.
    pub(crate) async fn until_body_files(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.body_files() != count {
            assert!(Instant::now() < deadline, "{} body files instead of {count}", self.body_files());
            tokio::task::yield_now().await;
        }
    }

    /// The number of body files, published or not.
    pub(crate) fn body_files(&self) -> usize {
        count_files(&self.directory.path().join("bodies")) + count_files(&self.directory.path().join("incoming"))
    }
}

pub(crate) fn count_files(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.file_type().unwrap().is_dir() { count_files(&entry.path()) } else { 1 }).sum()
}

pub(crate) fn config(root: &Path) -> Config {
    let key = |id: &str, buckets: &str, access| Key {
        id: id.into(),
        secret: secret(id).into(),
        grants: vec![Grant { buckets: buckets.into(), access }],
    };
    Config {
        root: root.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        region: REGION.into(),
        keys: vec![
            key("admin", "*", Access::Write),
            key("reader", "site-*", Access::Read),
            key("writer", "other", Access::Write),
        ],
    }
}

pub(crate) fn secret(id: &str) -> String {
    format!("secret-of-{id}")
}

pub(crate) fn client(address: SocketAddr, key: &str) -> Client {
    client_with(address, Credentials::new(key, secret(key), None, None, "test"))
}

pub(crate) fn client_with(address: SocketAddr, credentials: Credentials) -> Client {
    Client::from_conf(settings(address).credentials_provider(credentials).build())
}

pub(crate) fn settings(address: SocketAddr) -> aws_sdk_s3::config::Builder {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .http_client(http)
        .region(Region::new(REGION))
        .endpoint_url(format!("http://{address}"))
        .force_path_style(true)
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
}

pub(crate) fn status<T, E>(result: Result<T, SdkError<E>>) -> u16 {
    match result {
        Ok(_) => 200,
        Err(error) => error.raw_response().unwrap().status().as_u16(),
    }
}

pub(crate) fn code<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(error) => error.code().unwrap_or("none").to_owned(),
    }
}

/// Bytes that tell one version and one place from another.
pub(crate) fn bytes(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|index| u8::try_from((index / 7 + index * 31 + seed * 131) % 251).unwrap()).collect()
}
