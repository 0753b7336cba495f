//! Changing a site: a merge patch for whoever saw the present version, and a name that moves on.

use crate::platform::{Platform, code};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn tag(platform: &Platform, place: &str) -> String {
    let response = platform.api(Method::GET, &format!("/sites/{place}")).send().await.unwrap();
    response.headers()["etag"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_repository_is_corrected_by_whoever_saw_the_present_version() {
    let platform = Platform::start().await;
    let id = platform.create_site("docs").await.to_string();
    let seen = tag(&platform, "docs").await;
    let corrected =
        json!({ "repository": "https://git.test/acme/docs-2.git", "demo_branch": "next", "engine": "hugo" });
    let (status, site, changed) = platform.patch("/sites/docs", Some(&seen), corrected.clone()).await;
    assert_eq!(status, StatusCode::OK, "{site}");
    assert_eq!((site["repository"].clone(), &site["branch"]), (corrected["repository"].clone(), &json!("main")));
    assert_eq!(
        (&site["demo_branch"], &site["engine"], &site["name"]),
        (&json!("next"), &json!("hugo"), &json!("docs"))
    );
    assert_ne!(changed, seen);
    assert_eq!(
        (tag(&platform, &id).await, platform.get(&format!("/sites/{id}")).await.1),
        (changed.clone(), site.clone())
    );

    let stated = platform.log.last_sequence().await.unwrap();
    let (status, problem, _) = platform.patch("/sites/docs", Some(&seen), json!({ "branch": "trunk" })).await;
    assert_eq!(code(&(status, problem)), (412, "site_changed"));
    let (status, problem, _) = platform.patch("/sites/docs", Some("W/\"x\""), json!({ "branch": "trunk" })).await;
    assert_eq!(code(&(status, problem)), (412, "site_changed"), "a tag that never was the site's");
    let (status, same, unmoved) = platform.patch("/sites/docs", Some(&changed), corrected).await;
    assert_eq!((status, same, unmoved), (StatusCode::OK, site, changed), "what is so already needs no fact");
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);

    let defaults = json!({ "demo_branch": null, "engine": null });
    let (status, reset, _) = platform.patch(&format!("/sites/{id}"), Some("*"), defaults).await;
    assert_eq!((status, &reset["demo_branch"], &reset["engine"]), (StatusCode::OK, &Value::Null, &json!("static")));
    assert_eq!(reset["repository"], "https://git.test/acme/docs-2.git");
    let (status, unconditional, _) = platform.patch("/sites/docs", None, json!({ "branch": "trunk" })).await;
    assert_eq!((status, &unconditional["branch"]), (StatusCode::OK, &json!("trunk")));
    let last = platform.log.fact(platform.log.last_sequence().await.unwrap()).await.unwrap().unwrap();
    assert_eq!((last.event.name().as_str(), last.envelope.subject), ("site.settings_changed.v1", id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_cannot_be_says_which_field_is_wrong_and_changes_nothing() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let stated = platform.log.last_sequence().await.unwrap();
    for (body, named) in [
        (json!({ "colour": "red" }), "colour"),
        (json!({ "organization": "other" }), "organization"),
        (json!({ "organization": "default" }), "organization"),
        (json!({ "branch": "a..b" }), "a..b"),
        (json!({ "engine": "gatsby" }), "gatsby"),
        (json!({ "name": "Bad Name" }), "Bad Name"),
        (json!({ "base_directory": "../etc" }), "../etc"),
        (json!({ "output_directory": ".git" }), ".git"),
        (json!({ "command": " " }), "command"),
        (json!({ "watch": ["/docs"] }), "/docs"),
        (json!({ "ignore_branches": vec!["a"; 21] }), "ignore_branches"),
        (json!({ "schedules": [{ "branch": "main", "cron": "61 * * * *" }] }), "61 * * * *"),
        (json!({ "schedules": [{ "branch": "main", "cron": "@daily", "time_zone": "Mars" }] }), "Mars"),
        (json!({ "repository": "https://user:secret@git.test/a" }), "credentials"),
    ] {
        let (status, problem, _) = platform.patch("/sites/docs", None, body.clone()).await;
        let detail = problem["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!(code(&(status, problem)), (422, "invalid_input"), "{body}: {detail}");
        assert!(detail.contains(named) && !detail.contains("secret"), "{body}: {detail}");
    }
    let (status, problem, _) = platform.patch("/sites/nope", None, json!({ "branch": "trunk" })).await;
    assert_eq!(code(&(status, problem)), (404, "site_not_found"));
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_site_is_found_by_both_names_until_it_is_deleted() {
    let platform = Platform::start().await;
    let id = platform.create_site("docs").await.to_string();
    platform.create_site("taken").await;
    let (status, problem, _) = platform.patch("/sites/docs", None, json!({ "name": "taken" })).await;
    assert_eq!(code(&(status, problem)), (409, "site_exists"));
    let both = json!({ "name": "guide", "branch": "trunk" });
    let (status, renamed, _) = platform.patch("/sites/docs", Some("\"1\""), both).await;
    assert_eq!((status, &renamed["id"], &renamed["name"]), (StatusCode::OK, &json!(id), &json!("guide")));
    assert_eq!((&renamed["url"], &renamed["branch"]), (&json!("http://guide.pages.test:8080/"), &json!("trunk")));
    for place in ["docs", "guide", id.as_str()] {
        assert_eq!(platform.get(&format!("/sites/{place}")).await, (StatusCode::OK, renamed.clone()), "{place}");
        let path = format!("/sites/{place}/builds");
        let (status, build) = platform.send(Method::POST, &path, json!({})).await;
        assert_eq!((status, &build["site"]), (StatusCode::CREATED, &json!("guide")), "{place}");
        assert_eq!(platform.get(&path).await.1["items"][0]["site"], "guide", "{place}");
    }
    let body = |name: &str| json!({ "name": name, "repository": "https://git.test/acme/docs.git" });
    assert_eq!(code(&platform.send(Method::POST, "/sites", body("docs")).await), (409, "site_exists"));
    let (status, back, _) = platform.patch("/sites/guide", None, json!({ "name": "docs" })).await;
    assert_eq!((status, &back["name"]), (StatusCode::OK, &json!("docs")), "a former name is still its own");

    assert_eq!(platform.send(Method::DELETE, "/sites/guide", Value::Null).await.0, StatusCode::ACCEPTED);
    for name in ["docs", "guide"] {
        assert_eq!(platform.send(Method::POST, "/sites", body(name)).await.0, StatusCode::CREATED, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_chooses_whether_a_newer_push_ends_what_runs() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    assert_eq!(platform.get("/sites/docs").await.1["cancel_running"], "previews");
    let (status, site, _) = platform.patch("/sites/docs", None, json!({ "cancel_running": "all" })).await;
    assert_eq!((status, &site["cancel_running"]), (StatusCode::OK, &json!("all")), "{site}");
    assert_eq!(platform.get("/sites/docs").await.1["cancel_running"], "all");
    let (_, kept, _) = platform.patch("/sites/docs", None, json!({ "engine": "hugo" })).await;
    assert_eq!(kept["cancel_running"], "all");
    let (status, problem, _) = platform.patch("/sites/docs", None, json!({ "cancel_running": "some" })).await;
    let detail = problem["detail"].as_str().unwrap().to_owned();
    assert_eq!(code(&(status, problem)), (422, "invalid_input"));
    assert!(detail.contains("some") && detail.contains("previews"), "{detail}");
    let (_, reset, _) = platform.patch("/sites/docs", None, json!({ "cancel_running": null })).await;
    assert_eq!(reset["cancel_running"], "previews");
    let body = json!({ "name": "guide", "repository": "https://git.test/acme/guide.git", "cancel_running": "none" });
    let (status, new) = platform.send(Method::POST, "/sites", body).await;
    assert_eq!((status, &new["cancel_running"]), (StatusCode::CREATED, &json!("none")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_chooses_how_it_answers_its_readers() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let answers = |site: &Value| {
        ["html_handling", "not_found_handling", "rules_dialect"].map(|field| site[field].as_str().unwrap().to_owned())
    };
    let (_, site) = platform.get("/sites/docs").await;
    assert_eq!(answers(&site), ["auto-trailing-slash", "404-page", "netlify"]);
    let wanted = json!({ "html_handling": "none", "not_found_handling": "single-page-application", "rules_dialect": "cloudflare" });
    let (status, site, _) = platform.patch("/sites/docs", None, wanted).await;
    assert_eq!(
        (status, answers(&site)),
        (StatusCode::OK, ["none", "single-page-application", "cloudflare"].map(str::to_owned))
    );
    let (_, site, _) = platform.patch("/sites/docs", None, json!({ "html_handling": null })).await;
    assert_eq!(answers(&site), ["auto-trailing-slash", "single-page-application", "cloudflare"]);
    assert_eq!(answers(&platform.get("/sites/docs").await.1), answers(&site));
    let (status, problem, _) = platform.patch("/sites/docs", None, json!({ "not_found_handling": "200" })).await;
    assert_eq!(code(&(status, problem)), (422, "invalid_input"));
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_are_read_as_http_has_them() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let change = |seen: &'static str, branch: &'static str| {
        let platform = &platform;
        async move {
            let (status, problem, _) = platform.patch("/sites/docs", Some(seen), json!({ "branch": branch })).await;
            (status.as_u16(), problem["code"].as_str().unwrap_or_default().to_owned())
        }
    };
    for (seen, branch, status, code) in [
        ("\"7\", \"1\"", "a", 200, ""),
        ("*", "b", 200, ""),
        ("W/\"3\"", "c", 412, "site_changed"),
        ("\"1\", \"2\"", "c", 412, "site_changed"),
        ("3", "c", 400, "bad_header"),
        ("\"3", "c", 400, "bad_header"),
    ] {
        assert_eq!(change(seen, branch).await, (status, code.to_owned()), "{seen}");
    }
    let delete = async |seen: &str| {
        let request = platform.api(Method::DELETE, "/sites/docs").header("if-match", seen);
        crate::platform::json(request.send().await.unwrap()).await
    };
    assert_eq!(code(&delete("\"1\"").await), (412, "site_changed"), "somebody else has changed it");
    assert_eq!(code(&delete("nonsense").await), (400, "bad_header"));
    assert_eq!(platform.get("/sites/docs").await.0, StatusCode::OK);
    let read = async |known: &str| {
        let request = platform.api(Method::GET, "/sites/docs").header("if-none-match", known);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.headers()["etag"].to_str().unwrap().to_owned(), answer.text().await.unwrap())
    };
    for known in ["\"3\"", "W/\"3\"", "\"9\", \"3\"", "*"] {
        assert_eq!(read(known).await, (304, "\"3\"".to_owned(), String::new()), "{known}");
    }
    let (status, _, body) = read("\"2\"").await;
    assert!(status == 200 && body.contains("\"docs\""), "{body}");
    assert_eq!(delete("\"2\", \"3\"").await.0, StatusCode::ACCEPTED);
}
