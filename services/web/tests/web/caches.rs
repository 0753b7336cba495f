//! A build that is asked for once more without what builds of its site have kept.

use crate::dashboard::Browser;
use crate::platform::{Platform, code};
use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_asked_for_once_more_without_what_builds_have_kept() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let build = platform.running_build(docs, 1).await;
    platform.finish(build, events::Outcome::Failure).await;
    let retry = format!("/builds/{build}/retry");
    let (status, again) = platform.send(Method::POST, &retry, json!({ "clear_cache": true })).await;
    assert_eq!((status, &again["clear_cache"]), (StatusCode::CREATED, &json!(true)));
    let story = platform.get(&format!("/events?correlation={}", again["correlation"].as_str().unwrap())).await.1;
    assert_eq!(story["items"][0]["data"]["clear_cache"], true, "{story}");
    let (_, without) = platform.send(Method::POST, &retry, json!({})).await;
    assert_eq!(without["clear_cache"], false);
    for wrong in [json!({ "clear_cache": "yes" }), json!({ "clear": true }), json!([true])] {
        assert_eq!(code(&platform.send(Method::POST, &retry, wrong).await), (422, "invalid_input"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_build_has_a_button_for_it_and_that_of_the_new_one_says_so() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let build = platform.running_build(docs, 1).await;
    platform.finish(build, events::Outcome::Failure).await;
    let browser = Browser::sign_in(&platform).await;
    let page = browser.page(&format!("/builds/{build}")).await;
    assert!(page.contains("Build again without cache") && !page.contains("cleared before it"), "{page}");
    let pressed = browser.submit(&format!("/builds/{build}/retry"), "clear_cache=true").await;
    assert_eq!(pressed.status(), StatusCode::SEE_OTHER);
    let next = pressed.headers()[LOCATION].to_str().unwrap().to_owned();
    assert!(browser.page(&next).await.contains("cleared before it"));
    assert!(browser.page("/timeline").await.contains("and the cache of the site cleared"));
    let plain = browser.submit(&format!("/builds/{build}/retry"), "").await;
    let next = plain.headers()[LOCATION].to_str().unwrap().to_owned();
    assert!(!browser.page(&next).await.contains("cleared before it"));
}
