//! No answer is not a no: what was sent is pursued until its fate is known, and stands in the log once.

use crate::proxy::Proxy;
use crate::world::{World, cause, create, history, site, within};
use events::Site;
use futures::future::join_all;
use runtime::{Connection, Log};
use std::collections::BTreeSet;

async fn behind(proxy: &Proxy, world: &World) -> Log {
    Log::new(Connection::open(&world.config("web", proxy.port)).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_answer_is_lost_is_in_the_log_once() {
    let world = World::start().await;
    let proxy = Proxy::before(world.port()).await;
    let log = behind(&proxy, &world).await;
    site(&log, "first").await;
    proxy.cut(1);
    let recorded = within(log.execute::<Site>("docs", &create("acme"), &cause())).await.unwrap();
    assert_eq!(proxy.left(), 0);
    assert_eq!(recorded[0].sequence, 2);
    assert_eq!(history(&world.log("projector").await).await[1..], recorded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_survives_a_connection_that_breaks_again_and_again() {
    let world = World::start().await;
    let proxy = Proxy::before(world.port()).await;
    let log = behind(&proxy, &world).await;
    site(&log, "first").await;
    proxy.cut(3);
    let names: Vec<String> = (0..300).map(|index| format!("site-{index}")).collect();
    let burst = names.iter().map(async |name| log.execute::<Site>(name, &create("acme"), &cause()).await.unwrap());
    let recorded: Vec<_> = within(join_all(burst)).await.into_iter().flatten().collect();
    assert_eq!(proxy.left(), 0);
    let facts = history(&world.log("projector").await).await;
    assert_eq!(facts.len(), 301);
    assert_eq!(facts.iter().map(|fact| fact.envelope.id).collect::<BTreeSet<_>>().len(), 301);
    for fact in recorded {
        assert_eq!(facts[usize::try_from(fact.sequence).unwrap() - 1], fact);
    }
}
