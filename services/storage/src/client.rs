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

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Until the answer to one request begins. A store that accepts and then says nothing is noticed after that.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// A request with a body has longer: as long as its bytes take on the slowest line that is to do.
const SLOWEST_BYTES_PER_SECOND: u64 = 256 * 1024;
/// Until the parts of a large object are one: some stores copy them.
pub(crate) const JOIN_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a body may stand still, on its way there or back, before the connection is given up. Generous, because a
/// store may flush a large object before it reads on.
const STALL_GRACE: Duration = Duration::from_secs(30);
/// Tries of one request by the client itself, for what passes at once. Anything longer is the business of whoever asked:
/// [`crate::Patience`] where the work is in hand, the log where it can be given back.
const ATTEMPTS: u32 = 3;
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// How long one try to send a request with so many bytes may take.
pub(crate) fn sending(bytes: u64) -> Duration {
    ANSWER_TIMEOUT + Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND)
}

/// For one request: how long one try may take. No limit covers a body on its way back, which is watched for standing still.
pub(crate) fn within(attempt: Duration) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::Config::builder().timeout_config(timeouts(attempt))
}

fn timeouts(attempt: Duration) -> TimeoutConfig {
    // No read time-out: it would hold for the longest request, and each value of it has connections of its own.
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .disable_read_timeout()
        .operation_attempt_timeout(attempt)
        .disable_operation_timeout()
        .build()
}

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
        .timeout_config(timeouts(ANSWER_TIMEOUT))
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
