//! Tokens that make tokens, when they were last used, and who is told of them.

use crate::dashboard::Browser;
use crate::people::{Holder, invited, me, organization, token};
use crate::platform::{Platform, code};
use reqwest::header::COOKIE;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A token that this one makes, and its id.
async fn made<'a>(platform: &'a Platform, maker: &Holder<'_>, name: &str) -> (Holder<'a>, String) {
    let (status, made) = maker.ask(Method::POST, "/tokens", json!({ "name": name, "scopes": ["manage"] })).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let token = made["token"].as_str().unwrap().to_owned();
    (Holder { platform, token }, made["id"].as_str().unwrap().to_owned())
}

async fn id_of(platform: &Platform, name: &str) -> String {
    let listed = platform.get("/tokens").await.1["items"].clone();
    let named = listed.as_array().unwrap().iter().find(|token| token["name"] == name).unwrap();
    named["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_made_ends_with_it() {
    let platform = Platform::start().await;
    let first = token(&platform, json!({ "name": "first", "scopes": ["manage"] })).await;
    let other = token(&platform, json!({ "name": "other", "scopes": ["manage"] })).await;
    let (second, _) = made(&platform, &first, "second").await;
    let (third, third_id) = made(&platform, &second, "third").await;
    assert_eq!(third.get("/me").await.0, StatusCode::OK);
    let id = id_of(&platform, "first").await;
    for _ in 0..2 {
        let revoked = platform.send(Method::DELETE, &format!("/tokens/{id}"), Value::Null).await;
        assert_eq!(revoked.0, StatusCode::NO_CONTENT);
    }
    for (holder, name) in [(&first, "first"), (&second, "second"), (&third, "third")] {
        assert_eq!(code(&holder.get("/me").await), (401, "unauthorized"), "{name}");
    }
    assert_eq!(other.get("/me").await.0, StatusCode::OK);
    platform.level().await;
    let told = platform.get(&format!("/events?subject=token/{third_id}")).await.1;
    assert_eq!(told["items"][1]["type"], "dev.pagefold.token.revoked.v1", "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_of_a_token_is_told() {
    let platform = Platform::start().await;
    let ci = token(&platform, json!({ "name": "ci", "scopes": ["read"] })).await;
    token(&platform, json!({ "name": "idle", "scopes": ["read"] })).await;
    let listed = platform.get("/tokens").await.1["items"].clone();
    assert!(listed.as_array().unwrap().iter().all(|token| token["last_used_at"].is_null()), "{listed}");
    let stated = platform.log.last_sequence().await.unwrap();
    for _ in 0..3 {
        assert_eq!(ci.get("/me").await.0, StatusCode::OK);
    }
    let told = async {
        loop {
            let listed = platform.get("/tokens").await.1["items"].clone();
            let of = |name: &str| {
                let token = listed.as_array().unwrap().iter().find(|token| token["name"] == name).unwrap();
                token["last_used_at"].clone()
            };
            if of("ci").is_string() {
                return of("idle");
            }
        }
    };
    let idle = tokio::time::timeout(std::time::Duration::from_secs(20), told).await.unwrap();
    assert_eq!(idle, Value::Null);
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "it is no fact");
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/account").await.contains("Last used"));
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_are_told_of_invitations_and_tokens_and_users_are_not() {
    let platform = Platform::start().await;
    organization(&platform, "north").await;
    organization(&platform, "south").await;
    let manager = invited(&platform, "north", "Ada", "manager").await;
    let user = invited(&platform, "north", "Ben", "user").await;
    let stranger = invited(&platform, "south", "Eve", "manager").await;
    token(&platform, json!({ "name": "ci", "scopes": ["read"], "organization": "north" })).await;
    let id = id_of(&platform, "ci").await;
    platform.send(Method::DELETE, &format!("/tokens/{id}"), Value::Null).await;
    platform.level().await;
    let kinds = async |browser: &Browser<'_>| {
        let request = platform.client.get(platform.url("/api/v1/events?limit=1000")).header(COOKIE, &browser.cookie);
        let (_, told) = crate::platform::json(request.send().await.unwrap()).await;
        let kinds = told["items"].as_array().unwrap().iter().map(|fact| fact["type"].as_str().unwrap().to_owned());
        let about = |kind: &String| kind.contains(".token.") || kind.contains(".invitation.");
        kinds.filter(about).map(|kind| kind.replace("dev.pagefold.", "")).collect::<Vec<_>>()
    };
    let invitation = ["invitation.created.v1", "invitation.accepted.v1"];
    let told = [invitation, invitation, ["token.created.v1", "token.revoked.v1"]].concat();
    assert_eq!(kinds(&manager).await, told);
    assert_eq!(kinds(&user).await, [""; 0]);
    assert_eq!(kinds(&stranger).await, invitation, "their own organization's alone");
    let sequence = platform.log.last_sequence().await.unwrap();
    let path = format!("/api/v1/events/{sequence}");
    for (browser, status) in [(&manager, StatusCode::OK), (&user, StatusCode::NOT_FOUND)] {
        let fact = platform.client.get(platform.url(&path)).header(COOKIE, &browser.cookie).send().await.unwrap();
        assert_eq!(fact.status(), status, "the token is revoked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_who_is_forgotten_is_none_any_more() {
    let platform = Platform::start().await;
    organization(&platform, "north").await;
    let first = invited(&platform, "north", "Ada", "manager").await;
    let second = invited(&platform, "north", "Ben", "manager").await;
    let (first, second) = (me(&first).await.1["id"].clone(), me(&second).await.1["id"].clone());
    let path = |id: &Value| format!("/organizations/north/members/{}", id.as_str().unwrap());
    let erased = platform.send(Method::DELETE, &format!("/users/{}", first.as_str().unwrap()), Value::Null).await;
    assert_eq!(erased.0, StatusCode::NO_CONTENT);
    invited(&platform, "north", "Eve", "user").await;
    let demoted = platform.send(Method::PUT, &path(&second), json!({ "role": "user" })).await;
    assert_eq!(code(&demoted), (409, "last_manager"), "who was forgotten does not count");
    let erased = platform.send(Method::DELETE, &format!("/users/{}", second.as_str().unwrap()), Value::Null).await;
    assert_eq!(erased.0, StatusCode::NO_CONTENT, "nobody is kept because they are the last");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_makes_a_token_for_one_site() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    platform.create_site("blog").await;
    let browser = Browser::sign_in(&platform).await;
    let made = browser.submit("/account", "name=ci&scope=read&site=docs&days=1").await;
    let page = made.text().await.unwrap();
    assert!(page.contains("one site"), "{page}");
    let listed = platform.get("/tokens").await.1["items"].clone();
    let docs = platform.site_id("docs").await;
    assert_eq!((&listed[0]["name"], &listed[0]["site_id"]), (&json!("ci"), &json!(docs)), "{listed}");
    let refused = browser.submit("/account", "name=ci&scope=read&site=nowhere&days=1").await;
    assert_eq!(refused.status(), StatusCode::NOT_FOUND);
}
