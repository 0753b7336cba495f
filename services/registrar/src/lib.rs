//! The registrar has domains proven: it looks at the records of a name until they say whose it is and that it leads here. Then it has
//! certificates issued for it, and renewed early.
//!
//! *Hears* facts about domains, and that sites are erased. *Says* `domain.verified`, `domain.check_failed`, `domain.failed`,
//! `domain.certificate_…`, and `domain.removed` for an erased site. *Touches* the resolver of an operator, and an authority. *Safe to repeat because* what was found is a fact
//! that follows from the one that asked for it, and a name that is looked at twice is the same name.

mod acme;
mod check;
mod desk;
mod dns;
mod look;

pub use acme::Acme;

use desk::Desk;
use events::routing::HostName;
use look::Office;
use runtime::fold::{Fold as _, Following, Memory, Objects, Step};
use runtime::lease::Lease;
use runtime::{Error, Log, clock, telemetry};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// Its name: lease, snapshot, source of its facts.
pub const NAME: &str = "registrar";
/// Names that are looked at beside each other.
const LOOKS: usize = 16;
/// How long it rests when its snapshot cannot be read.
const AGAIN: Duration = Duration::from_millis(500);
/// How long it leaves the lease to a newer version before it looks again.
const NEWER_AGAIN: Duration = Duration::from_secs(15);
/// How often the clock is looked at when nothing happens.
const TICK: Duration = Duration::from_secs(15);

/// Whom it asks, and where names have to lead.
#[derive(Debug, Clone)]
pub struct Config {
    /// The domain below which every site has its host.
    pub sites_domain: String,
    /// Where the edges answer; where the hosts of the sites lead if there are none.
    pub edge_addresses: Vec<IpAddr>,
    /// Who knows the records of names; those of the machine if absent.
    pub resolver: Option<SocketAddr>,
    /// Who issues certificates; names have none if absent.
    pub acme: Option<Acme>,
}

/// Runs until `stop` fires. Of several processes one is active; the others wait for its lease. One that hears a fact it does
/// not know leaves the lease to a newer version.
///
/// # Errors
/// None today: what the log cannot do now is waited for.
pub async fn run(log: Log, config: Config, stop: CancellationToken) -> Result<(), Error> {
    let (holder, office) = (format!("{NAME}-{}", clock::new_id()), Arc::new(Office::new(log.clone(), config)));
    while !stop.is_cancelled() {
        let Some(lease) = Lease::acquire(log.connection(), NAME, &holder, &stop).await else { return Ok(()) };
        let (lost, mut rest) = (lease.lost(), Duration::ZERO);
        tokio::select! {
            () = lost.cancelled() => tracing::warn!("another registrar may be active, standing by"),
            result = Active::start(Arc::clone(&office)) => match result {
                Ok(active) => if active.run(&stop, &lost).await == Ended::Newer {
                    tracing::error!("standing by until a newer version takes over");
                    rest = NEWER_AGAIN;
                },
                Err(error) => {
                    tracing::error!(error = &*error as &dyn std::error::Error, "the registrar cannot start, trying again");
                    rest = AGAIN;
                }
            },
        }
        lease.release().await;
        let _ = stop.run_until_cancelled(tokio::time::sleep(rest)).await;
    }
    Ok(())
}

/// Why it is not active any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// It was asked to, or another may be.
    Asked,
    /// Only a newer version knows all that was stated.
    Newer,
}

struct Active {
    office: Arc<Office>,
    desk: Following<Memory<Desk, Objects>>,
    looks: JoinSet<u64>,
    busy: HashMap<Id, HostName>,
    /// Up to where the log must be known before a name is looked at again.
    known_until: HashMap<HostName, u64>,
}

impl Active {
    async fn start(office: Arc<Office>) -> Result<Self, runtime::error::BoxError> {
        let log = office.log.clone();
        let desk = Memory::load(Objects::new(log.connection().clone(), NAME)).await?;
        tracing::info!(position = desk.position().sequence, "looking after domains");
        let desk = Following::new(log, desk);
        Ok(Self { office, desk, looks: JoinSet::new(), busy: HashMap::new(), known_until: HashMap::new() })
    }

    async fn run(mut self, stop: &CancellationToken, lost: &CancellationToken) -> Ended {
        loop {
            if self.desk.fold().newer().is_some() {
                return Ended::Newer;
            }
            // Nothing is looked at before it is known what was found already.
            if self.desk.is_level() {
                self.begin();
            }
            let rest = self.rest();
            tokio::select! {
                () = stop.cancelled() => break,
                () = lost.cancelled() => return Ended::Asked,
                Ok(step) = self.desk.next() => if step == Step::StartedOver {
                    self.looks.abort_all();
                    self.known_until.clear();
                },
                Some(ended) = self.looks.join_next_with_id() => self.end(ended),
                () = tokio::time::sleep(rest) => {}
            }
        }
        if let Err(error) = self.desk.into_fold().close().await {
            tracing::warn!(error = &*error as &dyn std::error::Error, "the snapshot was not stored");
        }
        Ended::Asked
    }

    /// Begins with every name that is due and that nobody is busy with.
    fn begin(&mut self) {
        let (desk, position) = (self.desk.fold().state(), self.desk.fold().position().sequence);
        telemetry::metrics::domains_waiting(desk.waiting() as u64);
        self.known_until.retain(|_, known_until| *known_until > position);
        for job in desk.due(clock::now().unix_timestamp(), self.office.certifies()) {
            if self.looks.len() >= LOOKS {
                return;
            }
            if !self.known_until.contains_key(&job.name) {
                self.known_until.insert(job.name.clone(), u64::MAX);
                let (office, name) = (Arc::clone(&self.office), job.name.clone());
                let look = self.looks.spawn(async move { look::run(&office, &job).await });
                self.busy.insert(look.id(), name);
            }
        }
    }

    /// How long nothing is due for certain. What is overdue is begun with, or waits for what is under way.
    fn rest(&self) -> Duration {
        let due_in_s = self
            .desk
            .fold()
            .state()
            .next_s(self.office.certifies())
            .map(|next_s| next_s - clock::now().unix_timestamp());
        let due_in_s = due_in_s.filter(|due_in_s| *due_in_s > 0);
        due_in_s.map_or(TICK, |due_in_s| Duration::from_secs(due_in_s.unsigned_abs()).min(TICK))
    }

    fn end(&mut self, ended: Result<(Id, u64), JoinError>) {
        match ended {
            Ok((look, known_until)) => {
                if let Some(name) = self.busy.remove(&look) {
                    self.known_until.insert(name, known_until);
                }
            }
            // Whatever it is, it is of this name alone, and stays so: this process does not look at it any more.
            Err(error) => {
                self.busy.remove(&error.id());
                tracing::error!(%error, "a domain has brought down whoever looked at it");
            }
        }
    }
}
