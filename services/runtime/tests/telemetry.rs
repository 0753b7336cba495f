//! A process with a collector: what it records arrives there, and in the Prometheus text, when it shuts down.

#![expect(clippy::unwrap_used, reason = "the collector is part of the test: what it cannot read fails it")]

use runtime::telemetry::{self, Config, Error, LogFormat, metrics};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The bodies received, by path.
type Received = Arc<Mutex<HashMap<String, Vec<u8>>>>;

async fn collector() -> (SocketAddr, Received) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let received = Received::default();
    let store = received.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, store.clone()));
        }
    });
    (address, received)
}

async fn serve(stream: TcpStream, store: Received) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let head = head.to_ascii_lowercase();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).await?;
        store.lock().unwrap().entry(path).or_default().extend(body);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
    }
}

fn has(received: &Received, path: &str, text: &str) -> bool {
    let bodies = received.lock().unwrap();
    bodies.get(path).is_some_and(|body| body.windows(text.len()).any(|window| window == text.as_bytes()))
}

fn config(address: &str) -> Config {
    Config { log_format: LogFormat::Text, log_filter: "off".to_owned(), otlp_endpoint: Some(address.to_owned()) }
}

/// One test, since a process installs its telemetry once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_and_metrics_reach_the_collector_by_the_end() {
    let (address, received) = collector().await;
    assert_eq!(telemetry::prometheus_text(), "");
    for wrong in ["https://collector", "http://", "http://user:password@collector", "collector:4318"] {
        let refused = telemetry::init("syncer", &config(wrong));
        assert!(matches!(refused, Err(Error::InvalidEndpoint)), "{wrong}");
    }
    let bad_filter = Config { log_filter: "a=b=c".to_owned(), ..config("http://collector") };
    assert!(matches!(telemetry::init("syncer", &bad_filter), Err(Error::InvalidFilter { .. })));

    let config = config(&format!("http://{address}/"));
    let guard = telemetry::init("syncer", &config).unwrap();
    assert!(matches!(telemetry::init("syncer", &config), Err(Error::AlreadyInstalled)));

    let span = telemetry::http_span("BREW", "/coffee/{pot}");
    telemetry::http_answered(&span, 503);
    drop(span.entered());
    metrics::build_ended("success", "hugo", Duration::from_secs(42));
    metrics::builds_active("executing", 3);

    let text = telemetry::prometheus_text();
    assert!(text.contains("cicd_pipeline_run_active{cicd_pipeline_run_state=\"executing\"} 3"), "{text}");
    assert!(text.contains("service_name=\"syncer\""), "{text}");

    guard.shutdown().await;
    for text in ["HTTP /coffee/{pot}", "_OTHER", "http.route", "error.type", "service.name", "syncer"] {
        assert!(has(&received, "/v1/traces", text), "{text}");
    }
    for text in ["cicd.pipeline.run.duration", "hugo", "cicd.pipeline.run.active", "syncer"] {
        assert!(has(&received, "/v1/metrics", text), "{text}");
    }
}
