//! Who may say what: one user per service, each with the subjects it needs and no other.
//!
//! A service that is taken over can state only the facts that are its own, cannot change or delete a stream, and hears
//! answers only in its own inbox.

use super::access::passwords;
use super::proof;
use runtime::connection::inbox_prefix;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

/// A user of the log's server and what it may publish to.
pub struct User {
    /// The service's name.
    pub name: &'static str,
    /// Facts it may state: aggregates.
    states: &'static [&'static str],
    /// Streams it may read.
    reads: &'static [&'static str],
    /// Anything else it may publish to.
    also: &'static [&'static str],
}

/// The operator may do anything in the JetStream API, but may not state a fact past the domain's rules.
const OPERATOR: &[&str] = &["$JS.API.>", "$JS.ACK.>", "$KV.>", "$O.>", "parked.>"];

/// Every user.
pub const USERS: &[User] = &[
    User { name: "ctl", states: &[], reads: &[], also: OPERATOR },
    User {
        name: "web",
        states: &["organization", "handle", "site", "host", "repository", "build", "alias"],
        reads: &["EVENTS", "LOGS"],
        also: &["$KV.SESSIONS.>", "$JS.API.STREAM.INFO.KV_SESSIONS", "$JS.API.STREAM.MSG.GET.KV_SESSIONS"],
    },
    User {
        name: "scheduler",
        states: &["build", "alias"],
        reads: &["EVENTS", "OBJ_SNAPSHOTS"],
        also: &[
            "$KV.LEASES.>",
            "$JS.API.STREAM.INFO.KV_LEASES",
            "$O.SNAPSHOTS.>",
            "$JS.API.STREAM.PURGE.OBJ_SNAPSHOTS",
            // A large snapshot is sent in portions, each asked for.
            "$JS.FC.OBJ_SNAPSHOTS.>",
            "$JS.API.STREAM.MSG.GET.KV_LEASES",
        ],
    },
    User {
        name: "launcher",
        states: &["build"],
        reads: &["EVENTS", "LOGS", "PARKED"],
        also: &["logs.build.*", "parked.launcher.*", "parked.log-archiver.*"],
    },
    User { name: "syncer", states: &["deploy", "alias"], reads: &["EVENTS", "PARKED"], also: &["parked.syncer.*"] },
    User { name: "projector", states: &[], reads: &["EVENTS"], also: &[] },
    User { name: "edge", states: &[], reads: &["EVENTS"], also: &[] },
];

impl User {
    fn publishes(&self) -> Vec<String> {
        let mut subjects: Vec<String> = self.states.iter().map(|kind| events::subject::events_of(kind)).collect();
        subjects.push("$JS.API.INFO".to_owned());
        for stream in self.reads {
            subjects.extend([
                format!("$JS.API.STREAM.INFO.{stream}"),
                format!("$JS.API.STREAM.MSG.GET.{stream}"),
                format!("$JS.API.DIRECT.GET.{stream}"),
                format!("$JS.API.DIRECT.GET.{stream}.>"),
                format!("$JS.API.CONSUMER.CREATE.{stream}"),
                format!("$JS.API.CONSUMER.CREATE.{stream}.>"),
                format!("$JS.API.CONSUMER.INFO.{stream}.>"),
                format!("$JS.API.CONSUMER.DELETE.{stream}.>"),
                format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.>"),
                format!("$JS.ACK.{stream}.>"),
            ]);
        }
        subjects.extend(self.also.iter().map(|subject| (*subject).to_owned()));
        subjects
    }
}

/// A private server's configuration.
pub(super) fn configuration(folder: &Path, address: SocketAddr) -> std::io::Result<String> {
    let secrets = passwords(folder)?;
    proof::prepare(folder)?;
    let text = format!(
        "listen: \"{address}\"\nserver_name: \"pagefold\"\nstore_dir: \"{}\"\n\
         tls {{\n  cert_file: \"{}\"\n  key_file: \"{}\"\n  timeout: 5\n}}\n",
        folder.join("store").display(),
        proof::certificate(folder).display(),
        proof::key(folder).display(),
    );
    Ok(text + &shared(&secrets)?)
}

/// What every server of a log is told, wherever it listens. Everything is synced before it is acknowledged: with the default
/// of two minutes a power cut loses acknowledged facts.
pub(super) fn shared(passwords: &BTreeMap<String, SecretString>) -> std::io::Result<String> {
    let mut text = "max_payload: 1MB\njetstream {\n  sync_interval: always\n  max_memory_store: 64MB\n}\n\
                    authorization {\n  timeout: 5\n  users: [\n"
        .to_owned();
    for user in USERS {
        let Some(secret) = passwords.get(user.name) else { continue };
        let publish = serde_json::to_string(&user.publishes())?;
        let inbox = inbox_prefix(user.name);
        let _ = writeln!(
            text,
            "    {{ user: \"{}\", password: \"{}\", permissions: {{ publish: {publish}, subscribe: [\"{inbox}.>\"] }} }}",
            user.name,
            secret.expose_secret(),
        );
    }
    text.push_str("  ]\n}\n");
    Ok(text)
}
