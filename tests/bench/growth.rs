//! What grows with the past: a log of a million facts over 20,000 sites, beside a short one over a hundred.
//!
//! `PAGEFOLD_GROWTH_FACTS` makes it shorter, with as many facts for each site.

mod cost;

use cost::{Cost, Spent};
use journeys::bench::{Better, Goal, ROUNDS, Row, median, progress};
use journeys::{Grown, History, Service};
use std::time::{Duration, Instant};

pub(crate) const ROWS: &[&str] = &[
    "growth_restart",
    "growth_memory",
    "growth_memory_web",
    "growth_memory_scheduler",
    "growth_memory_launcher",
    "growth_memory_syncer",
    "growth_memory_projector",
    "growth_memory_edge",
    "growth_memory_notifier",
    "growth_memory_nats",
    "growth_memory_postgres",
    "growth_bytes_per_push",
    "growth_cpu_per_push",
];

const FACTS: u64 = 1_000_000;
/// Facts for each site.
const PACE: u64 = 50;
/// Sites of the short log.
const FEW: usize = 100;
const SEED: u64 = 3;
/// Sites whose repositories there are, and what is pushed to them.
const FOUNDED: usize = 10;
const PUSHES: usize = 60;
const EVERY: Duration = Duration::from_secs(1);
/// How much more a push may cost with the many sites than with the few.
const MOST: f64 = 1.2;
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// What was measured on one log.
struct Figures {
    restart: f64,
    push: Spent,
    memory: Vec<f64>,
}

pub(crate) async fn measure() -> Vec<Row> {
    let facts = std::env::var("PAGEFOLD_GROWTH_FACTS").map_or(FACTS, |facts| facts.parse().unwrap());
    let few = of(FEW as u64 * PACE, FEW).await;
    let many = of(facts, usize::try_from(facts / PACE).unwrap()).await;
    let at_few = "at 100 sites";
    let mut rows = vec![
        Row::new("growth_restart", "s", Better::Lower, many.restart)
            .against(at_few, few.restart)
            .shall(Goal::Below(10.0)),
    ];
    let sum = |figures: &Figures| figures.memory.iter().sum();
    let memory = |name, ours, reference| Row::new(name, "MiB", Better::Lower, ours).against(at_few, reference);
    rows.push(memory("growth_memory", sum(&many), sum(&few)));
    let parts = ROWS[2..].iter().zip(many.memory.iter().zip(&few.memory));
    rows.extend(parts.map(|(name, (many, few))| memory(name, *many, *few)));
    let per_push = |name, unit, ours, reference| {
        let row = Row::new(name, unit, Better::Lower, ours).against(at_few, reference);
        row.shall(Goal::Ratio(1.0 / MOST))
    };
    rows.push(per_push("growth_bytes_per_push", "KiB", many.push.kibibytes, few.push.kibibytes));
    rows.push(per_push("growth_cpu_per_push", "ms", many.push.milliseconds, few.push.milliseconds));
    rows
}

async fn of(facts: u64, sites: usize) -> Figures {
    progress(format_args!("{facts} facts over {sites} sites"));
    let mut grown = Grown::start(History::new(SEED, facts, sites)).await;
    level(&grown, "from nothing").await;
    grown.fleet.settle_postgres();
    grown.found(FOUNDED).await;
    grown.push(FOUNDED, EVERY).await;
    let before = Cost::of(&grown.fleet);
    grown.push(PUSHES, EVERY).await;
    let push = Cost::of(&grown.fleet).since(&before, PUSHES);
    progress(format_args!("a push: {push}"));
    let memory = cost::memory(&grown.fleet);
    let mut restarts = Vec::new();
    for _ in 0..ROUNDS {
        grown.stop_services().await;
        let started = Instant::now();
        grown.start_services().await;
        level(&grown, "from snapshots").await;
        restarts.push(started.elapsed().as_secs_f64());
    }
    assert!(Service::ALL.iter().all(|service| grown.fleet.runs(*service)));
    Figures { restart: median(restarts), push, memory }
}

async fn level(grown: &Grown, whence: &str) {
    let (started, mut told) = (Instant::now(), Instant::now());
    grown
        .level(|places| {
            if told.elapsed() > REPORT_EVERY {
                told = Instant::now();
                progress(format_args!("scheduler, projector, edge stand at {places:?}"));
            }
        })
        .await;
    progress(format_args!("level {whence} after {:.1} s", started.elapsed().as_secs_f64()));
}
