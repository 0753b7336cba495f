//! Servers behind routes: what they are asked, what comes back of it and when, and which are never asked.

use crate::header;
use crate::world::{Edge, World};
use events::routing::{Leads, Reach};
use reqwest::StatusCode;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// A server that answers each request with its own head, and one for `/stream` with what it is sent, as it comes.
async fn backend() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn answer(mut stream: TcpStream) {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).await.unwrap();
        if read == 0 {
            return;
        }
        head.extend_from_slice(&buffer[..read]);
    }
    let (text, rest) = head.split_at(head.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4);
    if text.starts_with(b"POST /api/stream") {
        // What comes is cut into chunks, and goes back as it is.
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        stream.write_all(rest).await.unwrap();
        loop {
            let read = stream.read(&mut buffer).await.unwrap();
            if read == 0 {
                return;
            }
            stream.write_all(&buffer[..read]).await.unwrap();
        }
    }
    let more =
        "connection: close, x-own\r\nx-own: 1\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncache-control: no-store\r\n";
    let said = format!("HTTP/1.1 418 Teapot\r\ncontent-length: {}\r\n{more}\r\n", text.len());
    stream.write_all(&[said.as_bytes(), text].concat()).await.unwrap();
}

fn leads(address: impl std::fmt::Display) -> Leads {
    Leads::Backend { backend: format!("http://{address}").parse().unwrap() }
}

async fn served() -> (World, Edge) {
    let world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    world.put("docs", 1, &[("index.html", "home")]).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", "home").await;
    (world, edge)
}

const DOCS: &str = "docs.sites.localhost";

#[tokio::test]
async fn an_api_and_a_site_share_a_host() {
    let (world, edge) = served().await;
    world.lead(DOCS, "/api", Reach::Prefix, leads(backend().await)).await;
    edge.until_answers("docs", "/api", &[], |headers| headers.contains_key("set-cookie")).await;
    let sent = [("x-forwarded-for", "10.9.9.9"), ("te", "trailers"), ("cookie", "c=1"), ("x-kept", "yes")];
    let answered = edge.ask("DELETE", "docs", "/api/people/7/?x=%2F", &sent).await;
    assert_eq!(answered.status(), StatusCode::IM_A_TEAPOT);
    let headers = answered.headers().clone();
    assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
    assert_eq!((header(&headers, "x-own"), header(&headers, "via")), (String::new(), "1.1 pagefold-edge".to_owned()));
    assert_eq!(header(&headers, "cache-control"), "no-store");
    let asked = answered.text().await.unwrap();
    assert!(asked.starts_with("DELETE /api/people/7/?x=%2F HTTP/1.1\r\n"), "{asked}");
    for line in [
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: docs.sites.localhost",
        "x-forwarded-proto: http",
        "cookie: c=1",
        "x-kept: yes",
    ] {
        assert!(asked.contains(&format!("\r\n{line}\r\n")), "{line}: {asked}");
    }
    assert!(!asked.contains("10.9.9.9") && !asked.contains("\r\nte:") && !asked.contains("\r\nhost: docs"), "{asked}");
    let head = edge.ask("HEAD", "docs", "/api", &[]).await;
    assert_eq!((head.status(), head.text().await.unwrap().as_str()), (StatusCode::IM_A_TEAPOT, ""));
    assert_eq!(edge.text("docs", "/").await, "home", "the rest of the host is the site's");
    edge.refuses("docs", "/apis", 404, "page_not_found").await;
    edge.stop().await;
}

#[tokio::test]
async fn what_a_reader_and_a_backend_say_goes_through_as_it_is_said() {
    let (world, edge) = served().await;
    world.lead(DOCS, "/api", Reach::Prefix, leads(backend().await)).await;
    edge.until_answers("docs", "/api", &[], |headers| headers.contains_key("set-cookie")).await;
    let mut stream = TcpStream::connect(edge.address).await.unwrap();
    let head = format!("POST /api/stream HTTP/1.1\r\nhost: {DOCS}\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut seen = String::new();
    // Each word comes back before the next is said: nothing waits for the whole.
    for word in ["first", "later"] {
        stream.write_all(format!("5\r\n{word}\r\n").as_bytes()).await.unwrap();
        let mut buffer = [0; 4096];
        while !seen.contains(word) {
            let read = timeout(Duration::from_secs(10), stream.read(&mut buffer)).await.unwrap().unwrap();
            assert!(read > 0, "{seen}");
            seen.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
        // The reader thinks for longer than a backend may.
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    assert!(seen.starts_with("HTTP/1.1 200 OK"), "{seen}");
    drop(stream);
    edge.stop().await;
}

#[tokio::test]
async fn a_backend_that_is_away_silent_or_our_own_is_told_apart() {
    let (world, edge) = served().await;
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for (path, address) in [
        ("/away", away.to_string()),
        ("/silent", silent.local_addr().unwrap().to_string()),
        ("/log", format!("127.0.0.1:{}", world.port)),
        ("/self", edge.address.to_string()),
        ("/metadata", "169.254.169.254".to_owned()),
        ("/nowhere", "nowhere.invalid".to_owned()),
    ] {
        world.lead(DOCS, path, Reach::Exact, leads(address)).await;
    }
    world.lead(DOCS, "/last", Reach::Exact, Leads::Gone { page: None }).await;
    let gone = |headers: &reqwest::header::HeaderMap| header(headers, "cache-control").contains("max-age=0");
    while edge.get("docs", "/last").await.status() != StatusCode::GONE {
        edge.until_answers("docs", "/last", &[], gone).await;
    }
    for path in ["/away", "/log", "/self", "/metadata", "/nowhere"] {
        edge.refuses("docs", path, 502, "backend_unreachable").await;
    }
    edge.refuses("docs", "/silent", 504, "backend_timeout").await;
    assert_eq!(edge.text("docs", "/").await, "home");
    edge.stop().await;
}
