//! Something dies at a fact of a push's story, and nobody can tell afterwards. `just kill` plays the whole table; these few
//! cases keep its machinery alive.

use journeys::{Tally, kill};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_dies_at_a_fact_comes_back_and_all_is_as_if_it_had_not() {
    let cases =
        ["before build.finished, nats-server", "after build.dispatched, projector", "before alias.promoted, up"];
    assert_eq!(kill(&cases.map(str::to_owned)).await, Tally { passed: cases.len(), failed: 0 });
}
