//! Who is there: each process tells once in a while how it stands, and whoever looks after the installation listens. Nothing of
//! it is kept anywhere: who falls silent is gone.

use crate::clock;
use crate::connection::Connection;
use events::subject;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often a process tells of itself.
pub const EVERY: Duration = Duration::from_secs(2);
/// After how long who has said nothing is taken to be gone.
pub const SILENT: Duration = Duration::from_secs(7);
/// Processes that are remembered at most; who tells more than any installation has is not listened to.
const HEARD_MAX: usize = 1000;

/// What a process tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Present {
    /// Its service; whoever listens takes it from the subject, which the log's server vouches for.
    #[serde(skip)]
    pub service: String,
    /// What it is called, unlike any other of its service.
    pub name: String,
    /// Up to which place of the log it has folded; absent if it folds nothing, or not yet.
    pub position: Option<u64>,
    /// The places for builds that it has; absent if it builds nothing.
    pub slots: Option<Slots>,
}

/// Places for builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// How many there are.
    pub all: usize,
    /// How many are taken.
    pub busy: usize,
    /// Whether the others can be taken now: the sandbox works, and there is room on the disk.
    pub works: bool,
}

/// Tells of a process until it is dropped.
#[derive(Debug)]
pub struct Telling {
    said: watch::Sender<Present>,
    _ended: DropGuard,
}

impl Telling {
    /// Begins to tell of the process behind `connection`, which is called `name`.
    #[must_use]
    pub fn begin(connection: &Connection, name: String) -> Self {
        let service = connection.service.clone();
        let (said, hears) = watch::channel(Present { service, name, ..Present::default() });
        let ended = CancellationToken::new();
        let telling = tell(connection.clone(), hears);
        let stopped = ended.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(telling).await });
        Self { said, _ended: ended.drop_guard() }
    }

    /// The same under a name that nobody else has.
    #[must_use]
    pub fn unnamed(connection: &Connection) -> Self {
        let id = clock::new_id().simple().to_string();
        Self::begin(connection, format!("{}-{}", connection.service, &id[id.len() - 8..]))
    }

    /// How far it has folded the log.
    pub fn position(&self, sequence: u64) {
        self.said.send_modify(|said| said.position = Some(sequence));
    }

    /// Which places for builds it has.
    pub fn slots(&self, slots: Slots) {
        self.said.send_modify(|said| said.slots = Some(slots));
    }
}

async fn tell(connection: Connection, said: watch::Receiver<Present>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // What would wait for a server that is away would be old news when it came.
        if !connection.is_up().await {
            continue;
        }
        let text = serde_json::to_vec(&*said.borrow()).unwrap_or_default();
        if let Err(error) = connection.client.publish(subject::presence(&connection.service), text.into()).await {
            tracing::debug!(%error, "nobody was told that this process is there");
        }
    }
}

/// Who has told of itself lately.
#[derive(Debug, Clone, Default)]
pub struct Attendance(Arc<Mutex<Heard>>);

/// By service and name, and when.
type Heard = BTreeMap<(String, String), (Instant, Present)>;

impl Attendance {
    /// Listens until `stop` fires.
    #[must_use]
    pub fn listen(connection: &Connection, stop: CancellationToken) -> Self {
        let attendance = Self::default();
        let listening = attendance.clone().hear_all(connection.clone());
        tokio::spawn(async move { stop.run_until_cancelled(listening).await });
        attendance
    }

    async fn hear_all(self, connection: Connection) {
        // The client subscribes again by itself after an interruption.
        let mut told = match connection.client.subscribe(subject::ALL_PRESENCE).await {
            Ok(told) => told,
            Err(error) => return tracing::warn!(%error, "nobody is heard who tells that they are there"),
        };
        while let Some(message) = told.next().await {
            let (service, said) = (subject::present(&message.subject), serde_json::from_slice(&message.payload));
            if let (Some(service), Ok(present)) = (service, said) {
                self.hear(Present { service, ..present });
            }
        }
    }

    fn hear(&self, present: Present) {
        let (mut heard, now) = (self.0.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        heard.retain(|_, (at, _)| now.duration_since(*at) < SILENT);
        if heard.len() < HEARD_MAX {
            heard.insert((present.service.clone(), present.name.clone()), (now, present));
        }
    }

    /// Those who are there, by service and name.
    #[must_use]
    pub fn present(&self) -> Vec<Present> {
        let (heard, now) = (self.0.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        let there = heard.values().filter(|(at, _)| now.duration_since(*at) < SILENT);
        there.map(|(_, present)| present.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Attendance, Present, SILENT};

    #[tokio::test(start_paused = true)]
    async fn who_falls_silent_is_gone() {
        let attendance = Attendance::default();
        let edge = |name: &str| Present { service: "edge".to_owned(), name: name.to_owned(), ..Present::default() };
        attendance.hear(edge("a"));
        tokio::time::advance(SILENT / 2).await;
        attendance.hear(edge("b"));
        attendance.hear(Present { position: Some(7), ..edge("b") });
        assert_eq!(attendance.present(), [edge("a"), Present { position: Some(7), ..edge("b") }]);
        tokio::time::advance(SILENT / 2).await;
        assert_eq!(attendance.present(), [Present { position: Some(7), ..edge("b") }]);
    }
}
