//! Purges: whose pages a host shows, who may have them asked for again, and how that is told.

use crate::dashboard::Browser;
use crate::platform::{Platform, code};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn sequence(platform: &Platform) -> u64 {
    platform.log.last_sequence().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_a_site_and_one_path_are_purged_and_the_timeline_tells_it() {
    let platform = Platform::start().await;
    let site = platform.create_site("docs").await.to_string();
    let purged = platform.send(Method::POST, "/purge", json!({ "host": "Docs.pages.test", "path": "/a/" })).await;
    assert_eq!(purged, (StatusCode::ACCEPTED, json!({ "host": "docs.pages.test", "path": "/a", "sites": [site] })));
    let preview = platform.send(Method::POST, "/purge", json!({ "host": "fix--docs.pages.test" })).await;
    assert_eq!(
        (preview.0, &preview.1["path"], &preview.1["sites"]),
        (StatusCode::ACCEPTED, &Value::Null, &json!([site]))
    );
    let whole = platform.send(Method::POST, "/purge", json!({ "site": "docs" })).await;
    assert_eq!(whole, (StatusCode::ACCEPTED, json!({ "host": null, "path": null, "sites": [site] })));

    let told = platform.get("/audit?type=site.purged&site=docs").await.1;
    let mut sorted: Vec<&str> =
        told["items"].as_array().unwrap().iter().map(|fact| fact["sentence"].as_str().unwrap()).collect();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "purged: what is kept of `all hosts` is asked for again",
            "purged: what is kept of `docs.pages.test/a` is asked for again",
            "purged: what is kept of `fix--docs.pages.test` is asked for again",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_of_one_site_tells_of_no_other() {
    let platform = Platform::start().await;
    for name in ["docs", "blog"] {
        platform.create_site(name).await;
        assert_eq!(platform.send(Method::POST, "/purge", json!({ "site": name })).await.0, StatusCode::ACCEPTED);
    }
    let told = platform.get("/audit?type=site.purged&site=blog").await.1;
    let sites: Vec<&Value> = told["items"].as_array().unwrap().iter().map(|fact| &fact["site"]).collect();
    assert_eq!(sites, ["blog"]);
    assert_eq!(code(&platform.get("/audit?site=nobody").await), (404, "site_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_nothing_to_purge_is_refused_and_states_nothing() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let before = sequence(&platform).await;
    for (wrong, expected) in [
        (json!({}), (422, "invalid_input")),
        (json!({ "host": "docs.pages.test", "site": "docs" }), (422, "invalid_input")),
        (json!({ "host": "localhost" }), (422, "invalid_input")),
        (json!({ "host": "docs.pages.test:80" }), (422, "invalid_input")),
        (json!({ "host": "docs.pages.test", "path": "a" }), (422, "invalid_input")),
        (json!({ "host": "docs.pages.test", "more": 1 }), (422, "invalid_input")),
        (json!({ "host": "nobody.pages.test" }), (404, "host_not_found")),
        (json!({ "host": "www.example.org" }), (404, "host_not_found")),
        (json!({ "site": "nobody" }), (404, "site_not_found")),
    ] {
        assert_eq!(code(&platform.send(Method::POST, "/purge", wrong.clone()).await), expected, "{wrong}");
    }
    assert_eq!(sequence(&platform).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_promote_may_purge_and_a_host_of_others_is_none() {
    let platform = Platform::start().await;
    for name in ["north", "south"] {
        platform.send(Method::POST, "/organizations", json!({ "name": name })).await;
        let site = json!({ "name": format!("{name}-docs"), "repository": "https://git.test/acme/docs.git", "organization": name });
        assert_eq!(platform.send(Method::POST, "/sites", site).await.0, StatusCode::CREATED);
    }
    // A retired host shows a page of each.
    for (path, site) in [("/n", "north-docs"), ("/s", "south-docs")] {
        let route = json!({ "host": "retired.example", "path": path, "kind": "exact", "action": "site", "site": site });
        assert_eq!(platform.send(Method::POST, "/routes", route).await.0, StatusCode::CREATED);
    }
    let both = platform.send(Method::POST, "/purge", json!({ "host": "retired.example" })).await;
    assert_eq!((both.0, both.1["sites"].as_array().unwrap().len()), (StatusCode::ACCEPTED, 2));
    for (scope, host, expected) in [
        ("deploy", "south-docs.pages.test", (202, "")),
        ("read", "south-docs.pages.test", (403, "forbidden")),
        ("deploy", "north-docs.pages.test", (404, "host_not_found")),
        ("deploy", "retired.example", (404, "host_not_found")),
    ] {
        let wanted = json!({ "name": scope, "scopes": [scope], "organization": "south" });
        let token = platform.send(Method::POST, "/tokens", wanted).await.1["token"].as_str().unwrap().to_owned();
        let request = platform.client.post(platform.url("/api/v1/purge")).bearer_auth(&token);
        let answer = crate::platform::json(request.json(&json!({ "host": host })).send().await.unwrap()).await;
        let found = (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default());
        assert_eq!(found, expected, "{scope} {host}: {}", answer.1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_that_explains_an_address_purges_it() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let browser = Browser::sign_in(&platform).await;
    let page = browser.page("/explain?url=http://docs.pages.test/a").await;
    assert!(page.contains("Purge this page"), "{page}");
    let fields = "url=http://docs.pages.test/a&host=docs.pages.test&path=/a";
    let done = browser.submit("/purge", fields).await;
    let back = done.headers()["location"].to_str().unwrap().to_owned();
    assert!(browser.page(&back).await.contains("Purged: edges ask the store again"), "{back}");
    assert!(browser.page("/timeline").await.contains("Purged: what is kept of <code>docs.pages.test/a</code>"));
}
