//! A log of its own with a history in it.

use async_nats::{Client, ConnectOptions, HeaderMap, Message};
use bytes::Bytes;
use events::Recorded;
use events::envelope::{CONTENT_TYPE, Envelope, SPEC_VERSION};
use futures::{StreamExt, stream};
use journeys::bench::progress;
use journeys::temporary_folder;
use runtime::server::{self, Server};
use runtime::{Connection, Log, streams};
use rustix::process::{Pid, Signal, kill_process};
use secrecy::ExposeSecret;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;
use tempfile::TempDir;
use time::format_description::well_known::Rfc3339;
use tokio::process::Command;

/// Facts on their way to the log at the same time while it is filled.
const IN_FLIGHT: usize = 2000;

/// A running log.
pub(crate) struct FilledLog {
    server: Server,
    folder: TempDir,
}

impl FilledLog {
    /// A log that holds `history`, whose facts must be in order from 1.
    pub(crate) async fn new(history: impl Iterator<Item = Recorded>) -> Self {
        let folder = temporary_folder();
        let at = folder.path().join("log");
        let server = Server::start(&at, 0).await.unwrap();
        let operator = Connection::open(&server.access("ctl").unwrap()).await.unwrap();
        streams::provision(&operator, 1).await.unwrap();
        operator.close().await;
        server.stop().await;
        fill(&at, history).await;
        let server = Server::start(&at, 0).await.unwrap();
        Self { server, folder }
    }

    /// A folder for whatever else the measurement keeps on the same disk.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The log as a service sees it.
    pub(crate) async fn log(&self, service: &str) -> Log {
        Log::new(Connection::open(&self.server.access(service).unwrap()).await.unwrap())
    }

    /// The same without anything of ours.
    pub(crate) async fn bare(&self, service: &str) -> Client {
        let access = self.server.access(service).unwrap();
        let options = ConnectOptions::with_user_and_password(access.user, access.password.expose_secret().to_owned());
        let options = options.add_root_certificates(access.certificate.unwrap());
        options.custom_inbox_prefix(format!("_INBOX_{service}")).connect(&access.url).await.unwrap()
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

/// Fills what a server stores below `folder` by another one that lets anybody publish and does not wait for the disk.
async fn fill(folder: &Path, history: impl Iterator<Item = Recorded>) {
    let mut history = history.peekable();
    if history.peek().is_none() {
        return;
    }
    let (port, store) = (server::free_ports(1).unwrap()[0], folder.join("store"));
    let config = folder.join("fill.conf");
    let text = format!("listen: \"127.0.0.1:{port}\"\njetstream {{\n  store_dir: \"{}\"\n}}\n", store.display());
    std::fs::write(&config, text).unwrap();
    let mut server = Command::new("nats-server");
    let server = server.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut server = server.spawn().unwrap();
    let client = ConnectOptions::new().retry_on_initial_connect().connect(format!("127.0.0.1:{port}")).await.unwrap();
    while !is_ready(&client).await {}
    let (mut count, started) = (0_u64, Instant::now());
    let mut answers = stream::iter(history).map(|fact| publish(&client, fact)).buffered(IN_FLIGHT);
    while answers.next().await.is_some() {
        count += 1;
    }
    progress(format_args!("filled a log with {count} facts, {:.0}/s", count as f64 / started.elapsed().as_secs_f64()));
    kill_process(Pid::from_raw(server.id().unwrap().cast_signed()).unwrap(), Signal::TERM).unwrap();
    server.wait().await.unwrap();
}

/// Whether the server has found the stream.
async fn is_ready(client: &Client) -> bool {
    let answer = client.request("$JS.API.STREAM.INFO.EVENTS", Bytes::new()).await;
    answer.is_ok_and(|answer| !answer.payload.windows(7).any(|window| window == b"\"error\""))
}

async fn publish(client: &Client, fact: Recorded) {
    let answer = client.request_with_headers(fact.log_subject(), headers(&fact), payload(&fact)).await.unwrap();
    expect_stored(&answer);
}

/// Stops if the server did not store what was sent.
pub(crate) fn expect_stored(answer: &Message) {
    assert!(!answer.payload.windows(7).any(|window| window == b"\"error\""), "{:?}", answer.payload);
}

fn payload(fact: &Recorded) -> Bytes {
    fact.event.data().to_string().into()
}

/// The attributes as CloudEvents has them in binary mode. Nothing in the histories made here needs escaping.
fn headers(fact: &Recorded) -> HeaderMap {
    let Recorded { envelope, event, .. } = fact;
    let mut headers = HeaderMap::new();
    headers.insert("ce-specversion", SPEC_VERSION);
    headers.insert("ce-id", envelope.id.to_string());
    headers.insert("ce-source", envelope.source.as_str());
    headers.insert("ce-type", event.type_name());
    headers.insert("ce-subject", envelope.subject.as_str());
    headers.insert("ce-time", envelope.time.format(&Rfc3339).unwrap());
    headers.insert("ce-datacontenttype", CONTENT_TYPE);
    headers.insert("ce-dataschema", Envelope::schema_of(event));
    headers.insert("ce-correlationid", envelope.correlation.to_string());
    headers.insert("ce-actor", envelope.actor.0.as_str());
    if let Some(causation) = envelope.causation {
        headers.insert("ce-causationid", causation.to_string());
    }
    if let Some(traceparent) = &envelope.traceparent {
        headers.insert("ce-traceparent", traceparent.as_str());
    }
    headers.insert("Nats-Msg-Id", envelope.id.to_string());
    headers
}
