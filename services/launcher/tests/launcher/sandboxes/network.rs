//! What a build reaches: nothing but what it is let through the gate to.

use super::place::{Place, run, sandboxes};
use dialer::Own;
use events::Network;
use launcher::gate::{Gate, Policy};
use launcher::sandbox::Exit;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server of HTTP that says `here`, and its port.
async fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = client.read(&mut [0; 4096]).await;
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere").await;
        }
    });
    port
}

/// Asks for an address through the proxy, in the two ways that programs know, and prints what is answered.
const ASK: &str = r#"
    const http = require("http"), proxy = new URL(process.env.http_proxy), [kind, host, port] = process.argv.slice(1);
    const say = (text) => { console.log(kind, text); process.exit(); };
    if (kind === "direct") {
        const socket = require("net").connect({ host, port, timeout: 2000 });
        socket.on("connect", () => say("reached")).on("error", () => say("closed")).on("timeout", () => say("closed"));
    } else if (kind === "tunnel") {
        const asked = http.request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: `${host}:${port}` });
        asked.on("connect", (answer, socket) => {
            if (answer.statusCode !== 200) return say(answer.statusCode);
            socket.on("data", (data) => say(String(data).split("\r\n\r\n")[1])).write("GET / HTTP/1.1\r\n\r\n");
        }).end();
    } else {
        const asked = http.request({ host: proxy.hostname, port: proxy.port, path: `http://${host}:${port}/x?y` });
        asked.on("response", (answer) => answer.on("data", (data) => say(answer.statusCode === 200 ? String(data) : answer.statusCode))).end();
    }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_build_reaches_what_it_may_and_nothing_of_this_machine() {
    let (named, other, own) = (server().await, server().await, server().await);
    let places = vec![format!("127.0.0.1:{named}"), format!("127.0.0.1:{own}")];
    let policy = Policy::new(vec!["localhost".to_owned()], places, vec![Own::At(format!("127.0.0.1:{own}"))]);
    let policy = Arc::new(policy);
    for sandbox in sandboxes().await {
        for network in [Network::Registries, Network::Full] {
            let place = Place::new();
            let folder = place.workspace().gate();
            let (gate, mut said) = Gate::open(&folder, Arc::clone(&policy), network).unwrap();
            let asks = [
                ("tunnel", "127.0.0.1", named),
                ("get", "127.0.0.1", named),
                ("direct", "127.0.0.1", named),
                ("tunnel", "127.0.0.1", other),
                ("tunnel", "localhost", 80),
                ("tunnel", "127.0.0.1", own),
                ("tunnel", "169.254.169.254", 80),
                ("direct", "169.254.169.254", 80),
                ("get", "10.0.0.1", 80),
            ];
            let script: Vec<String> =
                asks.iter().map(|(kind, host, port)| format!("node -e '{ASK}' {kind} {host} {port}")).collect();
            let (exit, lines) = run(&sandbox, &place.shell(&script.join("\n")).through(folder)).await;
            assert_eq!(exit, Exit::Code(0), "{}: {lines:?}", sandbox.name());
            let expected = [
                "tunnel here",
                "get here",
                "direct closed",
                "tunnel 403",
                "tunnel 403",
                "tunnel 403",
                "tunnel 403",
                "direct closed",
                "get 403",
            ];
            assert_eq!(lines, expected, "{} {network}", sandbox.name());
            assert_eq!(gate.told().unwrap(), format!("network: 127.0.0.1:{named} (2 connections, {} bytes)", 2 * 61));
            drop(gate);
            let mut refused = Vec::new();
            while let Some(line) = said.recv().await {
                refused.push(line);
            }
            let hosts = [format!("127.0.0.1:{other}"), "169.254.169.254:80".to_owned(), "10.0.0.1:80".to_owned()];
            for host in hosts {
                assert!(
                    refused.iter().any(|line| line.starts_with(&format!("network: {host} was refused"))),
                    "{refused:?}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_serves_the_gate_holds_up_no_build_and_hides_no_exit() {
    let policy = Arc::new(Policy::new(Vec::new(), Vec::new(), Vec::new()));
    for sandbox in sandboxes().await {
        for (script, expected) in [("exit 7", 7), ("(sleep 60 &) ; wait; exit 0", 0)] {
            let place = Place::new();
            let folder = place.workspace().gate();
            let (_gate, _said) = Gate::open(&folder, Arc::clone(&policy), Network::Full).unwrap();
            let (exit, lines) = run(&sandbox, &place.shell(script).through(folder)).await;
            assert_eq!(exit, Exit::Code(expected), "{}: {lines:?}", sandbox.name());
        }
    }
}
