//! The read model: made anew from the log, and kept up to date.

use crate::log::FilledLog;
use crate::read_model::{self, ReadModel};
use events::{BuildEvent, Position, Recorded, SiteId};
use journeys::History;
use journeys::bench::{Better, Goal, ROUNDS, Row, side_by_side};
use projections::{Applied, Model};
use std::time::Instant;
use uuid::Uuid;

pub(crate) const ROWS: &[&str] = &["replay", "replay_vs_copy", "live", "live_unreadable"];

const FACTS: u64 = 500_000;
const SITES: usize = 2000;
/// Facts that come while the model is live, in batches as the log gives them.
const NEWS: usize = 40_000;
const BATCH: usize = 1000;

pub(crate) async fn measure() -> Vec<Row> {
    let log = FilledLog::new(History::new(1, FACTS, SITES)).await;
    let model = ReadModel::new(log.folder()).await;
    let service = log.log("projector").await;
    projector::rebuild(&service, &model.store).await.unwrap();
    let rows = model.rows().await;
    let mut connection = model.connect().await;
    let (replay, copy) = side_by_side(
        "replay",
        async |_| {
            rate(FACTS as usize, async || assert_eq!(projector::rebuild(&service, &model.store).await.unwrap(), FACTS))
                .await
        },
        async |_| rate(FACTS as usize, async || read_model::copy(&mut connection, &rows).await).await,
    )
    .await;
    drop(rows);
    let (live, unreadable) = live(&model.store.live()).await;
    model.stop().await;
    log.stop().await;
    let per_second = |name, ours| Row::new(name, "facts/s", Better::Higher, ours);
    let copied = "COPY of the same events";
    vec![
        per_second("replay", replay).shall(Goal::AtLeast(100_000.0)),
        per_second("replay_vs_copy", replay).against(copied, copy).shall(Goal::Ratio(0.5)),
        per_second("live", live).shall(Goal::AtLeast(20_000.0)),
        per_second("live_unreadable", unreadable).against("all readable", live).shall(Goal::Ratio(0.5)),
    ]
}

/// What is done with so many things in a second.
async fn rate(count: usize, mut work: impl AsyncFnMut()) -> f64 {
    let started = Instant::now();
    work().await;
    count as f64 / started.elapsed().as_secs_f64()
}

/// News for a full model with all its indexes: as they are, and with one in ten that cannot become rows.
async fn live(model: &Model) -> (f64, f64) {
    let mut news = History::new(1, FACTS + 1_000_000, SITES).skip(FACTS as usize);
    let mut part = || -> Vec<Recorded> { news.by_ref().take(NEWS).collect() };
    let mut parts: [Vec<Vec<Applied>>; 2] = Default::default();
    for _ in 0..ROUNDS {
        parts[0].push(part().into_iter().map(Applied::Fact).collect());
        parts[1].push(part().into_iter().map(spoiled).collect());
    }
    side_by_side(
        "live",
        async |round| rate(NEWS, async || apply(model, &parts[0][round]).await).await,
        async |round| rate(NEWS, async || apply(model, &parts[1][round]).await).await,
    )
    .await
}

async fn apply(model: &Model, news: &[Applied]) {
    for batch in news.chunks(BATCH) {
        model.apply(batch).await.unwrap();
    }
}

/// One fact in ten as something that cannot be read, in turn: its payload, its subject, a text that Postgres cannot hold.
fn spoiled(mut fact: Recorded) -> Applied {
    let position = Position { sequence: fact.sequence, id: fact.envelope.id };
    let canceled = |reason: &str| {
        BuildEvent::Canceled { site: SiteId(Uuid::nil()), reason: reason.to_owned(), superseded_by: None }.into()
    };
    match fact.sequence % 30 {
        0 => return Applied::Poison { position, reason: "malformed payload".to_owned() },
        10 => (fact.event, fact.envelope.subject) = (canceled("subject"), "nobody".to_owned()),
        20 => (fact.event, fact.envelope.subject) = (canceled("before\0after"), Uuid::nil().to_string()),
        _ => {}
    }
    Applied::Fact(fact)
}
