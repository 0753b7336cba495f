//! Routes: somebody says where a path leads, and readers are led there, whether or not the host has a site.

use journeys::{Platform, eventually};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_path_leads_where_somebody_says_and_gives_way_when_it_is_taken_back() {
    let platform = Platform::shared().await;
    let site = platform.site("routed", json!({})).await;
    site.publish(1, [("index.html", "home"), ("page.html", "page")]).await;
    let (api, host) = (platform.api(), format!("routed.{}", platform.ready().sites_domain));
    site.serves("/page", "page").await;
    let route = json!({ "host": host, "path": "/page", "kind": "exact", "action": "gone" });
    let route: Value = api.send(Method::POST, "/routes", &route).await.expect(201).json();
    let live = site.live();
    eventually("the page is gone", || async { (live.get("/page").await.status == 410).then_some(()) }).await;
    let told = site.until("route.added", |fact| fact.data["owner"] == site.id.as_str()).await;
    assert_eq!(told.data["path"], "/page");

    let id = route["id"].as_str().unwrap();
    let told = platform.operator(&["routes", "remove", id, "--redirect", "/elsewhere"]);
    assert!(told.contains("is taken away"), "{told}");
    eventually("the page has moved", || async { (live.get("/page").await.status == 301).then_some(()) }).await;
    let listed = platform.operator(&["routes", "list", "--site", "routed"]);
    assert!(listed.contains("/elsewhere") && !listed.contains(id), "{listed}");
    let left = listed.split_whitespace().next().unwrap();
    let _ = platform.operator(&["routes", "remove", left]);
    site.serves("/page", "page").await;
}

#[tokio::test]
async fn a_table_of_a_retired_domain_is_tried_and_then_imported_from_a_command_line() {
    let platform = Platform::shared().await;
    let (folder, host) = (tempfile::tempdir().unwrap(), "retired.example");
    let table = folder.path().join("routes.csv");
    let rows: String =
        (0..700).map(|number| format!("{host},/{number},exact,redirect,https://example.org/{number},\n")).collect();
    let text = format!("host,path,kind,action,to,status\n{rows}");
    std::fs::write(&table, text.replace(&format!("{host},/650,"), &format!("{host},650,"))).unwrap();
    let import = |arguments: &[&str]| {
        let path = table.to_str().unwrap();
        platform.try_operator(&[&["routes", "import", path], arguments].concat())
    };
    let refused = import(&[]);
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(!refused.status.success() && said.contains("line 652: "), "{said}");
    std::fs::write(&table, text).unwrap();
    let said = |arguments: &[&str]| String::from_utf8_lossy(&import(arguments).stdout).into_owned();
    assert_eq!(said(&["--dry-run"]), "700 routes would be added, 0 are so already\n");
    assert_eq!(said(&[]), "700 routes added, 0 are so already\n");
    assert_eq!(said(&[]), "0 routes added, 700 are so already\n");
    let reader = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let led = || async {
        let asked = reader.get(format!("{}/699?x=1", platform.ready().edge)).header("host", host).send().await.ok()?;
        Some(asked.headers().get("location")?.to_str().ok()?.to_owned())
    };
    let led = eventually("the domain leads on", led).await;
    assert_eq!(led, "https://example.org/699");
}
