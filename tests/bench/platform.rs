//! The whole platform as `pagefold up` runs it: what it takes in, and how long a push takes.

mod crowd;
mod intake;
mod live;
mod queued;

use journeys::Platform;
use journeys::bench::{Better, Goal, Row, side_by_side, three_times};

pub(crate) const ROWS: &[&str] = &["intake", "intake_one_repository", "push_to_queued_p99", "push_to_live"];

pub(crate) async fn measure() -> Vec<Row> {
    let [intake, of_one] = measure_intake().await;
    let platform = Platform::start().await;
    let pushes = live::Pushes::new(&platform).await;
    let live = three_times("push_to_live", async |round| pushes.seconds(round).await).await;
    let sites = queued::Sites::new(&platform).await;
    let queued = three_times("push_to_queued_p99", async |_| sites.p99().await).await;
    sites.rest().await;
    vec![
        intake,
        of_one,
        Row::new("push_to_queued_p99", "ms", Better::Lower, queued).shall(Goal::Below(100.0)),
        Row::new("push_to_live", "s", Better::Lower, live).shall(Goal::Below(2.0)),
    ]
}

/// Repositories that a crowd pushes to.
const REPOSITORIES: usize = 1000;

async fn measure_intake() -> [Row; 2] {
    let (platform, bare) = (Platform::start().await, intake::Bare::new().await);
    let mut rows = Vec::new();
    for (name, repositories) in [("intake", REPOSITORIES), ("intake_one_repository", 1)] {
        let (pushes, publishes) = side_by_side(
            name,
            async |round| intake::pushes(&platform, round, repositories).await,
            async |round| bare.publishes(&format!("{repositories}-{round}")).await,
        )
        .await;
        let row = Row::new(name, "pushes/s", Better::Higher, pushes).against("published one by one", publishes);
        rows.push(row.shall(Goal::Ratio(1.0)));
    }
    bare.stop().await;
    rows.try_into().unwrap()
}
