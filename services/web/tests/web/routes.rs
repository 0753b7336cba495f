//! Routes: a path of a host has one, who says where it leads, and what a table of many comes to.

use crate::dashboard::Browser;
use crate::platform::{Platform, code};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn gone(host: &str, path: &str) -> Value {
    json!({ "host": host, "path": path, "kind": "exact", "action": "gone" })
}

async fn import(platform: &Platform, asked: &str, table: &str) -> (StatusCode, Value) {
    let request = platform.api(Method::POST, &format!("/routes/import{asked}")).header("content-type", "text/csv");
    crate::platform::json(request.body(table.to_owned()).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_has_one_route_until_it_is_taken_away_and_may_leave_something_behind() {
    let platform = Platform::start().await;
    let site = platform.create_site("docs").await.to_string();
    let redirect =
        json!({ "host": "Docs.pages.test", "path": "/old/", "kind": "prefix", "action": "redirect", "to": "/new" });
    let (status, route) = platform.send(Method::POST, "/routes", redirect.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{route}");
    let expected = json!({ "id": route["id"], "host": "docs.pages.test", "path": "/old", "kind": "prefix", "action": "redirect",
        "site": null, "to": "/new", "status": 301, "segments": "preserve", "page": null, "backend": null, "owner": site });
    assert_eq!(route, expected);
    assert_eq!(platform.get("/routes?host=docs.pages.test").await.1["items"], json!([expected]));

    let taken = platform.send(Method::POST, "/routes", gone("docs.pages.test", "/old")).await;
    assert_eq!(code(&taken), (409, "route_taken"));
    assert!(taken.1["detail"].as_str().unwrap().contains(route["id"].as_str().unwrap()));
    let remove = format!("/routes/{}", route["id"].as_str().unwrap());
    let leave = json!({ "leave": { "redirect": "https://example.org/x" } });
    assert_eq!(platform.send(Method::DELETE, &remove, leave).await.0, StatusCode::NO_CONTENT);
    assert_eq!(code(&platform.send(Method::DELETE, &remove, json!({})).await), (404, "route_not_found"));
    let left = &platform.get("/routes").await.1["items"][0];
    assert_eq!(
        (&left["to"], &left["kind"], &left["segments"]),
        (&json!("https://example.org/x"), &json!("prefix"), &json!("preserve"))
    );
    let left = format!("/routes/{}", left["id"].as_str().unwrap());
    assert_eq!(platform.send(Method::DELETE, &left, json!({ "leave": "gone" })).await.0, StatusCode::NO_CONTENT);
    assert_eq!(platform.get("/routes").await.1["items"][0]["action"], "gone");
    let told = platform.get(&format!("/sites/{site}/events?limit=100")).await.1.to_string();
    assert!(told.contains("route.added.v1") && told.contains("route.removed.v1"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_no_route_is_refused() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let with = |more: Value| {
        let mut body = gone("docs.pages.test", "/a");
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for wrong in [
        with(json!({ "host": "localhost" })),
        with(json!({ "path": "a" })),
        with(json!({ "path": "/a/../b" })),
        with(json!({ "kind": "regex" })),
        with(json!({ "action": "redirect" })),
        with(json!({ "action": "redirect", "to": "javascript:alert(1)" })),
        with(json!({ "action": "redirect", "to": "//evil.example" })),
        with(json!({ "action": "redirect", "to": "/a" })),
        with(json!({ "action": "redirect", "to": "/b", "status": 200 })),
        with(json!({ "action": "backend", "backend": "http://10.0.0.1/x" })),
        with(json!({ "to": "/b" })),
    ] {
        assert_eq!(
            code(&platform.send(Method::POST, "/routes", wrong.clone()).await),
            (422, "invalid_input"),
            "{wrong}"
        );
    }
    let own = platform.url("").trim_start_matches("http://").to_owned();
    for place in [own.trim_end_matches('/'), "169.254.169.254"] {
        let backend = with(json!({ "action": "backend", "backend": format!("http://{place}") }));
        assert_eq!(
            code(&platform.send(Method::POST, "/routes", backend).await),
            (422, "backend_not_allowed"),
            "{place}"
        );
    }
    let nobody = with(json!({ "action": "site", "site": "nobody" }));
    assert_eq!(code(&platform.send(Method::POST, "/routes", nobody).await), (404, "site_not_found"));
    assert_eq!(platform.get("/routes").await.1["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_route_their_own_sites_hosts_and_admins_all_hosts() {
    let platform = Platform::start().await;
    for name in ["north", "south"] {
        platform.send(Method::POST, "/organizations", json!({ "name": name })).await;
        let site = json!({ "name": format!("{name}-docs"), "repository": "https://git.test/acme/docs.git", "organization": name });
        assert_eq!(platform.send(Method::POST, "/sites", site).await.0, StatusCode::CREATED);
    }
    let wanted = json!({ "name": "south", "scopes": ["manage"], "organization": "south" });
    let token = platform.send(Method::POST, "/tokens", wanted).await.1["token"].as_str().unwrap().to_owned();
    let ask = async |method: Method, path: &str, body: Value| {
        let request = platform.client.request(method, platform.url(&format!("/api/v1{path}")));
        crate::platform::json(request.bearer_auth(&token).json(&body).send().await.unwrap()).await
    };
    for (host, expected) in [
        ("south-docs.pages.test", (201, "")),
        ("fix--south-docs.pages.test", (201, "")),
        ("north-docs.pages.test", (404, "site_not_found")),
        ("fix--north-docs.pages.test", (404, "site_not_found")),
        ("free.pages.test", (403, "forbidden")),
        ("a.south-docs.pages.test", (403, "forbidden")),
        ("retired.example", (403, "forbidden")),
    ] {
        let answer = ask(Method::POST, "/routes", gone(host, "/a")).await;
        let found = (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default());
        assert_eq!(found, expected, "{host}: {}", answer.1);
    }
    let mut theirs = gone("south-docs.pages.test", "/theirs");
    theirs
        .as_object_mut()
        .unwrap()
        .extend([("action".to_owned(), json!("site")), ("site".to_owned(), json!("north-docs"))]);
    assert_eq!(code(&ask(Method::POST, "/routes", theirs).await), (404, "site_not_found"), "nor show another's pages");

    let mut ids = Vec::new();
    for host in ["north-docs.pages.test", "retired.example"] {
        ids.push(platform.send(Method::POST, "/routes", gone(host, "/a")).await.1["id"].as_str().unwrap().to_owned());
    }
    let seen = ask(Method::GET, "/routes", json!({})).await.1;
    let hosts: Vec<&str> =
        seen["items"].as_array().unwrap().iter().map(|route| route["host"].as_str().unwrap()).collect();
    assert_eq!(hosts, ["fix--south-docs.pages.test", "south-docs.pages.test"]);
    for id in ids {
        assert_eq!(code(&ask(Method::DELETE, &format!("/routes/{id}"), json!({})).await), (404, "route_not_found"));
    }
    assert_eq!(platform.get("/routes?limit=3").await.1["items"].as_array().unwrap().len(), 3);
    let next = platform.get("/routes?limit=3").await.1["next"].as_str().unwrap().to_owned();
    assert_eq!(platform.get(&format!("/routes?after={next}")).await.1["items"][0]["host"], "south-docs.pages.test");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_tried_first_and_then_added_whole_or_not_at_all() {
    let platform = Platform::start().await;
    let table = "host,path,kind,action,to,status\n\
                 retired.example,/a,exact,redirect,https://example.org/,301\n\
                 retired.example,nopath,exact,redirect,https://example.org/,301\n\
                 retired.example,/a/,exact,gone,,\n\
                 localhost,/b,exact,gone,,\n";
    let (status, told) = import(&platform, "?dry_run=true", table).await;
    assert_eq!((status, &told["added"], &told["dry_run"]), (StatusCode::OK, &json!(1), &json!(true)), "{told}");
    let lines: Vec<u64> =
        told["errors"].as_array().unwrap().iter().map(|error| error["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [3, 4, 5]);
    let refused = import(&platform, "", table).await;
    assert_eq!(code(&refused), (422, "import_refused"));
    assert!(refused.1["detail"].as_str().unwrap().contains("line 3"));
    assert_eq!(platform.log.last_sequence().await.unwrap(), 0, "nothing was added");

    let rows: String = (0..500).map(|number| format!("retired.example,/{number},exact,gone\n")).collect();
    let table = format!("host,path,kind,action\n{rows}");
    let (status, told) = import(&platform, "", &table).await;
    assert_eq!((status, &told["added"], &told["errors"]), (StatusCode::OK, &json!(500), &json!([])), "{told}");
    let (_, told) = import(&platform, "", &table).await;
    assert_eq!((&told["added"], &told["unchanged"]), (&json!(0), &json!(500)), "twice is once");
    assert_eq!(platform.log.last_sequence().await.unwrap(), 500);
    let other = table.replace("/7,exact", "/7,prefix");
    assert_eq!(code(&import(&platform, "", &other).await), (422, "import_refused"));
    let more = format!("{table}retired.example,/x,exact,gone\n");
    assert_eq!(code(&import(&platform, "", &more).await), (422, "invalid_input"));
    let json = platform.api(Method::POST, "/routes/import").json(&json!({})).send().await.unwrap();
    assert_eq!(code(&crate::platform::json(json).await), (415, "unsupported_media_type"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_routes_adds_tries_imports_and_takes_away() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let browser = Browser::sign_in(&platform).await;
    let fields =
        "host=docs.pages.test&path=/old&kind=exact&action=redirect&to=/new&status=302&segments=&site=&backend=";
    let added = browser.submit("/routes", fields).await;
    assert_eq!(added.headers()["location"], "/routes?host=docs%2Epages%2Etest");
    let page = browser.page("/routes?site=docs").await;
    assert!(page.contains("302 to <code>/new</code>"), "{page}");
    let tried = browser.submit("/routes/import", "try_only=1&table=host,path,kind,action%0Aa.test,/b,exact,gone").await;
    assert!(tried.text().await.unwrap().contains("It would add 1 routes"));
    let wrong = browser.submit("/routes/import", "table=host,path,kind,action%0Aa.test,b,exact,gone").await;
    assert!(wrong.text().await.unwrap().contains("Line 2"));
    let done = browser.submit("/routes/import", "table=host,path,kind,action%0Aa.test,/b,exact,gone").await;
    assert_eq!(done.headers()["location"], "/routes");
    let id = platform.get("/routes?host=a.test").await.1["items"][0]["id"].as_str().unwrap().to_owned();
    assert!(browser.page(&format!("/routes/{id}")).await.contains("Take away a.test/b"));
    let taken = browser.submit(&format!("/routes/{id}/remove"), "leave=redirect&to=https://example.org/").await;
    assert_eq!(taken.status(), StatusCode::SEE_OTHER);
    assert_eq!(platform.get("/routes?host=a.test").await.1["items"][0]["to"], "https://example.org/");
    let page = browser.page("/timeline").await;
    assert!(page.contains("Route of <code>a.test/b</code> removed"), "the timeline tells it");
}
