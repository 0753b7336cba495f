//! Whom a site lets in: set without being told again, and share links that are made, listed and revoked.

use crate::dashboard::Browser;
use crate::platform::{Platform, code, json as read};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

async fn patch(platform: &Platform, access: Value) -> (StatusCode, Value) {
    let (status, body, _) = platform.patch("/sites/docs", None, json!({ "access": access })).await;
    (status, body)
}

/// All that is written of a site in the log.
async fn log_of(platform: &Platform) -> String {
    platform.get("/sites/docs/events?limit=100").await.1.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn access_is_set_gate_by_gate_and_a_password_is_never_told() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let open = json!({ "live": { "mode": "public" }, "preview": { "mode": "public" } });
    assert_eq!(platform.get("/sites/docs").await.1["access"], open);
    let needs = patch(&platform, json!({ "live": { "mode": "password" } })).await;
    assert_eq!(code(&needs), (422, "invalid_input"), "nobody could open it");
    let (status, site) = patch(
        &platform,
        json!({ "live": { "mode": "password", "password": PASSWORD }, "preview": { "mode": "link" } }),
    )
    .await;
    assert_eq!(status, StatusCode::OK, "{site}");
    let closed = json!({ "live": { "mode": "password" }, "preview": { "mode": "link" } });
    assert_eq!(site["access"], closed);
    assert_eq!(platform.get("/sites/docs").await.1["access"], closed);
    let before = platform.log.last_sequence().await.unwrap();
    let same = json!({ "live": { "mode": "password", "password": PASSWORD } });
    assert_eq!(patch(&platform, same).await.0, StatusCode::OK);
    assert_eq!(platform.log.last_sequence().await.unwrap(), before, "the same again is no other fact");
    let (_, site) = patch(&platform, json!({ "preview": null })).await;
    assert_eq!(site["access"], json!({ "live": { "mode": "password" }, "preview": { "mode": "public" } }));
    let told = log_of(&platform).await;
    assert!(told.contains("site.password_set.v1") && !told.contains(PASSWORD), "{told}");
    let new = json!({ "name": "closed", "repository": "https://git.test/a/b.git",
        "access": { "live": { "mode": "password", "password": PASSWORD } } });
    let (status, site) = platform.send(Method::POST, "/sites", new).await;
    assert_eq!((status, &site["access"]["live"]["mode"]), (StatusCode::CREATED, &json!("password")), "{site}");
    let past = platform.get("/sites/docs?at=1").await.1;
    assert_eq!(past["access"], open, "as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_link_is_shown_once_listed_without_its_address_and_revoked() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let (status, made) =
        platform.send(Method::POST, "/sites/docs/share-links", json!({ "expires_in": 3600, "branch": "plan" })).await;
    assert_eq!((status, &made["alias"]), (StatusCode::CREATED, &json!("preview/plan")), "{made}");
    let url = made["url"].as_str().unwrap();
    assert!(url.starts_with("http://plan--docs.pages.test:8080/?pagefold-share="), "{url}");
    let all = platform.send(Method::POST, "/sites/docs/share-links", json!({ "expires_in": 60 })).await.1;
    assert!(all["url"].as_str().unwrap().starts_with("http://docs.pages.test:8080/?") && all["alias"].is_null());
    let live = json!({ "expires_in": 60, "branch": "main" });
    assert_eq!(platform.send(Method::POST, "/sites/docs/share-links", live).await.1["alias"], "live");

    let listed = platform.get("/sites/docs/share-links").await.1;
    assert_eq!(listed["items"].as_array().unwrap().len(), 3, "{listed}");
    let secret = url.rsplit('.').next().unwrap();
    let told = log_of(&platform).await;
    assert!(!listed.to_string().contains(secret) && !told.contains(secret) && told.contains("share_link_made"));

    let path = format!("/sites/docs/share-links/{}", made["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(platform.send(Method::DELETE, &path, json!({})).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(platform.get("/sites/docs/share-links").await.1["items"].as_array().unwrap().len(), 2);
    for none in ["x", "00000000-0000-4000-8000-000000000000"] {
        let missing = platform.send(Method::DELETE, &format!("/sites/docs/share-links/{none}"), json!({})).await;
        assert_eq!(code(&missing), (404, "share_link_not_found"));
    }
    for wrong in [
        json!({}),
        json!({ "expires_in": 0 }),
        json!({ "expires_in": 31_536_001 }),
        json!({ "expires_in": 60, "branch": "a b" }),
    ] {
        let refused = platform.send(Method::POST, "/sites/docs/share-links", wrong.clone()).await;
        assert_eq!(code(&refused), (422, "invalid_input"), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_change_a_site_shares_it() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let new = json!({ "expires_in": 60 });
    for (scope, expected) in [("deploy", 403), ("manage", 201)] {
        let wanted = json!({ "name": scope, "scopes": [scope], "site": "docs" });
        let token = platform.send(Method::POST, "/tokens", wanted).await.1["token"].as_str().unwrap().to_owned();
        let request = platform.client.post(platform.url("/api/v1/sites/docs/share-links")).bearer_auth(token);
        assert_eq!(read(request.json(&new).send().await.unwrap()).await.0.as_u16(), expected, "{scope}");
    }
    let other = json!({ "name": "other", "repository": "https://git.test/a/b.git" });
    platform.send(Method::POST, "/sites", other).await;
    let wanted = json!({ "name": "theirs", "scopes": ["manage"], "site": "other" });
    let token = platform.send(Method::POST, "/tokens", wanted).await.1["token"].as_str().unwrap().to_owned();
    let request = platform.client.post(platform.url("/api/v1/sites/docs/share-links")).bearer_auth(token);
    assert_eq!(code(&read(request.json(&new).send().await.unwrap()).await), (404, "site_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_access_closes_shares_and_revokes() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let browser = Browser::sign_in(&platform).await;
    let refused = browser.submit("/sites/docs/access", "live_mode=password&live_password=&preview_mode=link").await;
    let page = refused.text().await.unwrap();
    assert!(page.contains("Nothing is saved yet") && page.contains("live-password-error"), "{page}");
    let form = "live_mode=password&live_password=correct+horse&preview_mode=link&preview_password=";
    let saved = browser.submit("/sites/docs/access", form).await;
    assert_eq!(saved.headers()["location"], "/sites/docs/access");
    let page = browser.page("/sites/docs/access").await;
    assert!(page.contains("<option value=\"link\" selected>") && !page.contains("correct horse"), "{page}");
    assert!(browser.page("/sites/docs").await.contains("previews for whoever has a share link"));

    let made = browser.submit("/sites/docs/share-links", "branch=plan&days=7").await.text().await.unwrap();
    assert!(made.contains("http://plan--docs.pages.test:8080/?pagefold-share="), "{made}");
    let page = browser.page("/sites/docs/access").await;
    assert!(page.contains("preview/plan") && !page.contains("pagefold-share="), "shown once");
    let id = platform.get("/sites/docs/share-links").await.1["items"][0]["id"].as_str().unwrap().to_owned();
    let revoked = browser.submit(&format!("/sites/docs/share-links/{id}/revoke"), "").await;
    assert_eq!(revoked.status(), StatusCode::SEE_OTHER);
    assert!(!browser.page("/sites/docs/access").await.contains("preview/plan"));
    let told = browser.page("/timeline?site=docs").await;
    assert!(told.contains("Share link revoked") && told.contains("Password of the live site set"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_sent_back_with_a_ticket_and_nobody_anywhere_else() {
    let platform = Platform::start().await;
    let site = platform.create_site("docs").await;
    let other =
        platform.send(Method::POST, "/sites", json!({ "name": "other", "repository": "https://git.test/a/b.git" }));
    other.await;
    let browser = Browser::sign_in(&platform).await;
    let open = |to: &str| format!("/open/{site}?to={}", to.replace(':', "%3A").replace('/', "%2F").replace('?', "%3F"));
    let page = browser.page(&open("http://plan--docs.pages.test:8080/a?b=c")).await;
    assert!(page.contains("http://plan--docs.pages.test:8080/a?b=c&amp;pagefold-ticket="), "{page}");
    let page = browser.page(&open("http://docs.pages.test:8080/")).await;
    assert!(page.contains("http://docs.pages.test:8080/?pagefold-ticket="), "{page}");
    for evil in [
        "https://evil.example/",
        "https://other.pages.test/",
        "https://docs.pages.test.evil.example/",
        "https://docs.pages.test@evil.example/",
        "javascript:alert(1)",
        "//docs.pages.test/",
        "/",
    ] {
        let answer = browser.ask(&open(evil)).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{evil}");
        assert!(!answer.text().await.unwrap().contains("pagefold-ticket"), "{evil}");
    }
    let stranger = Browser::stranger(&platform).await;
    let sent = stranger.ask(&open("http://docs.pages.test:8080/")).await;
    assert!(sent.headers()["location"].to_str().unwrap().starts_with("/login?next=%2Fopen%2F"), "{sent:?}");
}
