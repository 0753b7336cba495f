//! Attacks on the doors of a whole platform, web and edge alike: requests that two readers could understand in two ways,
//! floods of HTTP/2 frames, and thousands of connections that do nothing. Whoever comes in good faith is served meanwhile.

use crate::door::{address, have_files};
use journeys::{Host, Platform};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
/// Each server's limit on the head of a request, and as much again for a busy machine.
const HEAD: Duration = Duration::from_secs(20);
/// A request is answered in this time whatever others do.
const SOON: Duration = Duration::from_secs(8);
/// What an attack may leave in memory, in bytes.
const LEFT_MAX: u64 = 200 << 20;
const FRAMES: usize = 50_000;
const IDLE: usize = 10_000;
const SLOW: usize = 200;

/// A platform with one site, and the addresses of its doors.
struct Stage {
    platform: Platform,
    live: Host,
    doors: [String; 2],
    memory: u64,
}

impl Stage {
    async fn set() -> Self {
        let platform = Platform::start().await;
        let site = platform.site("attacked", json!({})).await;
        site.publish(1, [("index.html", "here")]).await;
        let live = site.live();
        let doors = [address(&platform.ready().web), address(&platform.ready().edge)];
        let memory = platform.memory();
        Self { platform, live, doors, memory }
    }

    /// Whoever comes in good faith is served, and the attack has not left much.
    async fn stands(&self, attack: &str) {
        let started = Instant::now();
        let _ = self.platform.api().try_get("/sites").await.unwrap().expect(200);
        assert_eq!(self.live.get("/").await.expect(200).text(), "here", "{attack}");
        assert!(started.elapsed() < SOON, "{attack}: {:?}", started.elapsed());
        let memory = self.platform.memory();
        assert!(memory < self.memory + LEFT_MAX, "{attack}: {memory} after {}", self.memory);
    }
}

/// All that the server says until it ends the connection.
async fn told(door: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(door).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    let ended = timeout(HEAD, stream.read_to_end(&mut text)).await;
    assert!(ended.is_ok(), "the connection goes on after {request:?}: {}", String::from_utf8_lossy(&text));
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_request_that_could_be_two_is_one_and_the_last_of_its_connection() {
    let stage = Stage::set().await;
    let refused = [
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4, 5\r\n",
        "Content-Length: 4, 4\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length: 4 4\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length : 4\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding:\u{b}chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
        "X: \0\r\nTransfer-Encoding: chunked\r\n",
        "X\0: y\r\n",
        "Host: b\r\n",
    ];
    let admin = address(&stage.platform.ready().admin);
    for door in stage.doors.iter().chain([&admin]) {
        for headers in refused {
            let request = format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n0\r\n\r\n{SMUGGLED}");
            let text = told(door, &request).await;
            assert!(text.starts_with("HTTP/1.1 400"), "{headers:?}: {text}");
            assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{headers:?}: {text}");
        }
        // These mean chunks in HTTP/1.1, and a careless reader minds the length: nothing may follow them.
        for headers in [
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\nContent-Length: 5\r\n",
            "Content-Length: 4\r\nTransfer-Encoding:\tCHUNKED\r\n",
        ] {
            let request = format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n0\r\n\r\n{SMUGGLED}");
            let text = told(door, &request).await;
            assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{headers:?}: {text}");
        }
        for body in ["0\n\n", "0;a\nb\r\n\r\n", "-1\r\n\r\n", "0x0\r\n\r\n", "fffffffffffffffff\r\n\r\n"] {
            let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
            let text = told(door, &format!("{head}{body}{SMUGGLED}")).await;
            assert!(text.matches("HTTP/1.1 ").count() <= 1, "{body:?}: {text}");
        }
        let old = format!("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}");
        let text = told(door, &old).await;
        assert!(text.matches(" 400 ").count() == 1 && text.matches("HTTP/1.").count() == 1, "{text}");
    }
    stage.stands("smuggling").await;
}

/// A frame of HTTP/2: its type, its flags, its stream, and what it carries.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET / HTTP/2` to the host `a`, by the static table of HPACK.
const ASK: [u8; 6] = [0x82, 0x86, 0x84, 0x41, 0x01, b'a'];
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_HEADERS_AND_STREAM: u8 = 5;

/// Floods with `frames` until the server minds; answers how many it took. Nothing is read: whoever floods does not.
async fn flood(door: &str, frames: impl Iterator<Item = Vec<u8>>) -> usize {
    let mut stream = TcpStream::connect(door).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    let mut taken = 0;
    for frame in frames {
        let sent = timeout(Duration::from_secs(1), stream.write_all(&frame)).await;
        if !matches!(sent, Ok(Ok(()))) {
            break;
        }
        taken += 1;
    }
    taken
}

#[tokio::test]
async fn floods_of_http2_frames_are_cut_off_and_disturb_nobody() {
    let stage = Stage::set().await;
    let reset = |number: usize| {
        let stream = u32::try_from(number).unwrap() * 2 + 1;
        let ask = frame(HEADERS, END_HEADERS_AND_STREAM, stream, &ASK);
        [ask, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    };
    let endless = |number: usize| {
        if number == 0 { frame(HEADERS, 1, 1, &ASK) } else { frame(CONTINUATION, 0, 1, &[0x00, 1, b'x', 1, b'y']) }
    };
    for door in &stage.doors {
        let resets = flood(door, (0..FRAMES).map(reset)).await;
        assert!(resets < FRAMES, "rapid resets are taken for ever");
        stage.stands("rapid resets").await;
        let continued = flood(door, (0..FRAMES).map(endless)).await;
        assert!(continued < FRAMES, "a head without an end is taken for ever");
        stage.stands("continuations").await;
        for (kind, payload) in [(SETTINGS, &[0_u8, 3, 0, 0, 0, 100][..]), (PING, &[0; 8])] {
            flood(door, (0..FRAMES).map(|_| frame(kind, 0, 0, payload))).await;
            stage.stands("settings and pings").await;
        }
    }
}

#[tokio::test]
async fn ten_thousand_idle_connections_and_slow_heads_keep_nobody_out() {
    let files = usize::try_from(have_files()).unwrap_or(IDLE);
    let stage = Stage::set().await;
    for door in &stage.doors {
        let mut slow = Vec::new();
        for _ in 0..SLOW {
            let mut stream = TcpStream::connect(door).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX: ").await.unwrap();
            slow.push(stream);
        }
        let mut idle = Vec::new();
        for _ in 0..IDLE.min(files.saturating_sub(1000)) {
            idle.push(TcpStream::connect(door).await.unwrap());
        }
        stage.stands("idle connections").await;
        // A byte now and then does not keep a head alive.
        let started = Instant::now();
        while let Some(stream) = slow.first_mut() {
            if stream.write_all(b"y").await.is_err() {
                slow.remove(0);
                continue;
            }
            assert!(started.elapsed() < 2 * HEAD, "a head goes on for ever");
            let _ = timeout(Duration::from_millis(200), stream.read_u8()).await;
        }
        drop(idle);
        stage.stands("slow heads").await;
    }
}
