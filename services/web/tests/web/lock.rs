//! A locked site: what its readers see stays, and everybody is told why.

use crate::dashboard::Browser;
use crate::platform::{Platform, code};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn lock(platform: &Platform, place: &str, reason: &str) -> (StatusCode, Value) {
    platform.send(Method::PUT, &format!("/sites/{place}/lock"), json!({ "reason": reason })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_readers_of_a_locked_site_see_stays_until_it_is_unlocked() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let (first, second) = (platform.built(docs, 1).await, platform.built(docs, 2).await);
    assert_eq!(platform.get("/sites/docs").await.1["lock"], Value::Null);
    assert_eq!(lock(&platform, "docs", " election day ").await, (StatusCode::OK, json!({ "reason": "election day" })));
    let shown = platform.get("/sites/docs").await.1["lock"].clone();
    assert_eq!((&shown["reason"], &shown["locked_by"]), (&json!("election day"), &json!("token:tester")));
    assert!(shown["locked_at"].is_string(), "{shown}");

    for alias in ["live", "demo"] {
        let path = format!("/sites/docs/aliases/{alias}");
        let refused = platform.send(Method::PUT, &path, json!({ "deploy": first })).await;
        assert_eq!(code(&refused), (409, "site_locked"));
        assert!(refused.1["detail"].as_str().unwrap().contains("election day"), "{refused:?}");
    }
    let same = platform.send(Method::PUT, "/sites/docs/aliases/live", json!({ "deploy": second })).await;
    assert_eq!(same.0, StatusCode::OK, "what is shown already is no change");
    let preview = platform.send(Method::PUT, "/sites/docs/aliases/preview/draft", json!({ "deploy": first })).await;
    assert_eq!(preview.0, StatusCode::OK, "previews go on");
    let deleted = platform.api(Method::DELETE, "/sites/docs").send().await.unwrap();
    assert_eq!(code(&crate::platform::json(deleted).await), (409, "site_locked"));

    let stated = platform.log.last_sequence().await.unwrap();
    assert_eq!(lock(&platform, "docs", "election day").await.0, StatusCode::OK);
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "the same lock again is no fact");
    assert_eq!(lock(&platform, &docs.to_string(), "audit").await.0, StatusCode::OK);
    assert_eq!(platform.get("/sites/docs").await.1["lock"]["reason"], "audit");

    for _ in 0..2 {
        let unlocked = platform.api(Method::DELETE, "/sites/docs/lock").send().await.unwrap();
        assert_eq!(unlocked.status(), StatusCode::NO_CONTENT);
    }
    assert_eq!(platform.get("/sites/docs").await.1["lock"], Value::Null);
    let chosen = platform.send(Method::PUT, "/sites/docs/aliases/live", json!({ "deploy": first })).await;
    assert_eq!(chosen.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_has_a_reason_and_a_site() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let stated = platform.log.last_sequence().await.unwrap();
    for reason in ["", "  ", "two\nlines", &"x".repeat(501)] {
        assert_eq!(code(&lock(&platform, "docs", reason).await), (422, "invalid_input"), "{reason:?}");
    }
    assert_eq!(code(&platform.send(Method::PUT, "/sites/docs/lock", json!({})).await), (422, "invalid_input"));
    assert_eq!(code(&lock(&platform, "nope", "audit").await), (404, "site_not_found"));
    assert_eq!(code(&lock(&platform, "00000000-0000-0000-0000-000000000001", "x").await), (404, "site_not_found"));
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_locked_and_unlocked_on_its_pages() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let (first, second) = (platform.built(docs, 1).await, platform.built(docs, 2).await);
    let browser = Browser::sign_in(&platform).await;
    assert!(!browser.page("/sites/docs").await.contains("Locked:"));
    let locked = browser.submit(&format!("/sites/{docs}/lock"), "reason=%3Cb%3Eaudit").await;
    assert_eq!(locked.status(), StatusCode::SEE_OTHER);
    let page = browser.page("/sites/docs").await;
    assert!(
        page.contains("Locked:") && page.contains("&lt;b&gt;audit") && page.contains("tester (operator)"),
        "{page}"
    );
    let rollback = format!("alias=live&deploy={first}&expected={second}");
    let refused = browser.submit("/sites/docs/aliases", &rollback).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(refused.text().await.unwrap().contains("site_locked"));
    assert!(browser.page("/timeline").await.contains("<code>live</code> locked: &lt;b&gt;audit."));
    assert!(browser.page("/sites/docs/settings").await.contains("Unlock"));
    assert_eq!(browser.submit(&format!("/sites/{docs}/lock/end"), "").await.status(), StatusCode::SEE_OTHER);
    assert!(!browser.page("/sites/docs").await.contains("Locked:"));
}
