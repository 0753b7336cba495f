//! The doors of the platform under clients who mean it no good, from outside and without a password.

use futures::future::join_all;
use journeys::{Delivery, Platform, eventually};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// The files that a shell allows unless told otherwise.
const FEW_FILES: u64 = 1024;
const IDLE: usize = 1100;
const WEBHOOKS: usize = 1500;
/// What refused requests may take while they are open: far below what their bodies are.
const HELD_MAX: u64 = 200 << 20;
/// What a burst may leave in memory, in bytes: far below what its bodies are.
const LEFT_MAX: u64 = 96 << 20;
/// A request is answered in this time whatever others do.
const SOON: Duration = Duration::from_secs(8);

#[tokio::test]
async fn idle_connections_stop_neither_web_nor_edge_where_files_are_few() {
    have_files();
    let platform = Platform::start_with_files(FEW_FILES).await;
    let site = platform.site("crowded", json!({})).await;
    site.publish(1, [("index.html", "here")]).await;
    let (web, edge) = (address(&platform.ready().web), address(&platform.ready().edge));
    let s3 = address(&platform.ready().s3);
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        for address in [&web, &edge, &s3] {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
    }
    let started = Instant::now();
    let _ = platform.api().try_get("/sites").await.unwrap().expect(200);
    assert_eq!(site.live().get("/").await.expect(200).text(), "here");
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    // A whole story needs every part, and files of its own.
    site.publish(2, [("index.html", "still here")]).await;
    site.live().serves("/", "still here").await;
    drop(idle);
}

#[tokio::test]
async fn webhooks_without_a_signature_hold_no_memory_and_signed_ones_give_it_back() {
    have_files();
    let platform = Platform::start().await;
    let before = platform.memory();
    let web = address(&platform.ready().web);
    let head = "POST /webhooks/github HTTP/1.1\r\nHost: a\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: d\r\n\
                Content-Length: 2097152\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..WEBHOOKS {
        let mut stream = TcpStream::connect(&web).await.unwrap();
        // Whoever was refused may be gone before all of it was sent.
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(&[0; 64 << 10]).await;
        held.push(stream);
    }
    let mut start = [0; 12];
    let last = held.last_mut().unwrap();
    last.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 401");
    assert!(platform.memory() < before + HELD_MAX, "{} after {before}", platform.memory());
    drop(held);

    let long = " ".repeat(2 << 20);
    let deliveries: Vec<_> = (0..100).map(|_| Delivery::of("star", long.clone())).collect();
    let answers = join_all(deliveries.iter().map(|delivery| platform.deliver(delivery))).await;
    for answer in answers {
        assert!(matches!(answer.status, 202 | 429 | 503), "{}", answer.status);
    }
    let returned = async || (platform.memory() < before + LEFT_MAX).then_some(());
    eventually("memory to return", returned).await;
    let _ = platform.deliver(&Delivery::of("star", long)).await.expect(202);
}

#[tokio::test]
async fn webhooks_that_announce_much_and_stall_keep_no_genuine_one_out_and_memory_returns() {
    have_files();
    let platform = Platform::start().await;
    let before = platform.memory();
    for _ in 0..2 {
        let held = stalled(&address(&platform.ready().web)).await;
        let started = Instant::now();
        let _ = platform.deliver(&Delivery::of("star", " ".repeat(1 << 20))).await.expect(202);
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        let _ = platform.api().try_get("/sites").await.unwrap().expect(200);
        drop(held);
        let returned = async || (platform.memory() < before + LEFT_MAX).then_some(());
        eventually("memory to return", returned).await;
    }
    let names = std::fs::read_dir(platform.data().join("web")).unwrap().count();
    assert_eq!(names, 0, "what lay on the disk had no name");
}

/// Webhooks of another address that announce 2 MiB each, send a little of it, and stand still.
async fn stalled(web: &str) -> Vec<TcpStream> {
    let head = format!(
        "POST /webhooks/github HTTP/1.1\r\nHost: a\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: d\r\n\
         X-Hub-Signature-256: sha256={}\r\nContent-Length: 2097152\r\n\r\n",
        "0".repeat(64)
    );
    let mut held = Vec::new();
    for _ in 0..WEBHOOKS {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(web.parse().unwrap()).await.unwrap();
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(&[b' '; 96 << 10]).await;
        held.push(stream);
    }
    held
}

#[tokio::test]
async fn metrics_are_for_operators_and_not_at_the_public_doors() {
    let platform = Platform::start().await;
    let site = platform.site("measured", json!({})).await;
    site.publish(1, [("index.html", "measured")]).await;
    let ready = platform.ready();
    let get = async |base: &str| {
        let mut stream = TcpStream::connect(address(base)).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    };
    assert!(get(&ready.web).await.starts_with("HTTP/1.1 404"));
    assert!(get(&ready.edge).await.starts_with("HTTP/1.1 404"));
    let metrics = get(&ready.admin).await;
    assert!(metrics.starts_with("HTTP/1.1 200") && metrics.contains("pagefold_fold_position"), "{metrics}");
    assert!(ready.admin.starts_with("http://127.0.0.1:"), "{}", ready.admin);
}

pub(crate) fn address(url: &str) -> String {
    url.trim_start_matches("http://").to_owned()
}

/// The clients are files of this process: as many as it may have.
pub(crate) fn have_files() -> u64 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    maximum.unwrap_or(u64::MAX)
}
