//! What builds leave to those that follow, and to whom not.

use super::limits::kinds;
use super::store::{SECRET, store};
use super::world::{self, World};
use events::build::Job;
use events::event::Resources;
use events::{AliasName, BuildEvent, BuildId, Outcome, PullRequest};

/// Shows what an earlier build has left, and leaves its own number.
const SCRIPT: &str = "mkdir _site && echo page > _site/index.html; echo found $(cat $PAGEFOLD_CACHE/left || echo nothing); \
    echo $PAGEFOLD_CONTEXT >> $PAGEFOLD_CACHE/left";

struct Built {
    said: String,
    restored: Option<u64>,
}

async fn built(world: &World, job: Job) -> Built {
    let build: BuildId = world.queue(job).await;
    let BuildEvent::Finished { outcome: Outcome::Success, resources, .. } = world.finished(build).await else {
        panic!("{}", world.said(build).await);
    };
    let Resources { cache_bytes, .. } = resources.expect("what it took");
    Built { said: world.said(build).await, restored: cache_bytes }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_has_what_the_one_before_it_has_left_until_that_is_cleared() {
    for kind in kinds() {
        let world = World::new().await;
        let (line, _stop) = store(&world, SECRET).await;
        let _launched = world.launch(world::config(world.data(), kind), line.address()).await;
        let first = World::job(&world.repository("docs", SCRIPT));
        let of = |number, cache_from| Job { number, cache_from, ..first.clone() };
        let one = built(&world, first.clone()).await;
        assert!(one.said.contains("[pagefold] no cache\n") && one.said.contains("| found nothing"), "{}", one.said);
        assert!(one.said.contains("[pagefold] cache kept, 1 MB"), "{kind:?}: {}", one.said);
        assert_eq!(one.restored, None);
        let two = built(&world, of(2, None)).await;
        assert!(two.said.contains("[pagefold] cache restored, 1 MB from build 1\n"), "{kind:?}: {}", two.said);
        assert!(two.said.contains("| found live\n") && two.restored.is_some(), "{kind:?}: {}", two.said);
        let three = built(&world, of(3, Some(3))).await;
        assert!(three.said.contains("[pagefold] no cache: it was cleared\n"), "{}", three.said);
        assert!(three.said.contains("| found nothing") && three.restored.is_none(), "{}", three.said);
        let four = built(&world, of(4, Some(3))).await;
        assert!(four.said.contains("from build 3\n") && four.said.contains("| found live\n"), "{}", four.said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_preview_nor_a_fork_leaves_anything_to_the_live_site() {
    let world = World::new().await;
    let (line, _stop) = store(&world, SECRET).await;
    let _launched = world.launch(world.config(), line.address()).await;
    let live = World::job(&world.repository("docs", SCRIPT));
    let preview = Job { number: 2, alias: AliasName::Preview("fix".parse().unwrap()), ..live.clone() };
    let fork = Some(PullRequest { number: 12, fork: Some(live.repository.clone()) });
    let fork = Job { number: 3, pull_request: fork, ..preview.clone() };
    let of_preview = built(&world, preview.clone()).await;
    let of_fork = built(&world, fork.clone()).await;
    assert!(of_fork.said.contains("| found nothing"), "a fork has none of the site: {}", of_fork.said);
    assert!(of_fork.said.contains("[pagefold] no cache: builds of forks have none\n"), "{}", of_fork.said);
    assert!(!of_fork.said.contains("cache kept") && of_preview.said.contains("cache kept"), "{}", of_fork.said);
    assert!(built(&world, Job { number: 4, ..live }).await.said.contains("| found nothing"));
    let again = built(&world, Job { number: 5, ..preview }).await;
    assert!(again.said.contains("from build 2\n"), "{}", again.said);
    assert!(built(&world, Job { number: 6, ..fork }).await.said.contains("| found nothing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_is_too_large_fails_no_build_and_is_not_kept() {
    let world = World::new().await;
    let (line, _stop) = store(&world, SECRET).await;
    let mut config = world.config();
    config.caches.site_bytes = 1 << 20;
    let _launched = world.launch(config, line.address()).await;
    let script = "mkdir _site && echo page > _site/index.html && head -c 2000000 /dev/urandom > $PAGEFOLD_CACHE/big";
    let one = built(&world, World::job(&world.repository("docs", script))).await;
    let told =
        "[pagefold] cache not kept: it has more than the 1048576 bytes that a site may keep (`--cache-site-bytes`)\n";
    assert!(one.said.contains(told), "{}", one.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_builds_of_a_site_at_once_have_a_cache_each() {
    let world = World::new().await;
    let (line, _stop) = store(&world, SECRET).await;
    let mut config = world.config();
    config.slots = 2;
    let _launched = world.launch(config, line.address()).await;
    let script = "mkdir _site && echo page > _site/index.html; touch $PAGEFOLD_CACHE/of-$PAGEFOLD_BUILD; sleep 2; \
        echo saw $(ls $PAGEFOLD_CACHE | wc -l)";
    let first = World::job(&world.repository("docs", script));
    let second = Job { number: 2, ..first.clone() };
    let (one, two) = tokio::join!(built(&world, first), built(&world, second));
    for one in [one, two] {
        assert!(one.said.contains("| saw 1\n"), "{}", one.said);
    }
}
