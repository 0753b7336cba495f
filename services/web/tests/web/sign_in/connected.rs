//! An account at GitHub that is used for somebody: connected, used, and given up.

use super::github::GitHub;
use super::{Traveller, ask, cookie, invitation, refused};
use crate::dashboard::Browser;
use crate::platform::{Platform, code, json};
use crate::webhook::{deliver, signature_with};
use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Whoever has joined an organization.
async fn joined<'a>(platform: &'a Platform, organization: &str) -> Browser<'a> {
    let link = invitation(platform, organization).await;
    let joined = Browser::stranger(platform).await.submit(&link, "name=Ada").await;
    Browser::with(platform, joined.headers()[SET_COOKIE].to_str().unwrap())
}

async fn leave(browser: &Browser<'_>) -> Traveller {
    let page = browser.submit("/account/github", "").await;
    let cookies = format!("{}; {}", browser.cookie, cookie(&page));
    let page = page.text().await.unwrap();
    let provider = page.split("href=\"").find(|rest| rest.contains("Go on")).unwrap().split('"').next().unwrap();
    Traveller { cookies, provider: provider.replace("&amp;", "&") }
}

async fn connect(browser: &Browser<'_>, github: &GitHub, name: &str) {
    let going = leave(browser).await;
    let back = github.sign_in(&going.provider, name).await;
    let connected = going.come_back(browser.platform, &back).await;
    assert_eq!(connected.headers()[LOCATION], "/account#github");
}

/// A token of somebody's, for as much as is said.
async fn token(browser: &Browser<'_>, scope: &str) -> String {
    let made = browser.submit("/account", &format!("name={scope}&scope={scope}&days=0")).await.text().await.unwrap();
    made.split("The token is <code>").nth(1).expect(&made).split('<').next().unwrap().to_owned()
}

async fn send(platform: &Platform, token: &str, method: Method, path: &str) -> (StatusCode, Value) {
    let request = platform.client.request(method, platform.url(&format!("/api/v1{path}"))).bearer_auth(token);
    json(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_connects_github_creates_a_site_from_a_list_and_has_its_webhook_installed() {
    let mut platform = Platform::start().await;
    let github = GitHub::start().await;
    platform.connect_with(github.known()).await;
    let ada = joined(&platform, "north").await;
    let manage = token(&ada, "manage").await;
    let before = send(&platform, &manage, Method::GET, "/github/repositories").await;
    assert_eq!(code(&before), (409, "github_not_connected"));
    connect(&ada, &github, "octocat").await;
    assert_eq!(github.scopes(), "public_repo+write%3Arepo_hook", "no more than what is used");
    assert_eq!(ask(&ada, "/github").await["account"], "octocat");

    let (first, last) = (ask(&ada, "/github/repositories").await, ask(&ada, "/github/repositories?page=3").await);
    assert_eq!((first["items"].as_array().unwrap().len(), &first["next"]), (100, &json!(2)));
    assert_eq!((&last["items"], &last["next"]), (&json!([]), &json!(null)), "one may not push to the last");
    let found = ask(&ada, "/github/repositories?search=PAGES").await;
    assert_eq!((&found["items"][0]["name"], &found["next"]), (&json!("octocat/pages"), &json!(null)));
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let page = ada.page("/github?search=pages").await;
    assert!(page.contains("value=\"octocat/pages\"") && !page.contains("other-1"), "{page}");

    platform.level().await;
    let made = ada.submit("/github", "repository=octocat%2Fpages&name=pages&organization=north&engine=static").await;
    let place = made.headers()[LOCATION].to_str().unwrap().to_owned();
    assert!(place.starts_with("/sites/") && !place.contains("settings"), "{place}");
    platform.level().await;
    let site = ask(&ada, &place).await;
    assert_eq!((&site["name"], &site["branch"]), (&json!("pages"), &json!("trunk")));
    assert_eq!(site["repository"], found["items"][0]["repository"]);
    let [hook] = &github.hooks()[..] else { panic!("there is one webhook: {:?}", github.hooks()) };
    let url = format!("https://pagefold.test/webhooks/github/{}", site["id"].as_str().unwrap());
    assert_eq!((&hook["config"]["url"], &hook["events"]), (&json!(url), &json!(["push", "pull_request"])));
    let ping = json!({ "zen": "Keep it logically awesome." }).to_string();
    let secret = hook["config"]["secret"].as_str().unwrap();
    let (address, signature) = (url.strip_prefix("https://pagefold.test").unwrap(), signature_with(secret, &ping));
    let (pinged, _) = deliver(&platform, address, ["ping", "p-1"], (&ping, &signature)).await;
    assert!(pinged.is_success(), "what GitHub was told signs for this site: {pinged}");

    let again = send(&platform, &manage, Method::POST, "/sites/pages/webhook").await;
    assert_eq!((again.0, &again.1["url"]), (StatusCode::OK, &json!(url)));
    let [mended] = &github.hooks()[..] else { panic!("there still is one webhook: {:?}", github.hooks()) };
    assert_ne!(mended["config"]["secret"], hook["config"]["secret"]);
    let other = ada.submit("/github", "repository=octocat%2Fother-1&name=other&organization=north&engine=static").await;
    let place = other.headers()[LOCATION].to_str().unwrap();
    assert!(place.ends_with("/settings#webhook"), "the site is there without its webhook: {place}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_granted_at_github_is_sealed_reached_by_nobody_else_and_given_up() {
    let mut platform = Platform::start().await;
    let github = GitHub::start().await;
    platform.connect_with(github.known()).await;
    let (ada, ben) = (joined(&platform, "north").await, joined(&platform, "south").await);
    let lured = leave(&ada).await;
    let back = github.sign_in(&lured.provider, "mallory").await;
    let lured = Traveller { cookies: lured.cookies.replace(&ada.cookie, &ben.cookie), ..lured };
    let refusal = refused(lured.come_back(&platform, &back).await).await;
    assert_eq!(refusal, (400, "sign_in_failed".to_owned()), "another session has come back");
    assert_eq!(ask(&ben, "/github").await["account"], json!(null));

    connect(&ada, &github, "octocat").await;
    connect(&ada, &github, "hubot").await;
    assert_eq!(github.granted(), ["hubot"], "the one before is taken back");
    for sequence in 1..=platform.log.last_sequence().await.unwrap() {
        let fact = platform.log.fact(sequence).await.unwrap().unwrap();
        let text = fact.event.payload().to_string();
        assert!(!text.contains("token-") && !text.contains("hubot"), "the log tells what lets in: {text}");
    }
    let (deploy, manage) = (token(&ada, "deploy").await, token(&ada, "manage").await);
    let weak = send(&platform, &deploy, Method::GET, "/github/repositories").await;
    assert_eq!(code(&weak), (403, "forbidden"), "a token for less does not reach it");

    assert_eq!(send(&platform, &manage, Method::DELETE, "/github").await.0, StatusCode::NO_CONTENT);
    assert!(github.granted().is_empty(), "GitHub takes the token no more");
    let after = send(&platform, &manage, Method::GET, "/github/repositories").await;
    assert_eq!(code(&after), (409, "github_not_connected"));
    connect(&ada, &github, "octocat").await;
    let id = ask(&ada, "/me").await["id"].as_str().unwrap().to_owned();
    platform.level().await;
    assert_eq!(platform.send(Method::DELETE, &format!("/users/{id}"), Value::Null).await.0, StatusCode::NO_CONTENT);
    assert!(github.granted().is_empty(), "whoever is forgotten is used no more");

    connect(&ben, &github, "monalisa").await;
    github.forget();
    let withdrawn = ben.submit("/github", "repository=monalisa%2Fpages&name=pages&engine=static").await;
    assert_eq!(refused(withdrawn).await, (409, "github_not_connected".to_owned()));
}
