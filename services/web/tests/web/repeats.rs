//! A request whose answer was lost is sent again, and creates nothing twice.

use crate::platform::{Platform, code};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn post(platform: &Platform, path: &str, key: &str, body: &Value) -> (StatusCode, Value) {
    let request = platform.api(Method::POST, path).header("idempotency-key", key).json(body);
    crate::platform::json(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_again_with_the_same_key_is_created_once() {
    let platform = Platform::start().await;
    let site = json!({ "name": "docs", "repository": "https://git.test/acme/docs.git", "organization": "acme" });
    for (path, body) in
        [("/organizations", json!({ "name": "north" })), ("/sites", site), ("/sites/docs/builds", json!({}))]
    {
        let first = post(&platform, path, "key-1", &body).await;
        assert_eq!(first.0, StatusCode::CREATED, "{first:?}");
        platform.level().await;
        let stated = platform.log.last_sequence().await.unwrap();
        let again = post(&platform, path, "key-1", &body).await;
        assert_eq!((again.0, &again.1["id"]), (StatusCode::CREATED, &first.1["id"]), "{path}");
        assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "{path} stated nothing again");
    }
    let taken = json!({ "name": "docs", "repository": "https://git.test/acme/other.git", "organization": "acme" });
    assert_eq!(
        code(&post(&platform, "/sites", "key-1", &taken).await),
        (422, "idempotency_key_reused"),
        "another request"
    );
    assert_eq!(code(&post(&platform, "/sites", "key-3", &taken).await), (409, "site_exists"));
    let other_key = post(&platform, "/sites/docs/builds", "key-2", &json!({})).await.1["id"].clone();
    let other_branch = post(&platform, "/sites/docs/builds", "key-4", &json!({ "branch": "x" })).await.1["id"].clone();
    let first = post(&platform, "/sites/docs/builds", "key-1", &json!({})).await.1["id"].clone();
    assert!(first != other_key && other_key != other_branch, "{first} {other_key} {other_branch}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_at_the_same_time_creates_one_thing() {
    let platform = Platform::start().await;
    let body = json!({ "name": "docs", "repository": "https://git.test/acme/docs.git" });
    let asked = (0..8).map(|_| post(&platform, "/sites", "at-once", &body));
    let answers = futures::future::join_all(asked).await;
    for answer in &answers {
        assert_eq!((answer.0, &answer.1["id"]), (StatusCode::CREATED, &answers[0].1["id"]), "{answers:?}");
    }
    assert_eq!(platform.get("/sites").await.1["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_refused_before_anything_is_done() {
    let platform = Platform::start().await;
    for key in ["", "two words", &"x".repeat(256)] {
        let refused = post(&platform, "/organizations", key, &json!({ "name": "north" })).await;
        assert_eq!(code(&refused), (400, "bad_header"), "{key:?}");
        assert!(refused.1["detail"].as_str().unwrap().contains("Idempotency-Key"), "{refused:?}");
    }
    assert_eq!(platform.log.last_sequence().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_with_another_body_is_refused_and_what_was_refused_may_be_asked_again() {
    let platform = Platform::start().await;
    let named = |name: &str| json!({ "name": name });
    assert_eq!(post(&platform, "/organizations", "k", &named("north")).await.0, StatusCode::CREATED);
    let stated = platform.log.last_sequence().await.unwrap();
    let reused = post(&platform, "/organizations", "k", &named("south")).await;
    assert_eq!(code(&reused), (422, "idempotency_key_reused"));
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
    assert_eq!(code(&post(&platform, "/organizations", "l", &named("north")).await), (409, "organization_exists"));
    assert_eq!(post(&platform, "/organizations", "l", &named("south")).await.0, StatusCode::CREATED, "it was refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_acts_acts_once_for_each_key_and_answers_the_same() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let build = platform.running_build(docs, 1).await;
    let first = post(&platform, "/sites/docs/deploy-key", "k", &json!({})).await;
    assert!(first.0.is_success(), "{first:?}");
    let stated = platform.log.last_sequence().await.unwrap();
    assert_eq!(post(&platform, "/sites/docs/deploy-key", "k", &json!({})).await, first);
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "no second key was made");
    assert_ne!(post(&platform, "/sites/docs/deploy-key", "l", &json!({})).await.1, first.1, "another key, another one");

    let canceled = post(&platform, &format!("/builds/{build}/cancel"), "k", &json!({})).await;
    assert!(canceled.0.is_success(), "{canceled:?}");
    assert_eq!(post(&platform, &format!("/builds/{build}/cancel"), "k", &json!({})).await, canceled);

    let receiver = json!({ "kind": "webhook", "name": "hook", "address": "https://receiver.test/hook" });
    let (status, made) = post(&platform, "/sites/docs/receivers", "k", &receiver).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let test = format!("/sites/docs/receivers/{}/test", made["id"].as_str().unwrap());
    let tested = post(&platform, &test, "k", &json!({})).await;
    assert!(tested.0.is_success(), "{tested:?}");
    let stated = platform.log.last_sequence().await.unwrap();
    assert_eq!(post(&platform, &test, "k", &json!({})).await, tested);
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "one notice was asked for");

    let link = post(&platform, "/sign-in-links", "k", &json!({})).await;
    assert_eq!(link.0, StatusCode::CREATED, "{link:?}");
    assert_eq!(post(&platform, "/sign-in-links", "k", &json!({})).await, link);
    assert_ne!(post(&platform, "/sign-in-links", "l", &json!({})).await.1["url"], link.1["url"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_that_cannot_be_answered_again_leaves_the_key_to_what_it_made() {
    let platform = Platform::start().await;
    let token = |name: &str| json!({ "name": name, "scopes": ["read"] });
    assert_eq!(post(&platform, "/tokens", "k", &token("one")).await.0, StatusCode::CREATED);
    assert_eq!(code(&post(&platform, "/tokens", "k", &token("one")).await), (409, "token_exists"), "it is shown once");
    assert_eq!(code(&post(&platform, "/tokens", "k", &token("two")).await), (422, "idempotency_key_reused"));
}
