//! The folds in memory: made from nothing, and one fact more when they are large.
//!
//! Facts come as a log holds them, type and payload, and are decoded on the way; the network is left out.

use edge::Table;
use events::{AliasEvent, Event, Position, Recorded};
use journeys::History;
use journeys::bench::{Better, Goal, Row, side_by_side};
use runtime::Entry;
use runtime::error::BoxError;
use runtime::fold::{Fold, Home, Kept, Memory, State};
use scheduler::queue::Queue;
use scheduler::{Limits, schedule};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

pub(crate) const ROWS: &[&str] =
    &["fold_scheduler", "fold_edge", "decision_20k_sites", "decision_20k_sites_warm", "promotion_20k_sites"];

const FACTS: u64 = 500_000;
const SITES: usize = 20_000;
const FEW_SITES: usize = 100;
const BATCH: usize = 1000;
/// How often what is done for one fact is done.
const TIMES: usize = 2000;

pub(crate) async fn measure() -> Vec<Row> {
    let facts = Packed::all(History::new(1, FACTS, SITES));
    let (scheduler, decoding) =
        side_by_side("fold_scheduler", async |_| fold::<Queue>(&facts).await, async |_| decode(&facts)).await;
    let (edge, _) = side_by_side("fold_edge", async |_| fold::<Table>(&facts).await, async |_| decode(&facts)).await;
    drop(facts);
    let (many, few) = (Large::with(SITES), Large::with(FEW_SITES));
    let decisions = async |_| few.decision(&few.pushes);
    let (decide, decide_few) =
        side_by_side("decision_20k_sites", async |_| many.decision(&many.pushes), decisions).await;
    let warm = many.pushes_to(FEW_SITES);
    let (decide_warm, decide_few_again) =
        side_by_side("decision_20k_sites_warm", async |_| many.decision(&warm), decisions).await;
    let (promote, promote_few) =
        side_by_side("promotion_20k_sites", async |_| many.promotion().await, async |_| few.promotion().await).await;
    let per_second = |name, rate| Row::new(name, "facts/s", Better::Higher, rate);
    let each = |name, micros| Row::new(name, "µs", Better::Lower, micros);
    vec![
        per_second("fold_scheduler", scheduler).against("decoding alone", decoding).shall(Goal::AtLeast(100_000.0)),
        per_second("fold_edge", edge).against("decoding alone", decoding).shall(Goal::AtLeast(100_000.0)),
        each("decision_20k_sites", decide).against("the same with 100 sites", decide_few).shall(Goal::Ratio(1.0 / 1.2)),
        each("decision_20k_sites_warm", decide_warm).against("the same with 100 sites", decide_few_again),
        each("promotion_20k_sites", promote)
            .against("the same with 100 sites", promote_few)
            .shall(Goal::Ratio(1.0 / 1.2)),
    ]
}

/// A fact as the log has it.
struct Packed {
    recorded: Recorded,
    type_name: String,
    data: Vec<u8>,
}

impl Packed {
    fn all(history: History) -> Vec<Self> {
        let pack = |recorded: Recorded| {
            let (type_name, data) = (recorded.event.type_name(), recorded.event.data().to_string().into_bytes());
            Self { recorded, type_name, data }
        };
        history.map(pack).collect()
    }

    fn unpack(&self) -> Entry {
        let Recorded { sequence, envelope, .. } = &self.recorded;
        let event = Event::decode(&self.type_name, &self.data).unwrap();
        let fact = Recorded { sequence: *sequence, envelope: envelope.clone(), event };
        Entry { sequence: *sequence, id: envelope.id, pending: 0, fact: Ok(fact) }
    }
}

/// Nothing is kept.
#[derive(Clone)]
struct Nowhere;

impl<S: State> Home<S> for Nowhere {
    async fn read(&self) -> Result<Option<Kept<S>>, BoxError> {
        Ok(None)
    }

    async fn write(&self, _: Kept<S>) -> Result<u64, BoxError> {
        Ok(0)
    }
}

/// Facts folded in a second.
async fn fold<S: State>(facts: &[Packed]) -> f64 {
    let (mut fold, started) = (Memory::<S, _>::empty(Nowhere), Instant::now());
    for batch in facts.chunks(BATCH) {
        let Ok(()) = fold.take(batch.iter().map(Packed::unpack).collect()).await;
    }
    assert_eq!(fold.position().sequence, facts.len() as u64);
    facts.len() as f64 / started.elapsed().as_secs_f64()
}

fn decode(facts: &[Packed]) -> f64 {
    let started = Instant::now();
    for packed in facts {
        let _ = black_box(packed.unpack());
    }
    facts.len() as f64 / started.elapsed().as_secs_f64()
}

/// Folds of so many sites, with what comes next.
struct Large {
    queue: Queue,
    table: Table,
    pushes: Vec<Recorded>,
    promotions: Vec<Recorded>,
}

impl Large {
    fn with(sites: usize) -> Self {
        let (mut queue, mut table) = (Queue::default(), Table::default());
        let built = (sites * 30) as u64;
        let mut history = History::new(2, built + 200_000, sites);
        for recorded in history.by_ref().take(sites * 30) {
            queue.apply(&recorded);
            State::apply(&mut table, &recorded);
        }
        let news: Vec<Recorded> = history.collect();
        let some = |is: fn(&Event) -> bool| news.iter().filter(|news| is(&news.event)).take(TIMES).cloned().collect();
        let pushes = some(|event| matches!(event, Event::Repository(_)));
        let promotions = some(|event| matches!(event, Event::Alias(AliasEvent::Promoted { .. })));
        Self { queue, table, pushes, promotions }
    }

    /// As many pushes, all of them to a few of the sites.
    fn pushes_to(&self, sites: usize) -> Vec<Recorded> {
        let subjects: BTreeSet<&str> = self.pushes.iter().map(|push| &*push.envelope.subject).collect();
        let subjects: BTreeSet<&str> = subjects.into_iter().take(sites).collect();
        let some = self.pushes.iter().filter(|push| subjects.contains(&*push.envelope.subject));
        some.cycle().take(TIMES).cloned().collect()
    }

    /// Microseconds for a push that is heard and the decision that follows.
    fn decision(&self, pushes: &[Recorded]) -> f64 {
        let (limits, now) = (Limits::default(), runtime::clock::now());
        let mut queue = unshared(&self.queue);
        let started = Instant::now();
        for push in pushes {
            queue.apply(push);
            black_box(schedule::schedule(&queue, &limits, now));
            queue.wishes.clear();
        }
        micros(started)
    }

    /// Microseconds for a promotion that is heard while readers and a save hold the table as it was.
    async fn promotion(&self) -> f64 {
        let mut fold = Memory::<Table, _>::empty(Nowhere);
        fold.change(|table| {
            table.clone_from(&self.table);
            drop(table.news());
        });
        let started = Instant::now();
        for promotion in &self.promotions {
            let held = Arc::clone(fold.state());
            let Position { sequence, .. } = fold.position();
            let entry =
                Entry { sequence: sequence + 1, id: promotion.envelope.id, pending: 0, fact: Ok(promotion.clone()) };
            let Ok(()) = fold.take(vec![entry]).await;
            fold.change(|table| drop(table.news()));
            black_box(held);
        }
        micros(started)
    }
}

/// A copy that has nothing in common with it, as the scheduler's own state is but for the moment after a snapshot.
fn unshared(queue: &Queue) -> Queue {
    serde_json::from_slice(&serde_json::to_vec(queue).unwrap()).unwrap()
}

fn micros(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e6 / TIMES as f64
}
