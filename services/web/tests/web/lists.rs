//! Every list is read in pages of one shape, to its end.

use crate::platform::{Platform, code};
use events::repository::{Change, Delivery};
use events::{Actor, Cause, Repository, ids, repository};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The values of `field` on every page of two, to the end of the list.
pub(crate) async fn paged(platform: &Platform, path: &str, field: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let (status, page) = platform.get(&format!("{path}?limit=2{after}")).await;
        assert_eq!(status, StatusCode::OK, "{path} {page}");
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2, "{path}");
        found.extend(items.iter().map(|item| item[field].clone()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", next.replace('/', "%2F")),
            None => break,
        }
    }
    let whole = platform.get(&format!("{path}?limit=1000")).await.1;
    let whole: Vec<Value> = whole["items"].as_array().unwrap().iter().map(|item| item[field].clone()).collect();
    assert_eq!(found, whole, "{path}: the pages make the whole");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_has_its_rows_in_order_and_says_where_the_next_page_begins() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    for name in ["alpha", "blog", "zulu"] {
        platform.create_site(name).await;
    }
    for name in ["group-c", "group-a", "group-b"] {
        let created = platform.send(Method::POST, "/organizations", json!({ "name": name })).await;
        assert_eq!(created.0, StatusCode::CREATED);
    }
    let mut deploys = Vec::new();
    for number in 1..=5 {
        deploys.insert(0, json!(platform.built(docs, number).await));
    }
    for branch in ["a", "b/c"] {
        let path = format!("/sites/docs/aliases/preview/{branch}");
        assert_eq!(platform.send(Method::PUT, &path, json!({ "deploy": deploys[0] })).await.0, StatusCode::OK);
    }
    assert_eq!(paged(&platform, "/sites", "name").await, ["alpha", "blog", "docs", "zulu"]);
    assert_eq!(paged(&platform, "/organizations", "name").await, ["default", "group-a", "group-b", "group-c"]);
    assert_eq!(paged(&platform, "/sites/docs/builds", "number").await, [5, 4, 3, 2, 1]);
    assert_eq!(paged(&platform, &format!("/sites/{docs}/deploys"), "id").await, deploys);
    assert_eq!(paged(&platform, "/sites/docs/aliases", "alias").await, ["live", "preview/a", "preview/b/c"]);
    let last = platform.log.last_sequence().await.unwrap();
    let all: Vec<String> = (1..=last).map(|sequence| sequence.to_string()).collect();
    assert_eq!(paged(&platform, "/events", "sequence").await, all);
    let own = paged(&platform, "/sites/docs/events", "sequence").await;
    assert!(own.len() < all.len() && own.contains(&json!(all[all.len() - 1])), "{own:?}");

    for path in [
        "/sites",
        "/organizations",
        "/sites/docs/builds",
        "/sites/docs/deploys",
        "/sites/docs/aliases",
        "/sites/docs/deliveries",
        "/sites/docs/events",
        "/events",
    ] {
        for limit in ["0", "1001", "-1", "x"] {
            let refused = platform.get(&format!("{path}?limit={limit}")).await;
            assert_eq!(code(&refused), (422, "invalid_input"), "{path} {limit}");
        }
    }
    for path in ["builds", "deploys", "deliveries", "events"].map(|list| format!("/sites/docs/{list}")) {
        assert_eq!(code(&platform.get(&format!("{path}?after=x")).await), (422, "invalid_input"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_a_site_begin_with_the_push_of_their_story() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    platform.create_site("other").await;
    let change = Change::Pushed {
        commit: crate::platform::COMMIT.parse().unwrap(),
        summary: "Fix the title".to_owned(),
        skip: false,
        paths: None,
    };
    let push = Delivery {
        id: "d-1".to_owned(),
        repository: "https://git.test/acme/docs.git".parse().unwrap(),
        branch: "main".parse().unwrap(),
        before: None,
        change,
        site: None,
        pull_request: None,
    };
    let cause = Cause { id: Some(ids::of_delivery("github", "d-1")), ..Cause::new(Actor("webhook:github".to_owned())) };
    let record = repository::Command::Receive(push);
    let push = platform.log.execute::<Repository>("git.test/acme/docs", &record, &cause).await.unwrap().remove(0);
    let build = events::BuildId::of(push.envelope.id, docs);
    platform.queue(build, docs, push.sequence).await;
    let delivery = platform.get("/sites/docs/deliveries").await.1["items"][0].clone();
    assert_eq!(
        (&delivery["id"], &delivery["kind"], &delivery["branch"]),
        (&json!("d-1"), &json!("push"), &json!("main"))
    );
    assert_eq!((&delivery["commit"], &delivery["sequence"]), (&json!(crate::platform::COMMIT), &json!(push.sequence)));
    assert_eq!(platform.get("/sites/other/deliveries").await.1, json!({ "items": [], "next": null }));
    let page = crate::dashboard::Browser::sign_in(&platform).await.page("/sites/docs/deliveries").await;
    assert!(page.contains("Push to <code>main</code>: 1111111 Fix the title."), "{page}");
    for path in [format!("/sites/{docs}/events"), "/sites/docs/events".to_owned(), "/events?site=docs".to_owned()] {
        let events = platform.get(&path).await.1["items"].clone();
        let types: Vec<&str> = events.as_array().unwrap().iter().filter_map(|event| event["type"].as_str()).collect();
        let expected = ["site.created", "host.claimed", "repository.push_received", "build.queued", "build.dispatched"];
        assert_eq!(types, expected.map(|fact| format!("dev.pagefold.{fact}.v1")), "{path}");
        let sign = if path.contains('?') { '&' } else { '?' };
        let rest = platform.get(&format!("{path}{sign}after={}", platform.log.last_sequence().await.unwrap())).await;
        assert_eq!(rest, (StatusCode::OK, json!({ "items": [], "next": null })), "a page may be empty");
    }
    let nobody = "00000000-0000-4000-8000-000000000000";
    for path in ["/sites/nope/events", "/events?site=nope", &format!("/sites/{nobody}/events")] {
        assert_eq!(code(&platform.get(path).await), (404, "site_not_found"), "{path}");
    }
}
