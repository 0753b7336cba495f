//! Domains: a name has one owner, only managers choose names, and what can be none is refused.

use crate::dashboard::Browser;
use crate::platform::{Platform, code};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn named(name: &str) -> Value {
    json!({ "name": name })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_names_the_records_to_set_and_is_of_one_site() {
    let platform = Platform::start().await;
    let site = platform.create_site("docs").await.to_string();
    platform.create_site("news").await;
    let (status, domain) = platform.send(Method::POST, "/sites/docs/domains", named("WWW.Example.test")).await;
    assert_eq!(status, StatusCode::CREATED, "{domain}");
    let proof = domain["records"][0]["value"].as_str().unwrap().to_owned();
    assert!(proof.starts_with("pagefold=") && proof.len() == "pagefold=".len() + 32, "{proof}");
    let records = json!([
        { "type": "TXT", "name": "_pagefold.www.example.test", "value": proof },
        { "type": "CNAME", "name": "www.example.test", "value": "docs.pages.test" },
    ]);
    let expected = json!({ "name": "www.example.test", "state": "pending", "error": null, "records": records,
        "redirect_to": null, "checked_at": null, "expires_at": null });
    assert_eq!(domain, expected);
    assert_eq!(platform.get("/sites/docs/domains/www.example.test").await.1, expected);
    assert_eq!(platform.get("/sites/docs/domains").await.1, json!({ "items": [expected], "next": null }));

    let again = platform.send(Method::POST, "/sites/docs/domains", named("www.example.test")).await;
    assert_eq!(again, (StatusCode::CREATED, expected), "twice is once");
    let taken = platform.send(Method::POST, "/sites/news/domains", named("www.example.test")).await;
    assert_eq!(code(&taken), (409, "domain_taken"));
    let of_news = "/sites/news/domains/www.example.test";
    assert_eq!(code(&platform.get(of_news).await), (404, "domain_not_found"));
    assert_eq!(code(&platform.send(Method::DELETE, of_news, json!({})).await), (404, "domain_not_found"));

    let (_, apex) = platform.send(Method::POST, "/sites/docs/domains", named("example.test")).await;
    assert_eq!(apex["records"][1], json!({ "type": "A", "name": "example.test", "value": "192.0.2.1" }));
    let remove = "/sites/docs/domains/www.example.test";
    assert_eq!(platform.send(Method::DELETE, remove, json!({})).await.0, StatusCode::NO_CONTENT);
    assert_eq!(code(&platform.send(Method::DELETE, remove, json!({})).await), (404, "domain_not_found"));
    assert_eq!(code(&platform.get(remove).await), (404, "domain_not_found"));
    let moved = platform.send(Method::POST, "/sites/news/domains", named("www.example.test")).await;
    assert_eq!(moved.0, StatusCode::CREATED, "{}", moved.1);
    let told = platform.get(&format!("/sites/{site}/events?limit=100")).await.1.to_string();
    assert!(told.contains("domain.added.v1") && told.contains("domain.removed.v1"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_names_one_leads_to_the_other() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let add = async |body: Value| platform.send(Method::POST, "/sites/docs/domains", body).await;
    let leading = json!({ "name": "www.example.test", "redirect_to": "example.test" });
    assert_eq!(code(&add(leading.clone()).await), (422, "invalid_input"), "there is no such domain yet");
    assert_eq!(add(named("example.test")).await.0, StatusCode::CREATED);
    let (status, domain) = add(leading).await;
    assert_eq!((status, &domain["redirect_to"]), (StatusCode::CREATED, &json!("example.test")));
    let back = json!({ "name": "example.test", "redirect_to": "www.example.test" });
    assert_eq!(code(&add(back.clone()).await), (422, "invalid_input"), "nobody is led in circles");
    let own = json!({ "name": "example.test", "redirect_to": "example.test" });
    assert_eq!(code(&add(own).await), (422, "invalid_input"));
    assert_eq!(add(named("www.example.test")).await.1["redirect_to"], Value::Null, "it shows the site again");
    assert_eq!(add(back).await.0, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_no_domain_is_refused() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let before = platform.log.last_sequence().await.unwrap();
    for (name, expected) in [
        ("localhost", "invalid_input"),
        ("test", "invalid_input"),
        ("127.0.0.1", "invalid_input"),
        ("[::1]", "invalid_input"),
        ("*.example.test", "invalid_input"),
        ("www.example.test:8080", "invalid_input"),
        ("www..test", "invalid_input"),
        ("", "invalid_input"),
        ("pages.test", "domain_reserved"),
        ("docs.pages.test", "domain_reserved"),
        ("a.b.Pages.test", "domain_reserved"),
    ] {
        let refused = platform.send(Method::POST, "/sites/docs/domains", named(name)).await;
        assert_eq!(code(&refused), (422, expected), "{name}");
    }
    let nobody = platform.send(Method::POST, "/sites/nobody/domains", named("www.example.test")).await;
    assert_eq!(code(&nobody), (404, "site_not_found"));
    assert_eq!(platform.log.last_sequence().await.unwrap(), before, "nothing came of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_has_so_many_domains() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    for number in 0..events::domain::DOMAINS_MAX {
        let added = platform.send(Method::POST, "/sites/docs/domains", named(&format!("{number}.example.test"))).await;
        assert_eq!(added.0, StatusCode::CREATED);
    }
    let more = platform.send(Method::POST, "/sites/docs/domains", named("more.example.test")).await;
    assert_eq!(code(&more), (409, "too_many_domains"));
    let again = platform.send(Method::POST, "/sites/docs/domains", named("0.example.test")).await;
    assert_eq!(again.0, StatusCode::CREATED, "one that is there is no other");
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_choose_the_domains_of_their_own_sites() {
    let platform = Platform::start().await;
    for name in ["north", "south"] {
        platform.send(Method::POST, "/organizations", json!({ "name": name })).await;
        let site = json!({ "name": format!("{name}-docs"), "repository": "https://git.test/acme/docs.git", "organization": name });
        assert_eq!(platform.send(Method::POST, "/sites", site).await.0, StatusCode::CREATED);
    }
    for (scope, expected) in [("manage", (201, "")), ("deploy", (403, "forbidden"))] {
        let wanted = json!({ "name": scope, "scopes": [scope], "organization": "south" });
        let token = platform.send(Method::POST, "/tokens", wanted).await.1["token"].as_str().unwrap().to_owned();
        let ask = async |path: &str| {
            let request = platform.client.post(platform.url(&format!("/api/v1{path}"))).bearer_auth(&token);
            crate::platform::json(request.json(&named("www.example.test")).send().await.unwrap()).await
        };
        let answer = ask("/sites/south-docs/domains").await;
        let found = (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default());
        assert_eq!(found, expected, "{scope}: {}", answer.1);
        assert_eq!(code(&ask("/sites/north-docs/domains").await), (404, "site_not_found"), "{scope}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_domains_adds_shows_what_to_set_and_removes() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/sites/docs").await.contains("/sites/docs/domains"), "the page of a site leads there");
    assert!(browser.page("/sites/docs/domains").await.contains("It has none yet"));
    let added = browser.submit("/sites/docs/domains", "name=www.example.test&redirect_to=").await;
    assert_eq!(added.headers()["location"], "/sites/docs/domains");
    let page = browser.page("/sites/docs/domains").await;
    assert!(page.contains("_pagefold.www.example.test") && page.contains("docs.pages.test"), "{page}");
    assert!(page.contains("data-state=\"pending\""), "{page}");
    let refused = browser.submit("/sites/docs/domains", "name=docs.pages.test&redirect_to=").await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let refused = refused.text().await.unwrap();
    assert!(refused.contains("domain_reserved") && refused.contains("value=\"docs.pages.test\""), "{refused}");
    let checked = browser.submit("/sites/docs/domains/www.example.test/check", "").await;
    assert_eq!(checked.status(), StatusCode::SEE_OTHER);
    let removed = browser.submit("/sites/docs/domains/www.example.test/remove", "").await;
    assert_eq!(removed.status(), StatusCode::SEE_OTHER);
    assert!(browser.page("/sites/docs/domains").await.contains("It has none yet"));
    let page = browser.page("/timeline").await;
    assert!(page.contains("Domain <code>www.example.test</code> removed"), "the timeline tells it");
}
