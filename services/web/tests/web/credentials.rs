//! What a private repository is read by: made, set, shown as far as it may be, and never told.

use crate::dashboard::Browser;
use crate::platform::{Platform, code, json};
use events::{Event, SiteEvent};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const TOKEN: &str = "ghp_t0ken0123456789";

async fn remove(platform: &Platform, path: &str) -> StatusCode {
    platform.api(Method::DELETE, path).send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_key_is_made_shown_replaced_and_removed() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    assert_eq!(code(&platform.get("/sites/docs/deploy-key").await), (404, "not_found"));
    let (status, made) = platform.send(Method::POST, "/sites/docs/deploy-key", json!({})).await;
    assert_eq!(status, StatusCode::CREATED);
    assert!(made["public_key"].as_str().unwrap().starts_with("ssh-ed25519 AAAA"), "{made}");
    let shown = platform.get(&format!("/sites/{docs}/deploy-key")).await.1;
    assert_eq!((&shown["public_key"], &shown["fingerprint"]), (&made["public_key"], &made["fingerprint"]));
    assert_eq!(shown["updated_by"], "token:tester");
    assert_eq!(shown.as_object().unwrap().len(), 4, "{shown}");

    let fact = platform.log.fact(platform.log.last_sequence().await.unwrap()).await.unwrap().unwrap();
    assert_eq!(fact.sentence(), "deploy key made for its repository");
    let Event::Site(SiteEvent::DeployKeyMade { private_key, .. }) = &fact.event else { panic!("{fact:?}") };
    assert!(!String::from_utf8_lossy(&private_key.bytes()).contains("PRIVATE"));

    let (_, again) = platform.send(Method::POST, "/sites/docs/deploy-key", json!({})).await;
    assert_ne!(again["public_key"], made["public_key"]);
    for _ in 0..2 {
        assert_eq!(remove(&platform, "/sites/docs/deploy-key").await, StatusCode::NO_CONTENT);
    }
    assert_eq!(code(&platform.get("/sites/docs/deploy-key").await), (404, "not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_set_for_https_and_goes_with_its_repository() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let set = async |body: Value| platform.send(Method::PUT, "/sites/docs/source-token", body).await;
    for (body, expected) in [
        (json!({}), (422, "invalid_input")),
        (json!({ "token": "" }), (422, "invalid_input")),
        (json!({ "token": "a b" }), (422, "invalid_input")),
        (json!({ "token": "x".repeat(4097) }), (422, "invalid_input")),
        (json!({ "token": TOKEN, "username": "a:b" }), (422, "invalid_input")),
    ] {
        assert_eq!(code(&set(body).await), expected);
    }
    let change = async |repository: &str| {
        let body = json!({ "repository": repository });
        let (status, _) = platform.send(Method::PATCH, "/sites/docs", body).await;
        assert_eq!(status, StatusCode::OK);
    };
    change("git@example.org:acme/docs").await;
    assert_eq!(code(&set(json!({ "token": TOKEN })).await), (422, "source_token_needs_https"));
    change("https://example.org/acme/docs").await;
    assert_eq!(set(json!({ "token": TOKEN, "username": "reader" })).await.0, StatusCode::NO_CONTENT);
    let shown = platform.get("/sites/docs/source-token").await.1;
    assert_eq!((&shown["username"], &shown["updated_by"]), (&json!("reader"), &json!("token:tester")));
    assert!(!platform.get("/sites/docs/events").await.1.to_string().contains(TOKEN));

    change("https://example.com/acme/docs").await;
    assert_eq!(code(&platform.get("/sites/docs/source-token").await), (404, "not_found"));
    assert_eq!(remove(&platform, "/sites/docs/source-token").await, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_repository_is_read_by_is_for_those_who_may_change_what_builds_are_given() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let wanted = json!({ "name": "deployer", "scopes": ["deploy"], "site": "docs" });
    let (_, deployer) = platform.send(Method::POST, "/tokens", wanted).await;
    let ask = async |method: Method, path: &str| {
        let request = platform.client.request(method, platform.url(&format!("/api/v1/sites/docs/{path}")));
        let token = deployer["token"].as_str().unwrap();
        json(request.bearer_auth(token).json(&json!({ "token": TOKEN })).send().await.unwrap()).await
    };
    for (method, path) in [
        (Method::POST, "deploy-key"),
        (Method::DELETE, "deploy-key"),
        (Method::PUT, "source-token"),
        (Method::DELETE, "source-token"),
    ] {
        assert_eq!(code(&ask(method, path).await), (403, "forbidden"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_settings_makes_and_removes_both() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    platform.send(Method::PATCH, "/sites/docs", json!({ "repository": "https://example.org/acme/docs" })).await;
    let browser = Browser::sign_in(&platform).await;
    let submit = async |path: &str, form: &str| {
        let answer = browser.submit(&format!("/sites/{docs}/{path}"), form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        browser.page("/sites/docs/settings").await
    };
    let page = submit("deploy-key", "").await;
    assert!(
        page.contains("ssh-ed25519 AAAA") && page.contains("SHA256:") && page.contains("tester (operator)"),
        "{page}"
    );
    let page = submit("source-token", &format!("token={TOKEN}&username=reader")).await;
    assert!(page.contains("for the user <code>reader</code>") && !page.contains(TOKEN), "{page}");
    assert!(!submit("deploy-key/remove", "").await.contains("ssh-ed25519"));
    assert!(!submit("source-token/remove", "").await.contains("Remove the token"));
}
