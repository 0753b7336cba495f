//! The S3 client: explicit credentials, path style, checksums only where the protocol demands them, TLS by ring.

use crate::Config;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
    StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use secrecy::ExposeSecret as _;
use std::time::Duration;

pub(crate) use aws_sdk_s3::Client;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Until the first byte of an answer, which comes after the whole request: a pack on a slow line needs its time.
const READ_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a body may stand still. Generous, because a store may flush a large object before it reads on.
const STALL_GRACE: Duration = Duration::from_secs(30);
/// More is the business of whoever redelivers the work.
const ATTEMPTS: u32 = 3;
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

pub(crate) fn build(config: &Config) -> Client {
    let secret = config.secret_key.expose_secret();
    let credentials = Credentials::new(&config.access_key, secret, None, None, "pagefold");
    let settings = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http(&config.endpoint))
        .credentials_provider(credentials)
        .region(Region::new(config.region.clone()))
        .endpoint_url(&config.endpoint)
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(FIRST_BACKOFF)
                .with_max_backoff(LONGEST_BACKOFF),
        )
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(STALL_GRACE).build())
        .build();
    Client::from_conf(settings)
}

/// A plain endpoint needs no trust store, which a minimal machine may lack.
fn http(endpoint: &str) -> SharedHttpClient {
    if endpoint.starts_with("http://") {
        Builder::new().build_http()
    } else {
        Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
    }
}
