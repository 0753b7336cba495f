//! Commands by the API, and that whoever gives one sees at once what it did.

use crate::platform::{Platform, code, json};
use events::{BuildEvent, Event};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_site_lives_from_its_creation_to_its_deletion() {
    let platform = Platform::start().await;
    let body = json!({ "name": "docs", "repository": "https://git.test/acme/docs.git", "demo_branch": "next" });
    let response = platform.api(Method::POST, "/sites").json(&body).send().await.unwrap();
    let (location, tag) = (response.headers()["location"].clone(), response.headers()["etag"].clone());
    let (status, site) = json(response).await;
    assert_eq!(status, StatusCode::CREATED);
    let id = site["id"].as_str().unwrap();
    assert_eq!((location.to_str().unwrap(), tag), (format!("/api/v1/sites/{id}").as_str(), "\"1\"".parse().unwrap()));
    assert_eq!(site["url"], "http://docs.pages.test:8080/");
    assert_eq!(site["webhook_url"], "https://pagefold.test/webhooks/github");
    assert_eq!(
        (&site["branch"], &site["engine"], &site["organization"], &site["created_by"]),
        (&json!("main"), &json!("static"), &json!("default"), &json!("token:tester"))
    );
    assert_eq!(platform.get("/sites").await.1, json!({ "items": [site], "next": null }));
    for place in ["docs", id] {
        assert_eq!(platform.get(&format!("/sites/{place}")).await, (StatusCode::OK, site.clone()));
        let path = format!("/sites/{place}/builds");
        assert_eq!(platform.get(&path).await, (StatusCode::OK, json!({ "items": [], "next": null })));
    }

    assert_eq!(platform.send(Method::DELETE, "/sites/docs", Value::Null).await.0, StatusCode::ACCEPTED);
    for place in ["docs", id] {
        let path = format!("/sites/{place}");
        assert_eq!(platform.send(Method::DELETE, &path, Value::Null).await.0, StatusCode::NO_CONTENT);
        assert_eq!(code(&platform.get(&path).await), (404, "site_not_found"));
        let build = platform.send(Method::POST, &format!("{path}/builds"), json!({})).await;
        assert_eq!(code(&build), (404, "site_not_found"));
    }
    assert_eq!(platform.get("/sites").await.1, json!({ "items": [], "next": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_belongs_to_one_site_and_a_released_one_to_its_organization() {
    let platform = Platform::start().await;
    let body = |organization: &str| json!({ "name": "docs", "repository": "https://git.test/acme/docs.git", "organization": organization });
    let (status, first) = platform.send(Method::POST, "/sites", body("acme")).await;
    assert_eq!((status, &first["organization"]), (StatusCode::CREATED, &json!("acme")));
    let stated = platform.log.last_sequence().await.unwrap();
    for organization in ["acme", "other"] {
        let taken = platform.send(Method::POST, "/sites", body(organization)).await;
        assert_eq!(code(&taken), (409, "site_exists"), "{organization}");
    }
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "what is refused leaves nothing behind");

    assert_eq!(platform.send(Method::DELETE, "/sites/docs", Value::Null).await.0, StatusCode::ACCEPTED);
    assert_eq!(code(&platform.send(Method::POST, "/sites", body("other")).await), (409, "site_name_retired"));
    let (status, second) = platform.send(Method::POST, "/sites", body("acme")).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_ne!(first["id"], second["id"], "another site");
    assert_eq!(platform.get("/sites/docs").await.1["id"], second["id"]);
    let gone = platform.get(&format!("/sites/{}", first["id"].as_str().unwrap())).await;
    assert_eq!(code(&gone), (404, "site_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_sites_of_an_organization_may_be_created_at_once() {
    let platform = Platform::start().await;
    let sites = (0..6).map(|number| {
        let (name, repository) = (format!("site-{number}"), "https://git.test/acme/docs.git");
        let body = json!({ "name": name, "repository": repository, "organization": "acme" });
        platform.send(Method::POST, "/sites", body)
    });
    for (status, answer) in futures::future::join_all(sites).await {
        assert_eq!((status, &answer["organization"]), (StatusCode::CREATED, &json!("acme")), "{answer}");
    }
    assert_eq!(platform.get("/sites").await.1["items"].as_array().unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_was_asked_for_has_its_address_before_it_is_queued() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    for (place, body) in [("docs".to_owned(), json!({})), (docs.to_string(), json!({ "branch": "next" }))] {
        let request = platform.api(Method::POST, &format!("/sites/{place}/builds")).json(&body).send().await.unwrap();
        let location = request.headers()["location"].to_str().unwrap().to_owned();
        let (status, build) = json(request).await;
        assert_eq!(status, StatusCode::CREATED);
        assert_eq!(location, format!("/api/v1/builds/{}", build["id"].as_str().unwrap()));
        assert_eq!((&build["number"], &build["state"]), (&Value::Null, &json!("queued")));
        assert_eq!((&build["site"], &build["site_id"]), (&json!("docs"), &json!(docs)));
        assert_eq!(build["branch"], body.get("branch").cloned().unwrap_or(json!("main")));
        let path = location.strip_prefix("/api/v1").unwrap();
        assert_eq!(platform.get(path).await, (StatusCode::OK, build));
    }
    let last = platform.log.last_sequence().await.unwrap();
    let asked = platform.log.fact(last).await.unwrap().unwrap().event;
    assert!(matches!(asked, Event::Build(BuildEvent::Requested { site, .. }) if site == docs), "{asked:?}");
    for place in ["nope".to_owned(), "00000000-0000-4000-8000-000000000000".to_owned()] {
        let unknown = platform.send(Method::POST, &format!("/sites/{place}/builds"), json!({})).await;
        assert_eq!(code(&unknown), (404, "site_not_found"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_happens_only_from_what_the_person_saw() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    platform.create_site("other").await;
    let deploys = [platform.built(docs, 1).await.to_string(), platform.built(docs, 2).await.to_string()];
    let live = "/sites/docs/aliases/live";
    let alias = platform.get("/sites/docs/aliases").await.1["items"][0].clone();
    assert_eq!((&alias["deploy"], &alias["reason"]), (&json!(deploys[1]), &json!("built")));

    let stale = platform.send(Method::PUT, live, json!({ "deploy": deploys[0], "expected": deploys[0] })).await;
    assert_eq!(code(&stale), (409, "alias_moved"));
    let rollback = json!({ "deploy": deploys[0], "expected": deploys[1] });
    let back = platform.send(Method::PUT, live, rollback.clone()).await;
    assert_eq!((back.0, &back.1["number"]), (StatusCode::OK, &json!(1)));
    let stated = platform.log.last_sequence().await.unwrap();
    assert_eq!(platform.send(Method::PUT, live, rollback).await, back, "the same again has the same answer");
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
    let alias = platform.get(&format!("/sites/{docs}/aliases")).await.1["items"][0].clone();
    assert_eq!(
        (&alias["deploy"], &alias["reason"], &alias["actor"]),
        (&json!(deploys[0]), &json!("chosen"), &json!("token:tester"))
    );

    let forwards = platform.api(Method::PUT, live).header("if-match", format!("\"{}\"", deploys[0]));
    let forwards = forwards.json(&json!({ "deploy": deploys[1] })).send().await.unwrap();
    assert_eq!(forwards.headers()["etag"], format!("\"{}\"", deploys[1]));
    let stale = platform.api(Method::PUT, live).header("if-match", format!("\"{}\"", "0".repeat(12)));
    let stale = json(stale.json(&json!({ "deploy": deploys[0] })).send().await.unwrap()).await;
    assert_eq!(code(&stale), (409, "alias_moved"), "If-Match says what is expected");
    let preview =
        platform.send(Method::PUT, "/sites/docs/aliases/preview/fix/it", json!({ "deploy": deploys[0] })).await;
    assert!(preview.1["url"].as_str().unwrap().ends_with("--docs.pages.test:8080/"), "{}", preview.1);

    let foreign = platform.send(Method::PUT, "/sites/other/aliases/live", json!({ "deploy": deploys[0] })).await;
    assert_eq!(code(&foreign), (404, "deploy_not_found"), "a deploy of another site is not there");
    let unknown = platform.send(Method::PUT, live, json!({ "deploy": "000000000000" })).await;
    assert_eq!(code(&unknown), (404, "deploy_not_found"));
    let nothing = platform.send(Method::PUT, "/sites/docs/aliases/main", json!({ "deploy": deploys[0] })).await;
    assert_eq!(code(&nothing), (422, "invalid_input"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_canceled_once_and_not_after_its_end() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let build = platform.running_build(docs, 1).await;
    let (path, cancel) = (format!("/builds/{build}"), format!("/builds/{build}/cancel"));
    assert_eq!(platform.get(&path).await.1["state"], "started");
    let first = platform.send(Method::POST, &cancel, Value::Null).await;
    assert_eq!(first.0, StatusCode::ACCEPTED);
    let canceled = platform.get(&path).await.1;
    assert_eq!((&canceled["state"], &canceled["reason"]), (&json!("canceled"), &json!("canceled by hand")));
    let story = platform.get(&format!("/events?correlation={}", canceled["correlation"].as_str().unwrap())).await.1;
    let facts: Vec<&str> =
        story["items"].as_array().unwrap().iter().filter_map(|event| event["type"].as_str()).collect();
    assert!(facts.contains(&"dev.pagefold.build.canceled.v1"), "{facts:?}");

    let stated = platform.log.last_sequence().await.unwrap();
    assert_eq!(platform.send(Method::POST, &cancel, Value::Null).await, first, "the same again has the same answer");
    assert_eq!((platform.log.last_sequence().await.unwrap(), platform.get(&path).await.1), (stated, canceled));
    let ended = platform.running_build(docs, 2).await;
    platform.finish(ended, events::Outcome::Success).await;
    let late = platform.send(Method::POST, &format!("/builds/{ended}/cancel"), Value::Null).await;
    assert_eq!(code(&late), (409, "build_ended"));
    let unknown = platform.send(Method::POST, "/builds/00000000-0000-4000-8000-000000000000/cancel", Value::Null).await;
    assert_eq!(code(&unknown), (404, "build_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_asked_for_once_more_with_the_same_commit_and_tells_who_asked() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let build = platform.running_build(docs, 1).await;
    platform.finish(build, events::Outcome::Failure).await;
    let former = platform.get(&format!("/builds/{build}")).await.1;
    let (status, again) = platform.send(Method::POST, &format!("/builds/{build}/retry"), Value::Null).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_ne!(again["id"], former["id"]);
    assert_eq!((&again["branch"], &again["commit"]), (&former["branch"], &former["commit"]));
    assert_eq!(again["trigger"], json!({ "kind": "request", "actor": "token:tester" }));
    let unknown = platform.send(Method::POST, "/builds/00000000-0000-4000-8000-000000000000/retry", Value::Null).await;
    assert_eq!(code(&unknown), (404, "build_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_no_build_may_ever_fetch_is_refused_when_it_is_named() {
    let platform = Platform::start().await;
    for address in [
        "http://169.254.169.254/latest",
        "http://10.0.0.7/acme/docs.git",
        "http://0x7f000001/acme/docs.git",
        "http://017700000001/acme/docs.git",
        "http://[::ffff:127.0.0.1]/acme/docs.git",
        "git://127.0.0.1./acme/docs.git",
        "ssh://git@2852039166/acme/docs.git",
        "file:///etc",
        "/srv/git/docs.git",
    ] {
        let body = json!({ "name": "docs", "repository": address });
        let (status, problem) = platform.send(Method::POST, "/sites", body).await;
        assert_eq!((status.as_u16(), problem["code"].as_str()), (422, Some("repository_not_allowed")), "{address}");
    }
    platform.create_site("docs").await;
    let body = json!({ "repository": "http://169.254.169.254/latest" });
    let (status, problem) = platform.send(Method::PATCH, "/sites/docs", body).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (422, Some("repository_not_allowed")));
}
