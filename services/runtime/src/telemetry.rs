//! Logs, traces and metrics of a process: set up once in `main`, flushed once at the end.
//!
//! Names of attributes and instruments are those of the OpenTelemetry semantic conventions, so logs, traces and
//! metrics speak of the same thing by the same word. Traces and metrics are sent by OTLP (HTTP, protobuf) only when an
//! endpoint is given; trace ids are made and propagated, and the Prometheus text is there, in any case.

mod http;
mod logs;
pub mod metrics;
pub(crate) mod propagation;

pub use http::{http_about_site, http_answered, http_asked_by, http_span};
pub use logs::LogFormat;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use opentelemetry_semantic_conventions::resource::{SERVICE_INSTANCE_ID, SERVICE_NAMESPACE};
use prometheus::{Registry, TextEncoder};
use std::sync::OnceLock;
use std::time::Duration;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, ParseError};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// The instrumentation scope of everything Pagefold records itself.
const SCOPE: &str = "pagefold";
/// How long [`Guard::shutdown`] waits for a slow collector.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one export may take. Both signals, one after the other, fit into [`SHUTDOWN_TIMEOUT`].
const EXPORT_TIMEOUT: Duration = Duration::from_secs(2);

static REGISTRY: OnceLock<Registry> = OnceLock::new();

/// What an operator may choose.
#[derive(Debug, Clone)]
pub struct Config {
    /// How a log line looks.
    pub log_format: LogFormat,
    /// Which log lines are written, in the syntax of `RUST_LOG`: `info,launcher=debug`. Spans do not depend on it.
    pub log_filter: String,
    /// Base URL of an OTLP collector, `http://host:4318`. Credentials for it belong in `OTEL_EXPORTER_OTLP_HEADERS`.
    pub otlp_endpoint: Option<String>,
}

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This process already has a subscriber or has called [`init`] before.
    #[error("telemetry is already installed in this process")]
    AlreadyInstalled,
    /// The filter is not in the syntax of `RUST_LOG`.
    #[error("invalid log filter `{filter}`")]
    InvalidFilter {
        /// The filter given.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// Not a plain HTTP URL. The value is not shown: it may hold credentials.
    #[error("the OTLP endpoint must be an `http://` URL without user and password")]
    InvalidEndpoint,
    /// An OTLP exporter could not be built.
    #[error("failed to build the OTLP exporter of {signal}")]
    Exporter {
        /// `traces` or `metrics`.
        signal: &'static str,
        /// What was refused.
        #[source]
        source: ExporterBuildError,
    },
    /// The Prometheus side of the metrics could not be set up.
    #[error("failed to set up the Prometheus exporter")]
    Prometheus(#[source] OTelSdkError),
    /// Not a [`LogFormat`].
    #[error("unknown log format `{0}`, expected `text` or `json`")]
    UnknownLogFormat(String),
}

/// Keeps what has to be flushed when the process ends.
#[must_use = "the last spans and metrics are lost without `shutdown`"]
pub struct Guard {
    tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
}

/// Installs the subscriber, the tracer and the meters of this process; `service` is its name in all of them.
///
/// # Errors
/// [`Error::AlreadyInstalled`] the second time, or what is wrong with `config`.
pub fn init(service: &str, config: &Config) -> Result<Guard, Error> {
    if REGISTRY.get().is_some() {
        return Err(Error::AlreadyInstalled);
    }
    let filter = EnvFilter::try_new(&config.log_filter)
        .map_err(|source| Error::InvalidFilter { filter: config.log_filter.clone(), source })?;
    let endpoint = config.otlp_endpoint.as_deref().map(checked).transpose()?;
    let registry = Registry::new();
    let tracers = tracers(service, endpoint)?;
    let meters = meters(service, endpoint, &registry)?;
    // The log filter is the log's own: a trace must not lose its ids because an operator wants quiet logs.
    let traces = tracing_opentelemetry::layer()
        .with_tracer(tracers.tracer(SCOPE))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(LevelFilter::INFO);
    // Claimed before anything global changes, and the meters first: setting them would else be the first log line.
    REGISTRY.set(registry).map_err(|_| Error::AlreadyInstalled)?;
    global::set_meter_provider(meters.clone());
    metrics::install(&global::meter(SCOPE));
    tracing_subscriber::registry()
        .with(logs::layer(config.log_format, service, std::io::stderr).with_filter(filter))
        .with(traces)
        .try_init()
        .map_err(|_| Error::AlreadyInstalled)?;
    Ok(Guard { tracers, meters })
}

impl Guard {
    /// Sends what is still held back, for at most five seconds. What cannot be sent is logged and lost.
    pub async fn shutdown(self) {
        let (done, finished) = tokio::sync::oneshot::channel();
        // A thread of its own: the exporters block, and a blocking task would keep the async runtime from ending.
        std::thread::spawn(move || {
            let results = [self.tracers.shutdown_with_timeout(EXPORT_TIMEOUT), self.meters.shutdown()];
            let _ = done.send(results);
        });
        match tokio::time::timeout(SHUTDOWN_TIMEOUT, finished).await {
            Ok(Ok(results)) => results.into_iter().filter_map(Result::err).for_each(|error| {
                tracing::warn!(error = &error as &dyn std::error::Error, "the last telemetry may be lost");
            }),
            Ok(Err(_)) | Err(_) => tracing::warn!("the last telemetry is lost, the collector did not answer in time"),
        }
    }
}

/// All metrics of this process in the Prometheus text format; empty when [`init`] was not called.
#[must_use]
pub fn prometheus_text() -> String {
    let Some(registry) = REGISTRY.get() else { return String::new() };
    TextEncoder::new().encode_to_string(&registry.gather()).unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "failed to encode the metrics");
        String::new()
    })
}

/// The exporters have no TLS: a collector elsewhere is reached through one nearby.
fn checked(endpoint: &str) -> Result<&str, Error> {
    match endpoint.strip_prefix("http://") {
        Some(rest) if !rest.is_empty() && !rest.contains('@') => Ok(endpoint.trim_end_matches('/')),
        Some(_) | None => Err(Error::InvalidEndpoint),
    }
}

fn resource(service: &str) -> Resource {
    Resource::builder()
        .with_service_name(service.to_owned())
        .with_attribute(KeyValue::new(SERVICE_NAMESPACE, SCOPE))
        .with_attribute(KeyValue::new(SERVICE_INSTANCE_ID, uuid::Uuid::now_v7().to_string()))
        .build()
}

fn tracers(service: &str, endpoint: Option<&str>) -> Result<SdkTracerProvider, Error> {
    let builder = SdkTracerProvider::builder().with_resource(resource(service));
    let Some(endpoint) = endpoint else { return Ok(builder.build()) };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|source| Error::Exporter { signal: "traces", source })?;
    Ok(builder.with_batch_exporter(exporter).build())
}

fn meters(service: &str, endpoint: Option<&str>, registry: &Registry) -> Result<SdkMeterProvider, Error> {
    let exporter = metrics::prometheus(registry).map_err(Error::Prometheus)?;
    let builder = SdkMeterProvider::builder().with_resource(resource(service)).with_reader(exporter);
    let Some(endpoint) = endpoint else { return Ok(builder.build()) };
    let exporter = MetricExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{endpoint}/v1/metrics"))
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|source| Error::Exporter { signal: "metrics", source })?;
    Ok(builder.with_periodic_exporter(exporter).build())
}
