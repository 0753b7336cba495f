//! Deleted sites: for thirty days their organization brings them back as they were.

use crate::dashboard::Browser;
use crate::platform::{Platform, code};
use events::{Actor, Cause, Site, site};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_site_comes_back_with_its_settings_its_deploys_and_its_former_hosts() {
    let platform = Platform::start().await;
    let id = platform.create_site("docs").await;
    let deploy = platform.built(id, 7).await;
    let renamed = json!({ "name": "guide", "engine": "hugo" });
    let (_, before, _) = platform.patch("/sites/docs", None, renamed).await;
    assert_eq!(platform.send(Method::DELETE, "/sites/guide", Value::Null).await.0, StatusCode::ACCEPTED);
    let listed = platform.get("/deleted-sites").await.1;
    assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["name"]), (&json!(id.to_string()), &json!("guide")));
    assert!(listed["items"][0]["restorable_until"].as_str() > listed["items"][0]["deleted_at"].as_str());

    let (status, restored) = platform.send(Method::POST, &format!("/sites/{id}/restore"), json!({})).await;
    assert_eq!(status, StatusCode::OK, "{restored}");
    assert_eq!(
        (&restored["name"], &restored["engine"], &restored["id"]),
        (&json!("guide"), &json!("hugo"), &before["id"])
    );
    for place in ["docs", "guide"] {
        assert_eq!(platform.get(&format!("/sites/{place}")).await.1["name"], "guide", "{place}");
    }
    assert_eq!(platform.get(&format!("/deploys/{deploy}")).await.0, StatusCode::OK);
    assert_eq!(platform.get("/deleted-sites").await.1["items"], json!([]));
    let stated = platform.log.last_sequence().await.unwrap();
    let (status, again) = platform.send(Method::POST, "/sites/guide/restore", json!({})).await;
    assert_eq!((status, &again["name"]), (StatusCode::OK, &json!("guide")), "twice is once");
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_taken_since_is_not_taken_back_and_what_is_erased_is_gone() {
    let platform = Platform::start().await;
    let id = platform.create_site("docs").await;
    platform.send(Method::DELETE, "/sites/docs", Value::Null).await;
    platform.create_site("docs").await;
    let restore = format!("/sites/{id}/restore");
    assert_eq!(code(&platform.send(Method::POST, &restore, json!({})).await), (409, "site_exists"));
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/deleted-sites").await.contains("Restore"));
    let response = browser.submit(&restore, "name=handbook").await;
    assert_eq!(response.headers()["location"], "/sites/handbook");
    assert_eq!(platform.get("/sites/handbook").await.1["id"], id.to_string());

    platform.send(Method::DELETE, "/sites/handbook", Value::Null).await;
    let scheduler = platform.service("scheduler").await;
    let cause = Cause::new(Actor::service("scheduler"));
    let erased = scheduler.execute::<Site>(&id.to_string(), &site::Command::Erase, &cause).await.unwrap();
    platform.projected(&erased).await;
    assert_eq!(code(&platform.send(Method::POST, &restore, json!({})).await), (410, "site_erased"));
    assert_eq!(platform.get("/deleted-sites").await.1["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_site_of_another_organization_is_not_there() {
    let platform = Platform::start().await;
    for name in ["north", "south"] {
        platform.send(Method::POST, "/organizations", json!({ "name": name })).await;
    }
    let site = json!({ "name": "docs", "repository": "https://git.test/acme/docs.git", "organization": "north" });
    let id = platform.send(Method::POST, "/sites", site.clone()).await.1["id"].clone();
    platform.send(Method::DELETE, "/sites/docs", Value::Null).await;
    let wanted = json!({ "name": "south", "scopes": ["manage"], "organization": "south" });
    let token = platform.send(Method::POST, "/tokens", wanted).await.1["token"].as_str().unwrap().to_owned();
    let ask = async |method: Method, path: &str, body: &Value| {
        let request = platform.client.request(method, platform.url(&format!("/api/v1{path}")));
        crate::platform::json(request.bearer_auth(&token).json(body).send().await.unwrap()).await
    };
    let restore = format!("/sites/{}/restore", id.as_str().unwrap());
    assert_eq!(code(&ask(Method::POST, &restore, &json!({})).await), (404, "site_not_found"));
    assert_eq!(ask(Method::GET, "/deleted-sites", &json!({})).await.1["items"], json!([]));
    let theirs = json!({ "name": "docs", "repository": "https://git.test/acme/docs.git", "organization": "south" });
    assert_eq!(code(&ask(Method::POST, "/sites", &theirs).await), (409, "site_name_retired"));
}
