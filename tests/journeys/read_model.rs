//! The read model is only a view: it is made anew beside its readers, and comes back when it is lost.

use journeys::Platform;
use serde_json::json;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[tokio::test(flavor = "multi_thread")]
async fn the_read_model_is_made_anew_without_a_failed_read() {
    let platform = Platform::start().await;
    let site = platform.site("viewed", json!({})).await;
    for number in 1..=3 {
        site.publish(number, [("index.html", number.to_string().as_str())]).await;
    }
    site.deploy(3).await;
    let (rebuilt, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    let read = async || {
        while !rebuilt.load(Ordering::Relaxed) {
            for path in ["/sites/viewed", "/sites/viewed/builds", "/sites/viewed/deploys", "/events?site=viewed"] {
                let answer = platform.api().try_get(path).await.unwrap().expect(200).text();
                assert!(answer.contains("viewed"), "{path}: {answer}");
            }
            reads.fetch_add(1, Ordering::Relaxed);
        }
    };
    let rebuild = async {
        for _ in 0..3 {
            let told = tokio::task::block_in_place(|| platform.operator(&["projections", "rebuild"]));
            assert!(told.contains("is live"), "{told}");
        }
        rebuilt.store(true, Ordering::Relaxed);
    };
    tokio::join!(read(), read(), rebuild);
    assert!(reads.load(Ordering::Relaxed) > 0);
    site.publish(4, [("index.html", "4")]).await;
    site.deploy(4).await;
}

#[tokio::test]
async fn a_lost_read_model_comes_back_with_the_next_fact() {
    let platform = Platform::start().await;
    let site = platform.site("dropped", json!({})).await;
    site.publish(1, [("index.html", "first")]).await;
    site.deploy(1).await;

    let drop = ["--quiet", "--command", "DROP SCHEMA pagefold CASCADE"];
    let dropped = Command::new("psql").arg(&platform.ready().postgres).args(drop).output().unwrap();
    assert!(dropped.status.success(), "{}", String::from_utf8_lossy(&dropped.stderr));
    let refused = platform.api().try_get("/sites/dropped/deploys").await.unwrap().expect(503);
    assert_eq!(refused.code(), "read_model_unavailable");
    site.serves("/", "first").await;

    site.publish(2, [("index.html", "second")]).await;
    let numbers: Vec<u64> = site.deploys().await.iter().map(|deploy| deploy.number).collect();
    assert_eq!(numbers, [2, 1], "it has all that it had");
}
