use super::{LogFormat, layer};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::Value;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `work` logs, with spans hidden from the log when `filter` says so but never from the tracer.
fn logged(format: LogFormat, filter: LevelFilter, work: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let subscriber = tracing_subscriber::registry()
        .with(layer(format, "syncer", move || writer.clone()).with_filter(filter))
        .with(tracing_opentelemetry::layer().with_tracer(tracer));
    tracing::subscriber::with_default(subscriber, work);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn json(filter: LevelFilter, work: impl FnOnce()) -> Value {
    let text = logged(LogFormat::Json, filter, work);
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_json_line_says_who_where_what_and_in_which_span() {
    let line = json(LevelFilter::INFO, || {
        let span = tracing::info_span!("process", otel.kind = "consumer", sequence = 7, object = "old");
        span.in_scope(|| tracing::info!(object = "in\ndex", size_bytes = 3_u64, "stored {}", "it"));
    });
    assert_eq!(line["service"], "syncer");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["target"], module_path!());
    assert_eq!(line["message"], "stored it");
    assert_eq!(line["fields"], serde_json::json!({"sequence": 7, "object": "in\ndex", "size_bytes": 3}));
    assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(line["span_id"].as_str().unwrap().len(), 16);
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_quiet_log_still_knows_its_trace() {
    let line = json(LevelFilter::WARN, || {
        tracing::info_span!("process", sequence = 7).in_scope(|| tracing::warn!("slow"));
    });
    assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);
}

#[test]
fn outside_of_spans_there_is_no_trace_id() {
    let line = json(LevelFilter::INFO, || tracing::info!("started"));
    assert_eq!(line.get("trace_id"), None);
    assert_eq!(line["fields"], serde_json::json!({}));
}

#[test]
fn an_error_is_logged_with_its_causes() {
    let error = super::super::Error::Prometheus(opentelemetry_sdk::error::OTelSdkError::AlreadyShutdown);
    let line = json(LevelFilter::INFO, || tracing::error!(error = &error as &dyn std::error::Error, "failed"));
    let text = line["fields"]["error"].as_str().unwrap();
    assert!(text.starts_with("failed to set up the Prometheus exporter: ") && text.len() > 45, "{text}");
}

#[test]
fn a_text_line_is_short_and_free_of_tracer_fields() {
    let text = logged(LogFormat::Text, LevelFilter::INFO, || {
        let span = tracing::info_span!("process", otel.name = "process EVENTS", otel.kind = "consumer", sequence = 7);
        span.in_scope(|| tracing::info!(object = "index.html", "stored"));
    });
    let (timestamp, rest) = text.split_once(' ').unwrap();
    assert!(timestamp.ends_with('Z'), "{text}");
    assert!(rest.contains("stored object=\"index.html\" sequence=7"), "{text}");
    assert!(!rest.contains("otel"), "{text}");
}

#[test]
fn formats_read_back_as_written() {
    for format in [LogFormat::Text, LogFormat::Json] {
        assert_eq!(format.to_string().parse::<LogFormat>().unwrap(), format);
    }
    assert!("yaml".parse::<LogFormat>().is_err());
}
