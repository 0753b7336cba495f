//! What clients may do to a server, and what they may not, over real connections.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use listener::{Body, Client, Limits, serve};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

const SHORT: Duration = Duration::from_millis(400);
/// Enough for what takes `SHORT`, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const LARGE: usize = 64 << 20;
const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// A server with short limits, until it is dropped.
struct Server {
    address: SocketAddr,
    stop: CancellationToken,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Server {
    async fn start(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::with_connections(64);
        (limits.head, limits.idle, limits.stall, limits.body_grace) = (SHORT, 10 * SHORT, SHORT, SHORT);
        change(&mut limits);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(serve(listener, limits, answer, stop.clone()));
        Self { address, stop }
    }

    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut client = TcpStream::connect(self.address).await.unwrap();
        client.write_all(bytes).await.unwrap();
        client
    }

    async fn answers(&self) -> bool {
        let mut client = self.send(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        let mut text = String::new();
        let read = timeout(PATIENCE, client.read_to_string(&mut text)).await;
        read.is_ok_and(|read| read.is_ok()) && text.starts_with("HTTP/1.1 200")
    }
}

async fn answer(request: Request<Body>) -> Response<Full<Bytes>> {
    let client = request.extensions().get::<Client>().copied();
    let text = match request.uri().path() {
        "/large" => Bytes::from(vec![b'x'; LARGE]),
        "/refuse" => return refused(StatusCode::UNAUTHORIZED, request),
        "/slow" => {
            sleep(4 * SHORT).await;
            Bytes::from_static(b"slow")
        }
        "/read" => match request.into_body().collect().await {
            Ok(body) => Bytes::from(body.to_bytes().len().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                return Response::builder().status(StatusCode::REQUEST_TIMEOUT).body(Full::default()).unwrap();
            }
            Err(_) => Bytes::from_static(b"broken"),
        },
        _ => Bytes::from(client.map(|client| client.0.to_string()).unwrap_or_default()),
    };
    Response::new(Full::new(text))
}

fn refused(status: StatusCode, _unread: Request<Body>) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::default()).unwrap()
}

async fn ends(client: &mut TcpStream) -> bool {
    let mut rest = [0; 4096];
    timeout(PATIENCE, async { while !matches!(client.read(&mut rest).await, Ok(0) | Err(_)) {} }).await.is_ok()
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_its_connection_and_drops_of_it_do_not_help() {
    let server = Server::start(|_| {}).await;
    for beginning in ["", "P", "GET / HTTP/1.1\r\nhost:", "PRI * HTTP/2.0\r\n\r\n"] {
        assert!(ends(&mut server.send(beginning.as_bytes()).await).await, "{beginning:?}");
    }
    let mut second = server.send(ASK).await;
    second.read_exact(&mut [0; 15]).await.unwrap();
    let started = Instant::now();
    while second.write_all(b"x").await.is_ok() {
        assert!(started.elapsed() < PATIENCE, "the head of a second request may not trickle");
        sleep(SHORT / 8).await;
    }
    assert!(server.answers().await);
}

#[tokio::test]
async fn idle_connections_never_keep_others_out() {
    let server = Server::start(|limits| (limits.connections, limits.head, limits.idle) = (8, PATIENCE, PATIENCE)).await;
    let mut idle = Vec::new();
    for number in 0..200 {
        // Some have never asked, others have and are kept.
        idle.push(server.send(if number % 2 == 0 { b"" } else { ASK }).await);
    }
    let started = Instant::now();
    assert!(server.answers().await);
    assert!(started.elapsed() < PATIENCE / 4, "{:?}", started.elapsed());
    assert!(ends(&mut idle[0]).await);
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_a_while_and_a_long_answer_is_waited_for() {
    let server = Server::start(|_| {}).await;
    let mut client = server.send(ASK).await;
    sleep(3 * SHORT).await;
    client.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    timeout(PATIENCE, client.read_to_string(&mut text)).await.unwrap().unwrap();
    assert!(text.ends_with("slow"), "{text}");
    let mut idle = server.send(ASK).await;
    assert!(ends(&mut idle).await, "but not for ever");
}

#[tokio::test]
async fn a_body_that_stands_still_or_trickles_is_answered_as_too_slow() {
    let server = Server::start(|limits| limits.pace = 1 << 20).await;
    let head = b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nbegin";
    for trickle in [false, true] {
        let client = server.send(head).await;
        let (mut read, mut write) = client.into_split();
        let trickling = tokio::spawn(async move {
            while trickle && write.write_all(b"x").await.is_ok() {
                sleep(SHORT / 8).await;
            }
            write
        });
        let mut status = [0; 12];
        timeout(PATIENCE, read.read_exact(&mut status)).await.unwrap().unwrap();
        assert_eq!(&status, b"HTTP/1.1 408", "{trickle}");
        trickling.abort();
    }
    let mut whole = server.send(b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n").await;
    sleep(SHORT / 2).await;
    whole.write_all(b"later").await.unwrap();
    let mut status = [0; 12];
    whole.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200", "a body may take a moment");
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_let_go_and_a_slow_one_gets_all() {
    let server = Server::start(|limits| limits.pace = 1024).await;
    let ask = b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let mut stalled = server.send(ask).await;
    let mut slow = server.send(ask).await;
    let mut total = 0;
    let mut part = vec![0; LARGE / 16];
    for _ in 0..8 {
        sleep(SHORT).await;
        total += slow.read_exact(&mut part).await.unwrap();
    }
    let mut rest = Vec::new();
    total += timeout(PATIENCE, slow.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(total > LARGE, "{total}");
    let mut rest = Vec::new();
    let cut = timeout(PATIENCE, stalled.read_to_end(&mut rest)).await.unwrap();
    assert!(cut.is_err() || rest.len() < LARGE, "{}", rest.len());
}

#[tokio::test]
async fn who_is_refused_while_sending_gets_to_read_why() {
    let server = Server::start(|_| {}).await;
    for _ in 0..20 {
        let mut client = server.send(b"POST /refuse HTTP/1.1\r\nhost: a\r\ncontent-length: 2097152\r\n\r\n").await;
        client.write_all(&vec![0; 2 << 20]).await.unwrap();
        let mut status = [0; 12];
        timeout(PATIENCE, client.read_exact(&mut status)).await.unwrap().unwrap();
        assert_eq!(&status, b"HTTP/1.1 401");
    }
}

#[tokio::test]
async fn heads_of_too_many_headers_or_bytes_are_refused() {
    let server = Server::start(|_| {}).await;
    let many: String = (0..101).map(|number| format!("x-{number}: 1\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(70_000));
    for headers in [many, long] {
        let mut client = server.send(b"GET / HTTP/1.1\r\nhost: a\r\n").await;
        let _ = client.write_all(headers.as_bytes()).await;
        let _ = client.write_all(b"\r\n").await;
        let mut status = [0; 12];
        timeout(PATIENCE, client.read_exact(&mut status)).await.unwrap().unwrap();
        assert_eq!(&status, b"HTTP/1.1 431");
    }
}

#[tokio::test]
async fn a_request_in_hand_is_finished_when_the_server_is_told_to_stop() {
    let server = Server::start(|_| {}).await;
    let mut client = server.send(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut idle = server.send(ASK).await;
    idle.read_exact(&mut [0; 15]).await.unwrap();
    sleep(SHORT).await;
    server.stop.cancel();
    assert!(ends(&mut idle).await);
    let mut text = String::new();
    timeout(PATIENCE, client.read_to_string(&mut text)).await.unwrap().unwrap();
    assert!(text.ends_with("slow"), "{text}");
}
