//! Who may say what: one user per service, each with the subjects it needs and no other.
//!
//! A service that is taken over can state only the facts that are its own, cannot change or delete a stream, and hears
//! answers only in its own inbox.

use events::subject;

/// A user of the log's server and what it may publish to.
pub struct User {
    /// The service's name.
    pub name: &'static str,
    /// Facts it may state: aggregates.
    states: &'static [&'static str],
    /// Streams it may look things up in.
    reads: &'static [&'static str],
    /// What it may follow, by consumers that end with it.
    follows: &'static [Followed],
    /// Whether it works through facts: by a consumer of its name, which nobody else may touch, with a place on the shelf.
    works: bool,
    /// Anything else it may publish to.
    also: &'static [&'static str],
}

/// What is followed: the request for a consumer names the stream, the consumer, and what the consumer hears.
struct Followed {
    stream: &'static str,
    hears: &'static str,
}

const FACTS: Followed = Followed { stream: subject::EVENTS, hears: subject::ALL_EVENTS };
const BUILD_LOGS: Followed = Followed { stream: subject::LOGS, hears: subject::ALL_LOGS };

/// The operator may do anything in the JetStream API, but may not state a fact past the domain's rules.
const OPERATOR: &[&str] = &["$JS.API.>", "$JS.ACK.>", "$KV.>", "$O.>", "parked.>"];

/// Every user.
pub const USERS: &[User] = &[
    User { name: "ctl", states: &[], reads: &[], follows: &[], works: false, also: OPERATOR },
    User {
        name: "web",
        states: &[
            "organization",
            "handle",
            "user",
            "invitation",
            "identity",
            "token",
            "site",
            "receiver",
            "notice",
            "host",
            "route",
            "domain",
            "repository",
            "build",
            "alias",
            "deploy",
        ],
        reads: &["EVENTS", "LOGS", "PARKED", "STRAYS"],
        follows: &[FACTS, BUILD_LOGS],
        works: false,
        also: &[
            // What admins look after: how far consumers are, and what they could not handle.
            "$JS.API.CONSUMER.LIST.EVENTS",
            "$JS.API.STREAM.MSG.DELETE.PARKED",
            "parked.*.retry.*",
            "$KV.SESSIONS.>",
            "$JS.API.STREAM.INFO.KV_SESSIONS",
            "$JS.API.STREAM.MSG.GET.KV_SESSIONS",
            "$KV.KEYS.>",
            "$JS.API.STREAM.INFO.KV_KEYS",
            "$JS.API.STREAM.MSG.GET.KV_KEYS",
            subject::ALL_STRAYS,
            "$KV.USES.>",
            "$JS.API.STREAM.INFO.KV_USES",
            "$JS.API.STREAM.MSG.GET.KV_USES",
            "$KV.REQUESTS.>",
            "$JS.API.STREAM.INFO.KV_REQUESTS",
            "$JS.API.STREAM.MSG.GET.KV_REQUESTS",
        ],
    },
    User {
        name: "scheduler",
        states: &["build", "alias", "site", "host", "organization"],
        reads: &["EVENTS"],
        follows: &[FACTS],
        works: false,
        also: &[
            "$KV.LEASES.>",
            "$JS.API.STREAM.INFO.KV_LEASES",
            "$JS.API.STREAM.MSG.GET.KV_LEASES",
            "$O.SNAPSHOTS.>",
            "$JS.API.STREAM.INFO.OBJ_SNAPSHOTS",
            "$JS.API.STREAM.PURGE.OBJ_SNAPSHOTS",
            "$JS.API.DIRECT.GET.OBJ_SNAPSHOTS.>",
            "$JS.API.CONSUMER.CREATE.OBJ_SNAPSHOTS",
            "$JS.API.CONSUMER.CREATE.OBJ_SNAPSHOTS.>",
            "$JS.API.CONSUMER.DELETE.OBJ_SNAPSHOTS.>",
            // A large snapshot is sent in portions, each asked for.
            "$JS.FC.OBJ_SNAPSHOTS.>",
        ],
    },
    User {
        name: "launcher",
        states: &["build"],
        reads: &["EVENTS", "LOGS"],
        follows: &[],
        works: true,
        // Of the keys it can use those alone that are wrapped with the one it has.
        also: &[subject::ALL_LOGS, "$JS.API.STREAM.INFO.KV_KEYS", "$JS.API.STREAM.MSG.GET.KV_KEYS"],
    },
    User {
        name: "syncer",
        states: &["deploy", "alias"],
        reads: &["EVENTS"],
        follows: &[],
        works: true,
        // It destroys what sites' secrets are read with, and cannot read it.
        also: &["$KV.KEYS.builds.*", "$KV.KEYS.site.*", "$JS.API.STREAM.INFO.KV_KEYS"],
    },
    User {
        name: "notifier",
        states: &["notice"],
        reads: &["EVENTS"],
        follows: &[FACTS],
        works: false,
        also: &[
            "$KV.LEASES.notifier",
            "$JS.API.STREAM.INFO.KV_LEASES",
            "$JS.API.STREAM.MSG.GET.KV_LEASES",
            "$JS.API.STREAM.INFO.KV_KEYS",
            "$JS.API.STREAM.MSG.GET.KV_KEYS",
            // Pieces of snapshots have names that nobody chose; which object they are is said under its own name alone.
            "$O.SNAPSHOTS.C.*",
            "$O.SNAPSHOTS.M.bm90aWZpZXI=",
            "$JS.API.STREAM.INFO.OBJ_SNAPSHOTS",
            "$JS.API.STREAM.PURGE.OBJ_SNAPSHOTS",
            "$JS.API.DIRECT.GET.OBJ_SNAPSHOTS.>",
            "$JS.API.CONSUMER.CREATE.OBJ_SNAPSHOTS",
            "$JS.API.CONSUMER.CREATE.OBJ_SNAPSHOTS.>",
            "$JS.API.CONSUMER.DELETE.OBJ_SNAPSHOTS.>",
            "$JS.FC.OBJ_SNAPSHOTS.>",
        ],
    },
    User {
        name: "registrar",
        states: &["domain"],
        reads: &["EVENTS"],
        follows: &[FACTS],
        works: false,
        also: &[
            "$KV.LEASES.registrar",
            "$JS.API.STREAM.INFO.KV_LEASES",
            "$JS.API.STREAM.MSG.GET.KV_LEASES",
            "$O.SNAPSHOTS.C.*",
            "$O.SNAPSHOTS.M.cmVnaXN0cmFy",
            "$JS.API.STREAM.INFO.OBJ_SNAPSHOTS",
            "$JS.API.STREAM.PURGE.OBJ_SNAPSHOTS",
            "$JS.API.DIRECT.GET.OBJ_SNAPSHOTS.>",
            "$JS.API.CONSUMER.CREATE.OBJ_SNAPSHOTS",
            "$JS.API.CONSUMER.CREATE.OBJ_SNAPSHOTS.>",
            "$JS.API.CONSUMER.DELETE.OBJ_SNAPSHOTS.>",
            "$JS.FC.OBJ_SNAPSHOTS.>",
        ],
    },
    User { name: "projector", states: &[], reads: &["EVENTS"], follows: &[FACTS], works: false, also: &[] },
    User { name: "edge", states: &[], reads: &["EVENTS"], follows: &[FACTS], works: false, also: &[] },
];

impl User {
    pub(super) fn publishes(&self) -> Vec<String> {
        let mut subjects: Vec<String> = self.states.iter().map(|kind| subject::events_of(kind)).collect();
        subjects.extend(["$JS.API.INFO".to_owned(), subject::presence(self.name)]);
        for stream in self.reads {
            subjects.extend([
                format!("$JS.API.STREAM.INFO.{stream}"),
                format!("$JS.API.STREAM.MSG.GET.{stream}"),
                format!("$JS.API.DIRECT.GET.{stream}"),
            ]);
        }
        for Followed { stream, hears } in self.follows {
            subjects.extend([
                format!("$JS.API.CONSUMER.CREATE.{stream}.*.{hears}"),
                format!("$JS.API.CONSUMER.INFO.{stream}.*"),
                format!("$JS.API.CONSUMER.DELETE.{stream}.*"),
                format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.*"),
            ]);
        }
        if self.works {
            let name = self.name;
            subjects.extend(["$JS.API.STREAM.MSG.GET.PARKED".to_owned(), format!("parked.{name}.*")]);
            for stream in [subject::EVENTS, subject::PARKED] {
                subjects.extend([
                    format!("$JS.API.CONSUMER.CREATE.{stream}.{name}"),
                    format!("$JS.API.CONSUMER.INFO.{stream}.{name}"),
                    format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"),
                    format!("$JS.ACK.{stream}.{name}.>"),
                ]);
            }
        }
        subjects.extend(self.also.iter().map(|subject| (*subject).to_owned()));
        subjects
    }

    /// What it hears beside the answers to its own questions.
    pub(super) fn hears(&self) -> &'static [&'static str] {
        // Whoever looks after the installation does so there.
        if self.name == "web" { &[subject::ALL_PRESENCE] } else { &[] }
    }

    /// The consumers by which others work: whoever could read, change or remove one would take their work away. One that
    /// follows has a name that nobody else knows, and permissions cannot tell such names apart: a wildcard is a whole token.
    /// So whoever may name a consumer as it likes must not choose these.
    pub(super) fn leaves_alone(&self) -> Vec<String> {
        if self.follows.is_empty() {
            return Vec::new();
        }
        let of = |name| {
            [
                format!("$JS.API.CONSUMER.*.EVENTS.{name}"),
                format!("$JS.API.CONSUMER.*.EVENTS.{name}.>"),
                format!("$JS.API.CONSUMER.MSG.NEXT.EVENTS.{name}"),
            ]
        };
        USERS.iter().filter(|other| other.works).flat_map(|other| of(other.name)).collect()
    }
}
