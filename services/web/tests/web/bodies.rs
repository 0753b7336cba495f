//! Bodies under those who mean it no good: what is refused unread, and what all of them and each client may take.

use crate::door::{answer, send};
use crate::platform::{Platform, TOKEN};
use crate::webhook::signature;
use reqwest::StatusCode;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

const SHAPED: &str = "sha256=0000000000000000000000000000000000000000000000000000000000000000";
const LONGEST: usize = 2 << 20;
/// So many of the longest are what one client may take, and four clients all.
const OF_ONE: usize = 8;

fn head(signature: &str) -> String {
    format!(
        "POST /webhooks/github HTTP/1.1\r\nHost: a\r\nX-GitHub-Event: star\r\nX-GitHub-Delivery: d\r\n\
         X-Hub-Signature-256: {signature}\r\n"
    )
}

async fn connect(platform: &Platform, client: u8) -> TcpStream {
    let (socket, address) = (TcpSocket::new_v4().unwrap(), SocketAddr::from(([127, 0, 1, client], 0)));
    socket.bind(address).unwrap();
    socket.connect(platform.host().parse().unwrap()).await.unwrap()
}

/// A webhook as long as it may be, that does not say that this is all.
async fn stalled(platform: &Platform, client: u8) -> TcpStream {
    let mut stream = connect(platform, client).await;
    let head = format!("{}Transfer-Encoding: chunked\r\n\r\n{LONGEST:x}\r\n", head(SHAPED));
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; LONGEST]).await.unwrap();
    stream
}

/// Waits until all that `client` sent has arrived. It asks with heads alone: a body would take room from what comes.
async fn full(platform: &Platform, client: u8) {
    let asking = async {
        let mut start = [0; 12];
        loop {
            let mut stream = connect(platform, client).await;
            stream.write_all(format!("{}Content-Length: 1024\r\n\r\n", head(SHAPED)).as_bytes()).await.unwrap();
            if tokio::time::timeout(Duration::from_millis(50), stream.read_exact(&mut start)).await.is_ok() {
                return start;
            }
        }
    };
    let start = tokio::time::timeout(Duration::from_secs(20), asking).await;
    assert_eq!(start.as_ref().map(|start| &start[..]), Ok(&b"HTTP/1.1 429"[..]), "{client} may send more");
}

/// What a short webhook with a wrong signature is answered.
async fn told(platform: &Platform, client: u8) -> String {
    let mut stream = connect(platform, client).await;
    let body = " ".repeat(1024);
    let request = format!("{}Content-Length: 1024\r\nConnection: close\r\n\r\n{body}", head(SHAPED));
    stream.write_all(request.as_bytes()).await.unwrap();
    answer(stream).await
}

/// Waits until `client` has room again.
async fn has_room(platform: &Platform, client: u8) {
    let asking = async { while !told(platform, client).await.starts_with("HTTP/1.1 401") {} };
    tokio::time::timeout(Duration::from_secs(20), asking).await.unwrap_or_else(|_| panic!("{client} has no room"));
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_cannot_be_genuine_are_refused_before_their_bodies_are_read() {
    let platform = Platform::start().await;
    for (header, length, status) in [
        ("", 2 << 20, "401"),
        ("X-Hub-Signature-256: sha256=abc\r\n", 2 << 20, "401"),
        ("X-Hub-Signature-256: nonsense\r\n", 2 << 20, "401"),
        (&*format!("X-Hub-Signature-256: {SHAPED}\r\n"), (2 << 20) + 1, "413"),
    ] {
        let request = format!(
            "POST /webhooks/github HTTP/1.1\r\nHost: a\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: d\r\n\
             {header}Content-Length: {length}\r\n\r\n"
        );
        // Not a byte of the body is sent.
        let mut stream = send(&platform, &request).await;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(start, format!("HTTP/1.1 {status}").as_bytes(), "{header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_arrived_take_what_a_client_may_and_then_what_all_may() {
    let platform = Platform::start().await;
    let mut held = Vec::new();
    for client in 1..=4 {
        for _ in 0..OF_ONE {
            held.push(stalled(&platform, client).await);
        }
        full(&platform, client).await;
        let text = told(&platform, client).await;
        assert!(text.contains("too_many_bodies_of_one") && text.to_lowercase().contains("retry-after: 5"), "{text}");
        let others = if client < 4 { "HTTP/1.1 401" } else { "HTTP/1.1 503" };
        assert!(told(&platform, 9).await.starts_with(others), "{client}");
    }
    let text = told(&platform, 9).await;
    assert!(text.contains("too_many_bodies") && text.to_lowercase().contains("retry-after: 5"), "{text}");
    assert_eq!(platform.get("/sites").await.0, StatusCode::OK, "what has no body needs no room");
    let commanded = platform.send(reqwest::Method::POST, "/sites", json!({})).await.0;
    assert_eq!(commanded, StatusCode::UNPROCESSABLE_ENTITY, "webhooks keep nobody from commanding");
    drop(held);
    for client in [1, 4, 9] {
        has_room(&platform, client).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_announced_and_does_not_come_keeps_nobody_out() {
    let platform = Platform::start().await;
    let mut held = Vec::new();
    // Announced, this is twice what there is room for; and more of one client may not even begin.
    let refused = async {
        for _ in 0..4096 {
            let mut stream = connect(&platform, 1).await;
            let head = format!("{}Content-Length: {LONGEST}\r\n\r\n", head(SHAPED));
            stream.write_all(head.as_bytes()).await.unwrap();
            held.push(stream);
            let last = held.len() - 1;
            let mut start = [0; 12];
            let answered = tokio::time::timeout(Duration::from_millis(20), held[last].read_exact(&mut start)).await;
            if answered.is_ok() {
                assert_eq!(&start, b"HTTP/1.1 429");
                return;
            }
        }
        panic!("one client has all the connections");
    };
    refused.await;
    assert!(told(&platform, 2).await.starts_with("HTTP/1.1 401"), "whoever comes from elsewhere has room");
    let command = format!(
        "POST /api/v1/sites HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n\
         Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    let mut stream = connect(&platform, 1).await;
    stream.write_all(command.as_bytes()).await.unwrap();
    assert!(answer(stream).await.starts_with("HTTP/1.1 422"), "and with a token, from there too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_what_its_head_says_or_it_is_refused() {
    let platform = Platform::start().await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let mut endless = send(&platform, &format!("{}Transfer-Encoding: chunked\r\n\r\n", head(SHAPED))).await;
    for _ in 0..33 {
        let _ = endless.write_all(chunk.as_bytes()).await;
    }
    let mut start = [0; 12];
    endless.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 413", "without a length it may be as long as any");

    let request = format!("{}Content-Length: 9\r\n\r\n{{}}", head(SHAPED));
    let mut early = send(&platform, &request).await;
    early.shutdown().await.unwrap();
    let text = answer(early).await;
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_webhook_is_kept_out_of_memory_and_taken_by_its_signature() {
    let platform = Platform::start().await;
    let body = json!({
        "ref": "refs/heads/main", "before": "0".repeat(40), "after": "1".repeat(40),
        "repository": { "clone_url": "https://github.com/acme/docs.git" }, "commits": ["x".repeat(LONGEST - 300)],
    });
    let body = body.to_string();
    let deliver = async |signature: &str, id: &str| {
        let request = platform.client.post(platform.url("/webhooks/github")).header("x-github-event", "push");
        let request = request.header("x-github-delivery", id).header("x-hub-signature-256", signature);
        request.body(body.clone()).send().await.unwrap().status()
    };
    assert_eq!(deliver(SHAPED, "d-1").await, StatusCode::UNAUTHORIZED);
    assert_eq!(deliver(&signature(&body), "d-2").await, StatusCode::ACCEPTED);
    assert_eq!(platform.log.fact(1).await.unwrap().unwrap().event.name(), "repository.push_received.v1");
}
