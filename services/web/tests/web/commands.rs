//! Commands by the API, and that whoever gives one sees at once what it did.

use crate::platform::{Platform, json};
use events::Outcome;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_lives_from_its_creation_to_its_deletion() {
    let platform = Platform::start().await;
    let body = json!({ "name": "docs", "repository": "https://git.test/acme/docs.git", "demo_branch": "next" });
    let response = platform.api(Method::POST, "/sites").json(&body).send().await.unwrap();
    assert_eq!(response.headers()["location"], "/api/v1/sites/docs");
    let (status, site) = json(response).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(site["url"], "http://docs.pages.test:8080/");
    assert_eq!(
        (&site["branch"], &site["engine"], &site["created_by"]),
        (&json!("main"), &json!("static"), &json!("token:tester"))
    );

    assert_eq!(
        platform.send(Method::POST, "/sites", body.clone()).await.0,
        StatusCode::OK,
        "the same again is harmless"
    );
    let mut other = body.clone();
    other["engine"] = json!("hugo");
    assert_eq!(code(&platform.send(Method::POST, "/sites", other).await), (409, "site_exists"));
    assert_eq!(platform.get("/sites").await.1["sites"].as_array().unwrap().len(), 1);
    assert_eq!(platform.get("/sites/docs").await.1["demo_branch"], "next");

    let (status, requested) = platform.send(Method::POST, "/sites/docs/builds", json!({ "branch": "next" })).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let request = platform.log.fact(2).await.unwrap().unwrap();
    assert_eq!(requested["id"], events::BuildId::of(request.envelope.id, "docs").to_string());
    assert_eq!(code(&platform.send(Method::POST, "/sites/nope/builds", json!({})).await), (404, "site_not_found"));

    assert_eq!(platform.send(Method::DELETE, "/sites/docs", Value::Null).await.0, StatusCode::ACCEPTED);
    assert_eq!(platform.send(Method::DELETE, "/sites/docs", Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(code(&platform.get("/sites/docs").await), (404, "site_not_found"));
    assert_eq!(platform.get("/sites").await.1["sites"], json!([]));
    assert_eq!(code(&platform.send(Method::POST, "/sites", body).await), (409, "site_name_retired"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_happens_only_from_what_the_person_saw() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    platform.create_site("other").await;
    let mut deploys = Vec::new();
    for number in [1, 2] {
        let build = platform.running_build("docs", number).await;
        platform.finish(build, Outcome::Success).await;
        deploys.push(platform.published("docs", (build, number)).await.to_string());
    }
    let live = "/sites/docs/aliases/live";
    let aliases = platform.get("/sites/docs/aliases").await.1;
    assert_eq!(
        (&aliases["aliases"][0]["deploy"], &aliases["aliases"][0]["reason"]),
        (&json!(deploys[1]), &json!("built"))
    );

    let stale = platform.send(Method::PUT, live, json!({ "deploy": deploys[0], "expected": deploys[0] })).await;
    assert_eq!(code(&stale), (409, "alias_moved"));
    let back = platform.send(Method::PUT, live, json!({ "deploy": deploys[0], "expected": deploys[1] })).await;
    assert_eq!((back.0, &back.1["number"]), (StatusCode::OK, &json!(1)));
    let aliases = platform.get("/sites/docs/aliases").await.1;
    let alias = &aliases["aliases"][0];
    assert_eq!(
        (&alias["deploy"], &alias["reason"], &alias["actor"]),
        (&json!(deploys[0]), &json!("chosen"), &json!("token:tester"))
    );

    let forwards = platform.api(Method::PUT, live).header("if-match", format!("\"{}\"", deploys[1]));
    let forwards = json(forwards.json(&json!({ "deploy": deploys[1] })).send().await.unwrap()).await;
    assert_eq!(code(&forwards), (409, "alias_moved"), "If-Match says what is expected");
    let preview =
        platform.send(Method::PUT, "/sites/docs/aliases/preview/fix/it", json!({ "deploy": deploys[0] })).await;
    assert!(preview.1["url"].as_str().unwrap().ends_with("--docs.pages.test:8080/"), "{}", preview.1);

    let foreign = platform.send(Method::PUT, "/sites/other/aliases/live", json!({ "deploy": deploys[0] })).await;
    assert_eq!(code(&foreign), (404, "deploy_not_found"), "a deploy of another site is not there");
    let unknown = platform.send(Method::PUT, live, json!({ "deploy": "000000000000" })).await;
    assert_eq!(code(&unknown), (404, "deploy_not_found"));
    assert_eq!(
        code(&platform.send(Method::PUT, "/sites/docs/aliases/main", json!({ "deploy": deploys[0] })).await).0,
        422
    );
    let list = platform.get("/sites/docs/deploys?limit=1").await.1;
    assert_eq!(list["deploys"][0]["url"], format!("http://{}--docs.pages.test:8080/", deploys[1]));
    assert_eq!(platform.get("/sites/docs/deploys?before=2").await.1["deploys"][0]["id"], deploys[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_canceled_once_and_not_after_its_end() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let build = platform.running_build("docs", 1).await;
    let cancel = format!("/builds/{build}/cancel");
    assert_eq!(platform.get(&format!("/builds/{build}")).await.1["state"], "running");
    assert_eq!(platform.send(Method::POST, &cancel, Value::Null).await.0, StatusCode::ACCEPTED);
    let canceled = platform.get(&format!("/builds/{build}")).await.1;
    assert_eq!((&canceled["state"], &canceled["message"]), (&json!("canceled"), &json!("canceled by token:tester")));
    let story = platform.get(&format!("/events?correlation={}", canceled["correlation"].as_str().unwrap())).await.1;
    let facts: Vec<&str> =
        story["events"].as_array().unwrap().iter().filter_map(|event| event["type"].as_str()).collect();
    assert!(facts.contains(&"dev.pagefold.build.canceled.v1"), "{facts:?}");
    assert_eq!(code(&platform.send(Method::POST, &cancel, Value::Null).await), (409, "build_ended"));
    let unknown = platform.send(Method::POST, "/builds/00000000-0000-4000-8000-000000000000/cancel", Value::Null).await;
    assert_eq!(code(&unknown), (404, "build_not_found"));
    let builds = platform.get("/sites/docs/builds").await.1;
    assert_eq!(
        (&builds["builds"][0]["number"], &builds["builds"][0]["summary"]),
        (&json!(1), &json!("Change number 1"))
    );
}
