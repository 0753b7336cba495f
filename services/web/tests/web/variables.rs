//! What builds of a site are given: set and listed, and never told.

use crate::dashboard::Browser;
use crate::platform::{Platform, code, json};
use events::{Event, SiteEvent};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const SECRET: &str = "s3cr3t-value-0123456789";

async fn set(platform: &Platform, site: &str, name: &str, body: Value) -> (StatusCode, Value) {
    platform.send(Method::PUT, &format!("/sites/{site}/variables/{name}"), body).await
}

async fn listed(platform: &Platform) -> Vec<Value> {
    platform.level().await;
    platform.get("/sites/docs/variables").await.1["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_is_set_listed_without_its_value_and_removed() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let body = json!({ "value": SECRET, "contexts": ["preview", "live"] });
    assert_eq!(set(&platform, "docs", "API_KEY", body.clone()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(set(&platform, &docs.to_string(), "other", json!({ "value": "four" })).await.0, StatusCode::NO_CONTENT);
    let shown = listed(&platform).await;
    assert_eq!((&shown[0]["name"], &shown[0]["contexts"]), (&json!("API_KEY"), &json!(["live", "preview"])));
    assert_eq!((&shown[1]["name"], &shown[1]["contexts"]), (&json!("other"), &json!(["live", "demo", "preview"])));
    assert_eq!(shown[0]["updated_by"], "token:tester");
    assert!(shown[0]["updated_at"].is_string() && shown[0].as_object().unwrap().len() == 4, "{shown:?}");
    let page = platform.get("/sites/docs/variables?limit=1").await.1;
    assert_eq!(page["next"], "API_KEY");
    let next = platform.get("/sites/docs/variables?limit=1&after=API_KEY").await.1;
    assert_eq!((&next["items"][0]["name"], &next["next"]), (&json!("other"), &Value::Null));

    let stated = platform.log.last_sequence().await.unwrap();
    assert_eq!(set(&platform, "docs", "API_KEY", body).await.0, StatusCode::NO_CONTENT);
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "the same again is no fact");
    for _ in 0..2 {
        let removed = platform.api(Method::DELETE, "/sites/docs/variables/other").send().await.unwrap();
        assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    }
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated + 1);
    assert_eq!(listed(&platform).await.len(), 1);
    let timeline = platform.get("/sites/docs/events").await.1.to_string();
    assert!(timeline.contains("API_KEY") && !timeline.contains(SECRET), "{timeline}");
    let fact = platform.log.fact(stated - 1).await.unwrap().unwrap();
    assert_eq!(fact.sentence(), "variable `API_KEY` set for live, preview");
    let Event::Site(SiteEvent::VariableSet { value, .. }) = &fact.event else { panic!("{fact:?}") };
    assert!(!String::from_utf8_lossy(&value.bytes()).contains("s3cr3t"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_variable_is_refused_with_a_code() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    for (name, body, expected) in [
        ("PATH", json!({ "value": "x" }), (422, "invalid_input")),
        ("PATH", json!({ "value": SECRET }), (422, "variable_reserved")),
        ("branch", json!({ "value": SECRET }), (422, "variable_reserved")),
        ("PAGEFOLD_X", json!({ "value": SECRET }), (422, "variable_reserved")),
        ("2A", json!({ "value": SECRET }), (422, "invalid_input")),
        ("A%20B", json!({ "value": SECRET }), (422, "invalid_input")),
        ("A", json!({ "value": "abc" }), (422, "invalid_input")),
        ("A", json!({ "value": "x".repeat(16385) }), (422, "invalid_input")),
        ("A", json!({ "value": "a\u{0}bc" }), (422, "invalid_input")),
        ("A", json!({}), (422, "invalid_input")),
        ("A", json!({ "value": SECRET, "contexts": [] }), (422, "invalid_input")),
        ("A", json!({ "value": SECRET, "contexts": ["production"] }), (422, "invalid_input")),
    ] {
        let refused = set(&platform, "docs", name, body).await;
        assert_eq!(code(&refused), expected, "{name}");
        assert!(!refused.1.to_string().contains(SECRET));
    }
    assert_eq!(code(&set(&platform, "nope", "A", json!({ "value": SECRET })).await), (404, "site_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_variables_of_a_site_are_its_organizations_own_and_come_back_with_it() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    set(&platform, "docs", "API_KEY", json!({ "value": SECRET })).await;
    for organization in ["north", "south"] {
        platform.send(Method::POST, "/organizations", json!({ "name": organization })).await;
    }
    let wanted = json!({ "name": "other", "scopes": ["manage"], "organization": "south" });
    let (_, made) = platform.send(Method::POST, "/tokens", wanted).await;
    let wanted = json!({ "name": "deployer", "scopes": ["deploy"], "site": "docs" });
    let (_, deployer) = platform.send(Method::POST, "/tokens", wanted).await;
    let ask = async |token: &Value, method: Method, path: &str| {
        let request = platform.client.request(method, platform.url(&format!("/api/v1/sites/docs/variables{path}")));
        let token = token["token"].as_str().unwrap();
        json(request.bearer_auth(token).json(&json!({ "value": SECRET })).send().await.unwrap()).await
    };
    for (method, path) in [(Method::GET, ""), (Method::PUT, "/API_KEY"), (Method::DELETE, "/API_KEY")] {
        assert_eq!(code(&ask(&made, method, path).await), (404, "site_not_found"));
    }
    assert_eq!(ask(&deployer, Method::GET, "").await.0, StatusCode::OK);
    assert_eq!(code(&ask(&deployer, Method::PUT, "/API_KEY").await), (403, "forbidden"));

    let keys = runtime::records::Records::keys(platform.log.connection());
    let name = format!("builds.{docs}");
    assert!(keys.read(&name).await.unwrap().is_some());
    platform.api(Method::DELETE, "/sites/docs").send().await.unwrap();
    assert!(keys.read(&name).await.unwrap().is_some(), "it may be restored");
    platform.send(Method::POST, "/sites/docs/restore", json!({})).await;
    assert_eq!(listed(&platform).await[0]["name"], "API_KEY");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_is_set_and_removed_on_the_page_of_settings() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let browser = Browser::sign_in(&platform).await;
    let path = format!("/sites/{docs}/variables");
    let form = format!("name=API_KEY&value={SECRET}%0D%0Atwo&live=on");
    assert_eq!(browser.submit(&path, &form).await.status(), StatusCode::SEE_OTHER);
    let page = browser.page("/sites/docs/settings").await;
    assert!(
        page.contains("<code>API_KEY</code>") && page.contains("<td>live</td>") && !page.contains(SECRET),
        "{page}"
    );
    let none = browser.submit(&path, &format!("name=B&value={SECRET}")).await;
    assert_eq!(none.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(browser.submit(&format!("{path}/API_KEY/remove"), "").await.status(), StatusCode::SEE_OTHER);
    assert!(!browser.page("/sites/docs/settings").await.contains("<code>API_KEY</code>"));
}
