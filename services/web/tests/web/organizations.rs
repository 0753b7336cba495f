//! Organizations: their ids, their names, and that a name is one organization's at a time.

use crate::dashboard::Browser;
use crate::platform::{Platform, code, json};
use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn create(platform: &Platform, name: &str) -> Value {
    let (status, created) = platform.send(Method::POST, "/organizations", json!({ "name": name })).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    created
}

fn site(name: &str, organization: &str) -> Value {
    json!({ "name": name, "repository": "https://git.test/acme/docs.git", "organization": organization })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_created_once_and_found_by_its_name_and_its_id() {
    let platform = Platform::start().await;
    let request = platform.api(Method::POST, "/organizations").json(&json!({ "name": "acme" }));
    let response = request.send().await.unwrap();
    let (location, tag) = (response.headers()["location"].clone(), response.headers()["etag"].clone());
    let (status, acme) = json(response).await;
    assert_eq!(status, StatusCode::CREATED);
    let id = acme["id"].as_str().unwrap();
    assert_eq!((location.to_str().unwrap(), tag.as_bytes()), (&*format!("/api/v1/organizations/{id}"), &b"\"1\""[..]));
    assert_eq!((&acme["name"], &acme["created_by"]), (&json!("acme"), &json!("token:tester")));
    for place in ["acme", id] {
        assert_eq!(platform.get(&format!("/organizations/{place}")).await, (StatusCode::OK, acme.clone()));
    }
    let stated = platform.log.last_sequence().await.unwrap();
    let again = platform.send(Method::POST, "/organizations", json!({ "name": "acme" })).await;
    assert_eq!(code(&again), (409, "organization_exists"));
    for wrong in [json!({}), json!({ "name": null }), json!({ "name": "Bad Name" }), json!({ "colour": "red" })] {
        let refused = platform.send(Method::POST, "/organizations", wrong.clone()).await;
        assert_eq!(code(&refused), (422, "invalid_input"), "{wrong}");
    }
    for place in ["nope", "00000000-0000-4000-8000-000000000000"] {
        let path = format!("/organizations/{place}");
        assert_eq!(code(&platform.get(&path).await), (404, "organization_not_found"));
        let (status, problem, _) =
            platform.patch(&format!("/organizations/{place}"), None, json!({ "name": "apex" })).await;
        assert_eq!(code(&(status, problem)), (404, "organization_not_found"));
        if place != "nope" {
            let refused = platform.send(Method::POST, "/sites", site("docs", place)).await;
            assert_eq!(code(&refused), (404, "organization_not_found"), "an id is not made up");
        }
    }
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "what is refused leaves nothing behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_names_its_organization_or_its_id_and_shows_both() {
    let platform = Platform::start().await;
    let (status, first) = platform.send(Method::POST, "/sites", site("docs", "acme")).await;
    assert_eq!(status, StatusCode::CREATED);
    let acme = platform.get("/organizations/acme").await.1;
    assert_eq!((&first["organization"], &first["organization_id"]), (&json!("acme"), &acme["id"]));
    let (status, second) = platform.send(Method::POST, "/sites", site("blog", acme["id"].as_str().unwrap())).await;
    assert_eq!(status, StatusCode::CREATED, "{second}");
    assert_eq!((&second["organization"], &second["organization_id"]), (&json!("acme"), &acme["id"]));
    assert_eq!(platform.get("/organizations").await.1, json!({ "items": [acme], "next": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_lists_its_own_sites_by_name_page_by_page() {
    let platform = Platform::start().await;
    for (name, organization) in [("docs", "acme"), ("news", "other"), ("blog", "acme"), ("gone", "acme")] {
        let created = platform.send(Method::POST, "/sites", site(name, organization)).await;
        assert_eq!(created.0, StatusCode::CREATED, "{created:?}");
    }
    assert_eq!(platform.send(Method::DELETE, "/sites/gone", Value::Null).await.0, StatusCode::ACCEPTED);
    let id = platform.get("/organizations/acme").await.1["id"].as_str().unwrap().to_owned();
    let (blog, docs) = (platform.get("/sites/blog").await.1, platform.get("/sites/docs").await.1);
    for place in ["acme", &id] {
        let sites = platform.get(&format!("/organizations/{place}/sites")).await;
        assert_eq!(sites, (StatusCode::OK, json!({ "items": [blog, docs], "next": null })));
    }
    let first = platform.get("/organizations/acme/sites?limit=1").await.1;
    assert_eq!(first, json!({ "items": [blog], "next": "blog" }));
    let rest = platform.get("/organizations/acme/sites?limit=1&after=blog").await.1;
    assert_eq!(rest, json!({ "items": [docs], "next": null }));
    assert_eq!(code(&platform.get("/organizations/nope/sites").await), (404, "organization_not_found"));

    let browser = Browser::sign_in(&platform).await;
    let page = browser.page("/organizations/acme").await;
    for (name, shown) in [("blog", true), ("docs", true), ("news", false), ("gone", false)] {
        assert_eq!(page.contains(&format!("href=\"/sites/{name}\"")), shown, "{name} in {page}");
    }
    let rest = browser.page("/organizations/acme?after=blog").await;
    assert!(!rest.contains("/sites/blog\"") && rest.contains("/sites/docs\""), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_organization_keeps_its_sites_and_gives_its_name_up() {
    let platform = Platform::start().await;
    let (_, docs) = platform.send(Method::POST, "/sites", site("docs", "acme")).await;
    let id = docs["organization_id"].as_str().unwrap();
    create(&platform, "taken").await;
    let stated = platform.log.last_sequence().await.unwrap();
    let (status, problem, _) = platform.patch("/organizations/acme", None, json!({ "name": "taken" })).await;
    assert_eq!(code(&(status, problem)), (409, "organization_exists"));
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "neither was renamed nor released");

    let (status, renamed, tag) = platform.patch("/organizations/acme", Some("\"1\""), json!({ "name": "apex" })).await;
    assert_eq!((status, &renamed["id"], &renamed["name"]), (StatusCode::OK, &json!(id), &json!("apex")));
    assert_eq!(tag, "\"2\"");
    let facts: Vec<String> = stream(&platform, stated).await;
    assert_eq!(facts, ["organization.renamed.v1", "handle.claimed.v1", "handle.released.v1"]);
    assert_eq!(platform.get("/sites/docs").await.1["organization"], "apex");
    assert_eq!(platform.get("/organizations/apex").await.1, renamed);
    assert_eq!(code(&platform.get("/organizations/acme").await), (404, "organization_not_found"));

    let stated = platform.log.last_sequence().await.unwrap();
    let (status, same, tag) = platform.patch(&format!("/organizations/{id}"), None, json!({ "name": "apex" })).await;
    assert_eq!((status, &same, tag.as_str()), (StatusCode::OK, &renamed, "\"2\""), "what is so already needs no fact");
    let (status, same, _) = platform.patch(&format!("/organizations/{id}"), Some("*"), json!({})).await;
    assert_eq!((status, &same), (StatusCode::OK, &renamed));
    let (status, problem, _) =
        platform.patch(&format!("/organizations/{id}"), Some("\"1\""), json!({ "name": "summit" })).await;
    assert_eq!(code(&(status, problem)), (412, "organization_changed"));
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);

    let (status, other) = platform.send(Method::POST, "/sites", site("other", "acme")).await;
    assert_eq!((status, &other["organization"]), (StatusCode::CREATED, &json!("acme")));
    assert_ne!(other["organization_id"], id, "a name that was given up is anybody's");
    let (status, problem, _) = platform.patch(&format!("/organizations/{id}"), None, json!({ "name": "acme" })).await;
    assert_eq!(code(&(status, problem)), (409, "organization_exists"));
}

async fn stream(platform: &Platform, after: u64) -> Vec<String> {
    let mut names = Vec::new();
    for sequence in after + 1..=platform.log.last_sequence().await.unwrap() {
        names.push(platform.log.fact(sequence).await.unwrap().unwrap().event.name());
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_want_a_name_at_once_one_gets_it_and_every_name_has_one_holder() {
    let platform = Platform::start().await;
    let ids = futures::future::join_all(["one", "two", "three"].map(|name| create(&platform, name))).await;
    let ids: Vec<String> = ids.iter().map(|created| created["id"].as_str().unwrap().to_owned()).collect();
    let rename = async |id: &str, name: &str| {
        platform.patch(&format!("/organizations/{id}"), None, json!({ "name": name })).await
    };
    let asked = ids.iter().map(|id| rename(id, "apex"));
    let mut answers: Vec<u16> = futures::future::join_all(asked).await.iter().map(|answer| answer.0.as_u16()).collect();
    answers.sort_unstable();
    assert_eq!(answers, [200, 409, 409]);
    // One organization, many names at once: every one of them is given up again but the last.
    let names: Vec<String> = (0..4).map(|number| format!("name-{number}")).collect();
    let asked = names.iter().map(|name| rename(&ids[0], name));
    for (status, answer, _) in futures::future::join_all(asked).await {
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let held = platform.get(&format!("/organizations/{}", ids[0])).await.1["name"].clone();
    for name in names.iter().map(String::as_str).chain(["one"]).filter(|name| *name != held) {
        create(&platform, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_renamed_in_a_form_that_notices_when_it_is_out_of_date() {
    let platform = Platform::start().await;
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/organizations").await.contains("There are no organizations yet"));
    let created = browser.submit("/organizations", "name=acme").await;
    assert_eq!(created.headers()[LOCATION], "/organizations/acme");
    platform.send(Method::POST, "/sites", site("docs", "acme")).await;
    assert!(browser.page("/sites/docs").await.contains("<a href=\"/organizations/acme\">"));
    assert!(browser.page("/organizations").await.contains("<a href=\"/organizations/acme\">"));
    let page = browser.page("/organizations/acme").await;
    let id = platform.get("/organizations/acme").await.1["id"].as_str().unwrap().to_owned();
    for shown in [&*id, "name=\"version\" value=\"1\"", "value=\"acme\""] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    let renamed = browser.submit(&format!("/organizations/{id}"), "name=apex&version=1").await;
    assert_eq!(renamed.headers()[LOCATION], "/organizations/apex");
    assert!(browser.page("/sites/docs").await.contains("<a href=\"/organizations/apex\">"));
    let timeline = browser.page(&format!("/timeline?subject=organization%2F{id}")).await;
    assert!(timeline.contains("Organization renamed from <code>acme</code> to <code>apex</code>."), "{timeline}");

    let stale = browser.submit(&format!("/organizations/{id}"), "name=summit&version=1").await;
    assert_eq!(stale.status(), StatusCode::PRECONDITION_FAILED);
    assert!(stale.text().await.unwrap().contains("organization_changed"));
}
