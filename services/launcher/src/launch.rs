//! The loop of the launcher: takes dispatched builds as slots are free and the sandbox works, and sees each to its end.

use crate::NAME;
use crate::cache::Caches;
use crate::config::{Config, Error};
use crate::hands::Hands;
use crate::installation::Installation;
use crate::memory::Memory;
use crate::prepare::Prepared;
use crate::presence::Presence;
use crate::reserve::Reserve;
use crate::slots::Slots;
use crate::source::Mirror;
use crate::sweep::Sweeper;
use events::{Aggregate as _, Build, BuildEvent, BuildId, Cause, Event, Recorded};
use runtime::attendance::Telling;
use runtime::consumer::Timing;
use runtime::{Consumer, Failure, Log, Vault};
use std::sync::Arc;
use storage::{PlatformBucket, Storage};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Deliveries after which the operator is told of a build that waits, or of a log that cannot be archived: a day with the rests
/// of a minute between them, so that an outage is over by then. What counts against a build is not how often it was
/// delivered but how many launchers were lost with it.
const DELIVERIES_MAX: u64 = 24 * 60;
/// Logs that are archived at once: each is held in memory meanwhile.
const LOGS_AT_ONCE: usize = 4;

pub(crate) struct Launcher {
    pub(crate) config: Config,
    pub(crate) worker: String,
    pub(crate) installation: Arc<Installation>,
    pub(crate) presence: Arc<Presence>,
    pub(crate) reserve: Arc<Reserve>,
    pub(crate) mirror: Arc<Mirror>,
    pub(crate) caches: Arc<Caches>,
    pub(crate) platform: PlatformBucket,
    pub(crate) stop: CancellationToken,
    pub(crate) log: Log,
    /// What builds are given can be read with its keys.
    pub(crate) vault: Vault,
    pub(crate) memory: Memory,
    pub(crate) slots: Arc<Slots>,
    /// The turns at archiving logs.
    pub(crate) archiving: Semaphore,
    hands: Arc<Hands>,
}

/// Clears away what an earlier life left, and runs until `stop` fires; builds in hand are then left to another launcher.
/// While no sandbox works here, or the disk is full, none is taken.
///
/// # Errors
/// None today: what is away is waited for.
pub async fn run(prepared: Prepared, log: Log, storage: &Storage, stop: CancellationToken) -> Result<(), Error> {
    let Prepared { config, installation, memory, mirror, caches, presence, reserve } = prepared;
    // The same in every life, so that a launcher knows its own attempts.
    let worker = format!("{NAME}-{}", installation.name());
    let (hands, mirror, caches) = (Arc::<Hands>::default(), Arc::new(mirror), Arc::new(caches));
    let telling = Telling::begin(log.connection(), worker.clone());
    let slots = Arc::new(Slots::new(config.slots, Arc::clone(&presence), Arc::clone(&reserve), telling));
    let sweeper = Sweeper {
        every: config.sweep_every,
        sandbox: config.sandbox.clone(),
        installation: Arc::clone(&installation),
        hands: Arc::clone(&hands),
        memory: memory.clone(),
        worker: worker.clone(),
        log: log.clone(),
    };
    // Nothing is in hand yet, so everything of an earlier life goes.
    if stop.run_until_cancelled(sweeper.builds()).await.is_none() {
        return Ok(());
    }
    tracing::info!(worker, slots = slots.all(), "taking builds");
    let (own, around) = (log.clone(), (Arc::clone(&presence), Arc::clone(&slots)));
    let (room, mirrors, kept) = (Arc::clone(&reserve), Arc::clone(&mirror), Arc::clone(&caches));
    let (platform, stopped) = (storage.platform(), stop.clone());
    let archiving = Semaphore::new(LOGS_AT_ONCE);
    let vault = Vault::new(log.connection(), config.key.bytes());
    let launcher = Launcher {
        config,
        worker,
        installation,
        presence,
        reserve,
        mirror,
        caches,
        platform,
        stop,
        log,
        vault,
        memory,
        slots,
        archiving,
        hands,
    };
    // On the heap, so that whoever awaits this need not carry it.
    let consuming = Box::pin(runtime::consumer::run_with(own, launcher, around.1.all(), timing(), stopped));
    tokio::select! {
        ended = consuming => ended.map_err(Error::Log),
        never = Box::pin(sweeper.keep_sweeping()) => match never {},
        never = Box::pin(around.0.look()) => match never {},
        never = around.1.follow() => match never {},
        never = Box::pin(room.look(&mirrors, &kept)) => match never {},
    }
}

impl Consumer for Launcher {
    const NAME: &'static str = NAME;
    const HEARS: &'static [&'static str] = &[Build::KIND];

    /// A build that is taken while no sandbox works, or while there is no room for it, would only be kept from other launchers.
    async fn ready(&self) {
        loop {
            self.presence.there().await;
            self.reserve.there().await;
            if self.presence.sandbox().is_some() {
                return;
            }
        }
    }

    async fn handle(&self, recorded: Recorded) -> Result<(), Failure> {
        let Some(build) = dispatched(&recorded)? else { return Ok(()) };
        let _held = tokio::select! {
            held = self.hands.take(&recorded.envelope.subject) => held,
            () = self.stop.cancelled() => return Err(Failure::Retry("the launcher is shutting down".into())),
        };
        let cause = Cause::from_fact(&recorded, NAME);
        Box::pin(self.see_to(build, &cause)).await
    }

    async fn follow_up(&self, recorded: Recorded) -> Result<(), Failure> {
        let Some(build) = dispatched(&recorded)? else { return Ok(()) };
        self.archive_in_turn(build, &Cause::from_fact(&recorded, NAME)).await
    }
}

/// The build that waits for a launcher, if that is what the fact says.
fn dispatched(recorded: &Recorded) -> Result<Option<BuildId>, Failure> {
    match &recorded.event {
        Event::Build(BuildEvent::Dispatched { .. }) => {
            let build = recorded.envelope.subject.parse();
            build.map(Some).map_err(|error| Failure::Park(Box::new(error)))
        }
        Event::Build(_)
        | Event::Organization(_)
        | Event::Handle(_)
        | Event::User(_)
        | Event::Invitation(_)
        | Event::Identity(_)
        | Event::Token(_)
        | Event::Receiver(_)
        | Event::Notice(_)
        | Event::Site(_)
        | Event::Host(_)
        | Event::Route(_)
        | Event::Domain(_)
        | Event::Repository(_)
        | Event::Deploy(_)
        | Event::Alias(_) => Ok(None),
    }
}

fn timing() -> Timing {
    Timing { deliveries_max: DELIVERIES_MAX, ..Timing::default() }
}
