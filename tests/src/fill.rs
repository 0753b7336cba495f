//! Fills a log with a history faster than anybody may state facts: before its server runs, another one on what it stores
//! takes them in that asks nobody who he is and does not wait for the disk.

use events::envelope::{CONTENT_TYPE, Envelope, SPEC_VERSION};
use events::{Recorded, subject};
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::Stdio;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};

/// Facts on their way at the same time.
const IN_FLIGHT: u64 = 2000;

/// Fills the log that a private server keeps below `folder`, which must be provisioned and not run. The facts must be in
/// order from 1. Answers how many there were.
///
/// # Panics
/// If the server does not run or does not take a fact.
pub async fn fill(folder: &Path, history: impl Iterator<Item = Recorded>) -> u64 {
    let (port, store) = (servers::free_ports(1).unwrap()[0], folder.join("store"));
    let mut server = start(&folder.join("fill.conf"), &store, port);
    let mut wire = Wire::connect(port).await;
    while !wire.has_stream().await {}
    let mut sent = 0;
    for fact in history {
        wire.publish(&fact).await;
        sent += 1;
        if sent >= IN_FLIGHT {
            wire.stored().await;
        }
    }
    for _ in 0..sent.min(IN_FLIGHT - 1) {
        wire.stored().await;
    }
    for reaction in wire.reactions().await {
        wire.work_through(&reaction).await;
    }
    kill_process(Pid::from_raw(server.id().unwrap().cast_signed()).unwrap(), Signal::TERM).unwrap();
    server.wait().await.unwrap();
    sent
}

fn start(config: &Path, store: &Path, port: u16) -> Child {
    let text = format!("listen: \"127.0.0.1:{port}\"\njetstream {{\n  store_dir: \"{}\"\n}}\n", store.display());
    std::fs::write(config, text).unwrap();
    let mut server = Command::new("nats-server");
    server.arg("-c").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    server.kill_on_drop(true).spawn().unwrap()
}

/// The protocol of NATS, as much of it as publishing needs.
struct Wire {
    from: BufReader<OwnedReadHalf>,
    to: BufWriter<OwnedWriteHalf>,
}

impl Wire {
    async fn connect(port: u16) -> Self {
        let stream =
            crate::eventually("the server to be filled", async || TcpStream::connect(("127.0.0.1", port)).await.ok());
        let (from, to) = stream.await.into_split();
        let mut wire = Self { from: BufReader::new(from), to: BufWriter::with_capacity(1 << 16, to) };
        let hello = b"CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nSUB answers 1\r\n";
        wire.to.write_all(hello).await.unwrap();
        wire
    }

    /// Whether the server has found the stream.
    async fn has_stream(&mut self) -> bool {
        self.ask(&format!("$JS.API.STREAM.INFO.{}", subject::EVENTS), "").await;
        self.answer().await.contains("\"config\"")
    }

    async fn publish(&mut self, fact: &Recorded) {
        let (headers, payload) = (headers(fact), fact.event.data().to_string());
        let (of_headers, of_all) = (headers.len(), headers.len() + payload.len());
        let message = format!("HPUB {} answers {of_headers} {of_all}\r\n{headers}{payload}\r\n", fact.log_subject());
        self.to.write_all(message.as_bytes()).await.unwrap();
    }

    /// Waits until one more is stored.
    async fn stored(&mut self) {
        let answer = self.answer().await;
        assert!(answer.contains("\"seq\""), "{answer}");
    }

    /// Those that have a place in the log.
    async fn reactions(&mut self) -> Vec<String> {
        self.ask(&format!("$JS.API.CONSUMER.NAMES.{}", subject::EVENTS), "").await;
        let answer: serde_json::Value = serde_json::from_str(&self.answer().await).unwrap();
        serde_json::from_value(answer["consumers"].clone()).unwrap_or_default()
    }

    /// Acknowledges for a reaction all that it has not heard: the past was worked through when it was the present.
    async fn work_through(&mut self, reaction: &str) {
        let consumer = format!("{}.{reaction}", subject::EVENTS);
        loop {
            let wanted = format!("{{\"batch\":{IN_FLIGHT},\"no_wait\":true}}");
            self.ask(&format!("$JS.API.CONSUMER.MSG.NEXT.{consumer}"), &wanted).await;
            let mut heard = 0;
            while heard < IN_FLIGHT
                && let Some(reply) = self.offered().await
            {
                self.to.write_all(format!("PUB {reply} 4\r\n+ACK\r\n").as_bytes()).await.unwrap();
                heard += 1;
            }
            if heard < IN_FLIGHT {
                break;
            }
        }
        let info = format!("$JS.API.CONSUMER.INFO.{consumer}");
        loop {
            self.ask(&info, "").await;
            let answer = self.answer().await;
            assert!(answer.contains("\"num_pending\":0"), "all was offered: {answer}");
            if answer.contains("\"num_ack_pending\":0") {
                return;
            }
        }
    }

    async fn ask(&mut self, subject: &str, payload: &str) {
        let message = format!("PUB {subject} answers {}\r\n{payload}\r\n", payload.len());
        self.to.write_all(message.as_bytes()).await.unwrap();
    }

    /// Where to acknowledge the next fact that is offered; none if there is no more for now.
    async fn offered(&mut self) -> Option<String> {
        let (line, _) = self.message().await;
        let reply = line.split(' ').nth(3)?;
        reply.starts_with("$JS.ACK.").then(|| reply.to_owned())
    }

    /// What is said to us next.
    async fn answer(&mut self) -> String {
        self.message().await.1
    }

    /// The next message for us: the line that announces it, and what it holds.
    async fn message(&mut self) -> (String, String) {
        loop {
            // Nothing waits here for long while there is something to read.
            if self.from.buffer().is_empty() {
                self.to.flush().await.unwrap();
            }
            let mut line = String::new();
            self.from.read_line(&mut line).await.unwrap();
            assert!(!line.is_empty() && !line.starts_with("-ERR"), "the server said {line:?}");
            if line.starts_with("PING") {
                self.to.write_all(b"PONG\r\n").await.unwrap();
            } else if line.starts_with("MSG") || line.starts_with("HMSG") {
                let length: usize = line.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
                let mut payload = vec![0; length + 2];
                self.from.read_exact(&mut payload).await.unwrap();
                return (line, String::from_utf8(payload).unwrap());
            }
        }
    }
}

/// The attributes as CloudEvents has them in binary mode. Nothing in the histories made here needs escaping.
fn headers(fact: &Recorded) -> String {
    let Recorded { envelope, event, .. } = fact;
    let mut text = "NATS/1.0\r\n".to_owned();
    let mut header = |name: &str, value: &str| text.extend([name, ": ", value, "\r\n"]);
    header("ce-specversion", SPEC_VERSION);
    header("ce-id", &envelope.id.to_string());
    header("ce-source", &envelope.source);
    header("ce-type", &event.type_name().to_string());
    header("ce-subject", &envelope.subject);
    header("ce-time", &envelope.time.format(&Rfc3339).unwrap());
    header("ce-datacontenttype", CONTENT_TYPE);
    header("ce-dataschema", &Envelope::schema_of(event).to_string());
    header("ce-correlationid", &envelope.correlation.to_string());
    header("ce-actor", &envelope.actor.0);
    if let Some(causation) = envelope.causation {
        header("ce-causationid", &causation.to_string());
    }
    if let Some(traceparent) = &envelope.traceparent {
        header("ce-traceparent", traceparent);
    }
    header("Nats-Msg-Id", &envelope.id.to_string());
    text + "\r\n"
}
