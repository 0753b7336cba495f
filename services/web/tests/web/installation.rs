//! The whole installation, for those who look after it: who builds, who follows the log, and how far they are.

use crate::dashboard::Browser;
use crate::people::{organization, token};
use crate::platform::{Platform, code};
use runtime::attendance::{Slots, Telling};
use serde_json::{Value, json};
use std::time::Duration;

/// What the API says at `path` once it is as wanted.
async fn until(platform: &Platform, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let look = async {
        loop {
            let told = platform.get(path).await.1;
            if wanted(&told) {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), look).await.expect("the API tells it in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn launchers_are_told_of_while_they_are_there_and_those_that_vanished_with_a_build() {
    let platform = Platform::start().await;
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/platform").await.contains("No launcher is there: builds wait."));
    let (idle, full) = (platform.service("launcher").await, platform.service("launcher").await);
    let idle = Telling::begin(idle.connection(), "launcher-idle".to_owned());
    idle.slots(Slots { all: 4, busy: 1, works: true });
    let full = Telling::begin(full.connection(), "launcher-full".to_owned());
    full.slots(Slots { all: 2, busy: 0, works: false });
    let docs = platform.create_site("docs").await;
    platform.running_build(docs, 1).await;
    let launchers = |told: &Value| told["launchers"].as_array().unwrap().clone();
    let told = launchers(&until(&platform, "/platform/queue", |told| launchers(told).len() == 3).await);
    let gone =
        json!({ "name": "launcher-1", "slots": null, "busy": 1, "busy_since": told[0]["busy_since"], "works": false });
    assert_eq!(told[0], gone, "its build is told of, and that it says nothing");
    assert_eq!(
        (&told[1]["name"], &told[1]["slots"], &told[1]["works"]),
        (&json!("launcher-full"), &json!(2), &json!(false))
    );
    let expected = json!({ "name": "launcher-idle", "slots": 4, "busy": 1, "busy_since": null, "works": true });
    assert_eq!(told[2], expected);
    let page = browser.page("/platform").await;
    assert!(page.contains("2 of 6 slots in use.") && page.contains("1 of 4") && page.contains("silent"), "{page}");
    drop(idle);
    let left = until(&platform, "/platform/queue", |told| launchers(told).len() == 2).await;
    assert!(!left.to_string().contains("launcher-idle"), "{left}");
    drop(full);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_the_log_is_told_of_with_how_far_it_is() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let last = platform.log.last_sequence().await.unwrap();
    let edge = platform.service("edge").await;
    let telling = Telling::begin(edge.connection(), "edge-a".to_owned());
    telling.position(last - 1);
    let of =
        |told: &Value, name: &str| told["items"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned();
    let told = until(&platform, "/platform/consumers", |told| of(told, "edge-a").is_some()).await;
    let edge = of(&told, "edge-a").unwrap();
    assert_eq!((&edge["sequence"], &edge["pending"]), (&json!(last - 1), &json!(1)));
    assert!(edge["lag_s"].as_f64().unwrap() > 0.0, "{edge}");
    telling.position(last);
    let told = until(&platform, "/platform/consumers", |told| of(told, "edge-a").unwrap()["pending"] == 0).await;
    assert_eq!(of(&told, "edge-a").unwrap()["lag_s"], 0.0);
    organization(&platform, "north").await;
    let narrow = token(&platform, json!({ "name": "ci", "scopes": ["read"], "organization": "north" })).await;
    assert_eq!(code(&narrow.get("/platform/consumers").await), (403, "forbidden"));
}
