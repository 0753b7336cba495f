//! The facts as readers outside get them: by story, by subject, as a batch, and live.

use crate::platform::{Platform, json};
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn events_are_cloudevents_and_are_found_by_story_subject_and_site() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    platform.create_site("blog").await;
    platform.send(Method::POST, "/sites/docs/builds", json!({})).await;
    let all = platform.get("/events").await.1;
    assert_eq!((names(&all), &all["next"]), (STORY.map(str::to_owned).to_vec(), &Value::Null));
    let first = &all["items"][0];
    assert_eq!(first["specversion"], "1.0");
    assert_eq!(first["type"], "dev.pagefold.site.created.v1");
    assert_eq!((&first["source"], &first["subject"]), (&json!("/pagefold/web"), &json!(docs)));
    assert_eq!((&first["sequence"], &first["actor"]), (&json!("1"), &json!("token:tester")));
    assert_eq!(first["correlationid"], first["id"]);
    assert_eq!(first["data"]["settings"]["branch"], "main");

    let sequences = |answer: &Value| -> Vec<String> {
        answer["items"].as_array().unwrap().iter().map(|event| event["sequence"].as_str().unwrap().to_owned()).collect()
    };
    let story = format!("/events?correlation={}", first["correlationid"].as_str().unwrap());
    assert_eq!(sequences(&platform.get(&story).await.1), ["1", "2", "3", "4"]);
    assert_eq!(sequences(&platform.get("/events?subject=host/blog").await.1), ["6"]);
    assert_eq!(sequences(&platform.get("/events?site=docs").await.1), ["1", "2", "7"]);
    assert_eq!(sequences(&platform.get(&format!("/events?site={docs}")).await.1), ["1", "2", "7"]);
    let page = platform.get("/events?after=1&limit=1").await.1;
    assert_eq!((sequences(&page), &page["next"]), (vec!["2".to_owned()], &json!("2")));
    assert_eq!(platform.get("/events?after=7").await.1, json!({ "items": [], "next": null }));

    let batch = platform.api(Method::GET, "/events?limit=2").header("accept", "application/cloudevents-batch+json");
    let response = batch.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/cloudevents-batch+json");
    assert_eq!(json(response).await.1.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn live_events_begin_now_or_where_the_reader_stopped_and_keep_to_their_site() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    platform.create_site("blog").await;
    let now = platform.api(Method::GET, "/events/live?site=docs").send().await.unwrap();
    let resumed = platform.api(Method::GET, "/events/live").header("last-event-id", "5").send().await.unwrap();
    let build = async |site: &str| {
        let (_, build) = platform.send(Method::POST, &format!("/sites/{site}/builds"), json!({})).await;
        build["id"].as_str().unwrap().to_owned()
    };
    let (blog, docs) = (build("blog").await, build("docs").await);
    assert_eq!(ids(now, 1).await, [format!("8 build.requested.v1 {docs}")]);
    let (asked, own) = (format!("7 build.requested.v1 {blog}"), format!("8 build.requested.v1 {docs}"));
    assert_eq!(ids(resumed, 3).await, ["6 host.claimed.v1 blog".to_owned(), asked, own]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_watchers_hear_every_fact_once_however_far_behind_they_begin() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let mut watchers = Vec::new();
    for begin in 0..50_u64 {
        // Some are behind, some level, and some wait for what is not there yet.
        let live = platform.api(Method::GET, &format!("/events/live?after={}", begin % 7)).send().await.unwrap();
        watchers.push((begin % 7 + 1, live));
    }
    for _ in 0..4 {
        platform.send(Method::POST, "/sites/docs/builds", json!({})).await;
    }
    for (first, live) in watchers {
        let heard = ids(live, usize::try_from(9 - first).unwrap()).await;
        let heard: Vec<u64> = heard.iter().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
        assert_eq!(heard, (first..9).collect::<Vec<_>>());
    }
}

/// Two sites of one organization, and a build.
const STORY: [&str; 7] = [
    "site.created.v1",
    "host.claimed.v1",
    "organization.created.v1",
    "handle.claimed.v1",
    "site.created.v1",
    "host.claimed.v1",
    "build.requested.v1",
];

fn names(answer: &Value) -> Vec<String> {
    let name = |event: &Value| event["type"].as_str().unwrap().trim_start_matches("dev.pagefold.").to_owned();
    answer["items"].as_array().unwrap().iter().map(name).collect()
}

/// The first `count` events of a stream: id, name and subject.
async fn ids(response: reqwest::Response, count: usize) -> Vec<String> {
    let mut chunks = response.bytes_stream();
    let mut text = String::new();
    let reading = async {
        while text.matches("data: {").count() < count || !text.ends_with("\n\n") {
            text.push_str(std::str::from_utf8(&chunks.next().await.unwrap().unwrap()).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("the events come");
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default().to_owned()
    };
    let named = text.split("\n\n").filter(|block| block.contains("data: {"));
    named
        .map(|block| {
            let event: Value = serde_json::from_str(&field(block, "data:")).unwrap();
            format!("{} {} {}", field(block, "id:"), field(block, "event:"), event["subject"].as_str().unwrap())
        })
        .collect()
}
