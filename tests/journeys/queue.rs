//! Builds that wait, that are overtaken, and that somebody stops.

use crate::sources::{PACKAGE, gated_push};
use journeys::{Gate, Platform, eventually, running_with};
use serde_json::json;

#[tokio::test]
async fn a_canceled_build_leaves_nothing_running_and_never_finishes() {
    let platform = Platform::shared().await;
    let (site, gate) = (platform.site("canceled", json!({ "engine": "node.js" })).await, Gate::closed().await);
    let marker = "a-build-that-only-waits";
    let package = PACKAGE.1.replace("build.js", &format!("build.js {marker}"));
    site.push("main", [("package.json", package.as_str()), ("build.js", &gate.script(""))]).await;
    gate.reached_by(1).await;
    assert!(!running_with(marker).is_empty(), "the build runs");

    let build = site.queued(1).await;
    let _ = platform.api().cancel(&build).await.expect(202);
    let canceled = site.until("build.canceled", |fact| fact.subject == build).await;
    assert_eq!(canceled.data["reason"], "canceled by hand");
    eventually("the end of the build's processes", async || running_with(marker).is_empty().then_some(())).await;

    site.until("build.log_archived", |fact| fact.subject == build).await;
    assert!(platform.api().log(&build).await.ends_with("[pagefold] canceled\n"));
    platform.read_model_has_caught_up().await;
    assert_eq!(platform.api().build(&build).await.state, "canceled");
    assert_eq!(site.facts().iter().filter(|fact| fact.is_end()).count(), 1);
    let _ = platform.api().cancel(&build).await.expect(202);
}

#[tokio::test]
async fn a_newer_push_takes_the_place_of_a_waiting_build() {
    let platform = Platform::shared().await;
    let (site, gate) = (platform.site("waiting", json!({ "engine": "node.js" })).await, Gate::closed().await);
    gated_push(&site, "one", &gate, "one").await;
    gated_push(&site, "two", &gate, "two").await;
    gate.reached_by(2).await;
    gated_push(&site, "main", &gate, "older").await;
    let older = site.queued(3).await;
    gated_push(&site, "main", &gate, "newer").await;
    let newer = site.queued(4).await;

    let canceled = site.until("build.canceled", |fact| fact.subject == older).await;
    assert_eq!(canceled.data["superseded_by"], newer.as_str());
    gate.open();
    site.promoted(4).await;
    site.serves("/", "newer").await;
    let facts = site.facts();
    assert!(!facts.iter().any(|fact| fact.subject == older && fact.name() == "build.started"), "it has never run");
    let replaced = site.builds().await.into_iter().find(|build| build.id == older).unwrap();
    assert_eq!((replaced.state.as_str(), replaced.superseded_by), ("canceled", Some(newer)));
}

#[tokio::test]
async fn a_newer_push_ends_the_build_of_a_preview_that_runs_and_of_the_live_branch_where_that_is_wanted() {
    let platform = Platform::shared().await;
    let (site, gate) = (platform.site("outrun", json!({ "engine": "node.js" })).await, Gate::closed().await);
    gated_push(&site, "draft", &gate, "older").await;
    gate.reached_by(1).await;
    gated_push(&site, "draft", &gate, "newer").await;
    let (older, newer) = (site.queued(1).await, site.queued(2).await);
    let canceled = site.until("build.canceled", |fact| fact.subject == older).await;
    assert_eq!(canceled.data["superseded_by"], newer.as_str());
    assert_eq!(canceled.data["reason"], "A newer build of the same branch replaced it.");
    gate.reached_by(2).await;

    let told = platform.operator(&["site", "set", "outrun", "--cancel-running", "all"]);
    assert_eq!(told, "cancel_running: all\n");
    let shown = platform.operator(&["site", "show", "outrun"]);
    assert!(shown.contains("a newer push ends what runs: all"), "{shown}");
    gated_push(&site, "main", &gate, "older").await;
    gate.reached_by(3).await;
    gated_push(&site, "main", &gate, "newer").await;
    let (older, newer) = (site.queued(3).await, site.queued(4).await);
    let canceled = site.until("build.canceled", |fact| fact.subject == older).await;
    assert_eq!(canceled.data["superseded_by"], newer.as_str());
    gate.open();
    site.promoted(4).await;
    site.serves("/", "newer").await;
    let overtaken = site.builds().await.into_iter().find(|build| build.id == older).unwrap();
    assert_eq!((overtaken.state.as_str(), overtaken.superseded_by), ("canceled", Some(newer)));
}

#[tokio::test]
async fn a_branch_is_built_at_a_set_time_without_a_push() {
    let platform = Platform::shared().await;
    let site = platform.site("daily", json!({})).await;
    site.push("main", [("index.html", "pushed")]).await;
    site.promoted(1).await;
    let told = platform.operator(&["site", "set", "daily", "--schedule", "main * * * * *"]);
    assert_eq!(told, "schedules: {\"branch\":\"main\",\"cron\":\"* * * * *\",\"time_zone\":\"UTC\"}\n");
    let due = site.until("build.scheduled", |fact| fact.data["branch"] == "main").await;
    let queued = site.until("build.queued", |fact| fact.subject == due.subject).await;
    assert_eq!((&queued.data["lane"], &queued.data["summary"]), (&json!("low"), &json!("Scheduled build")));
    let _ = platform.operator(&["site", "set", "daily", "--schedule", ""]);
    site.promoted(2).await;
    platform.read_model_has_caught_up().await;
    let build: serde_json::Value = platform.api().get(&format!("/builds/{}", due.subject)).await;
    assert_eq!(build["trigger"], json!({ "kind": "schedule", "actor": "service:scheduler" }));
}

#[tokio::test]
async fn a_site_in_a_folder_is_built_by_its_own_command_and_ignores_branches_it_does_not_want() {
    let platform = Platform::shared().await;
    let settings = json!({ "engine": "auto", "base_directory": "docs", "output_directory": "dist",
        "command": "mkdir dist && tr a-z A-Z < page > dist/index.html", "ignore_branches": ["wip/**"] });
    let site = platform.site("corner", settings).await;
    site.push("main", [("docs/page", "small"), ("index.html", "outside")]).await;
    site.promoted(1).await;
    site.serves("/", "SMALL").await;
    site.push("wip/x", [("docs/page", "later")]).await;
    let skipped = site.until("build.finished", |fact| fact.data["outcome"] == "skipped").await;
    assert_eq!(skipped.data["reason"], "The site's settings ignore branches of this name.");
}

#[tokio::test]
async fn the_same_commit_without_a_network_is_the_same_pages() {
    let platform = Platform::shared().await;
    let settings = json!({ "network": "none", "command": "mkdir _site; printf b > _site/b; printf a > _site/a; date > _site/../now" });
    let site = platform.site("twice", settings).await;
    site.push("main", [("x", "y")]).await;
    let number = |fact: &journeys::Fact| fact.data["number"].as_u64().unwrap();
    let first = site.until("deploy.synced", |_| true).await;
    let _ = platform.operator(&["build", "twice"]);
    let second = site.until("deploy.synced", |fact| number(fact) > number(&first)).await;
    assert_eq!(first.data["content"], second.data["content"]);
    assert_eq!(second.data["uploaded_files"], 0);
}
