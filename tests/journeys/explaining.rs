//! Why readers are answered as they are: what is told of an address is what the edge answers, with the facts that led there.

use journeys::{Host, Platform, Site, eventually};
use reqwest::Method;
use serde_json::{Value, json};

const REDIRECTS: &str = "/old /new 301\n/blog/:slug /posts/:slug 302\n/app/* /index.html 200\n/lost /404.html 410\n";
const HEADERS: &str = "/*\n  X-Site: yes\n";
const FILES: [(&str, &str); 7] = [
    ("index.html", "home"),
    ("about.html", "about"),
    ("deep/index.html", "deep"),
    ("404.html", "lost"),
    ("app.js", "go()"),
    ("_redirects", REDIRECTS),
    ("_headers", HEADERS),
];

async fn explained(platform: &Platform, host: &Host, path: &str) -> Value {
    let address = host.address();
    // The edge is asked by a host without a port.
    let (host, _) = address.rsplit_once(':').unwrap();
    let url = format!("{host}{path}");
    let asked = url.replace('%', "%25").replace('?', "%3F").replace('&', "%26");
    platform.api().get(&format!("/explain?url={asked}")).await
}

/// What the facts were for the answer, each at its place of the log.
fn steps(explained: &Value) -> Vec<(String, u64)> {
    let steps = explained["chain"].as_array().unwrap().iter();
    steps.map(|step| (step["step"].as_str().unwrap().to_owned(), step["sequence"].as_u64().unwrap())).collect()
}

/// Holds what is told of a path against what the edge answers, and answers with it.
async fn agrees(platform: &Platform, host: &Host, path: &str) -> Value {
    let (told, answer) = (explained(platform, host, path).await, host.get(path).await);
    let location = Some(answer.header("location")).filter(|location| !location.is_empty());
    assert_eq!((&told["status"], told["location"].as_str()), (&json!(answer.status), location), "{path}: {told}");
    told
}

#[tokio::test]
async fn an_answer_is_told_with_its_push_its_build_its_promotion_and_its_rule() {
    let platform = Platform::shared().await;
    let site = platform.site("explained", json!({})).await;
    let pushed = site.push("main", FILES).await;
    let promoted = site.promoted(1).await;
    let live = site.live();
    live.serves("/", "home").await;
    eventually("the read model is level", || async {
        explained(&platform, &live, "/").await["deploy"].is_string().then_some(())
    })
    .await;
    for (path, kind) in [
        ("/", "file"),
        ("/about", "file"),
        ("/about.html?x=1", "page_address"),
        ("/deep", "page_address"),
        ("/old?a=b", "rule"),
        ("/blog/x", "rule"),
        ("/app/any/thing", "rule"),
        ("/lost", "rule"),
        ("/none", "not_found_page"),
        ("/none.js", "not_found_page"),
        ("/%zz", "malformed"),
    ] {
        let told = agrees(&platform, &live, path).await;
        assert_eq!(told["decided_by"]["kind"], kind, "{path}: {told}");
    }
    let told = explained(&platform, &live, "/old").await;
    let by = json!({ "kind": "rule", "text": "line 1 of `_redirects` says so: `/old /new 301`", "file": "_redirects", "line": 1,
        "page": null });
    assert_eq!((&told["decided_by"], &told["headers"][0]["line"]), (&by, &json!(1)));
    let facts = ["build.finished", "deploy.synced", "alias.promoted"]
        .map(|name| site.facts().iter().rfind(|fact| fact.name() == name).map_or(0, |fact| fact.sequence()));
    let expected = ["build", "deploy", "promotion"].map(str::to_owned).into_iter().zip(facts);
    let mut steps = steps(&told);
    let (began, first) = steps.remove(0);
    assert_eq!((began.as_str(), steps), ("push", expected.collect::<Vec<_>>()));
    let push: Value = platform.api().get(&format!("/events/{first}")).await;
    assert_eq!(push["id"], pushed.event);
    assert_eq!(told["chain"][3]["sequence"], promoted.sequence());
    assert_eq!((told["commit"].as_str(), told["alias"].as_str()), (Some(pushed.commit.as_str()), Some("live")));

    assert_eq!(told["access"], "public");
    let deploy = site.deploy(1).await.id;
    let told = agrees(&platform, &site.host(&deploy), "/about").await;
    assert_eq!((&told["alias"], &told["deploy"]), (&Value::Null, &json!(deploy)), "the host of one deploy");
    let lines = platform.operator(&["explain", &format!("{}old", live.address())]);
    assert!(lines.contains("push  ") && lines.ends_with("headers  _headers:1  /*\n"), "{lines}");
    let nowhere = platform.try_operator(&["explain", "https://nowhere.example/"]);
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("(host_not_found)"), "{nowhere:?}");

    let close = json!({ "access": { "live": { "mode": "link" } } });
    let _ = platform.api().send(Method::PATCH, "/sites/explained", &close).await.expect(200);
    platform.read_model_has_caught_up().await;
    let closed = explained(&platform, &site.host(&deploy), "/about").await;
    assert_eq!((&closed["access"], &closed["status"]), (&json!("link"), &json!(200)), "who is let in is answered so");
}

#[tokio::test]
async fn routes_former_files_and_former_names_are_told_too() {
    let platform = Platform::shared().await;
    let site = platform.site("retold", json!({})).await;
    site.publish(1, [("index.html", "one")]).await;
    site.publish(2, [("index.html", "two"), ("app.3f2a9c1b.js", "go()")]).await;
    let (live, first) = (site.live(), site.deploy(1).await.id);
    live.serves("/", "two").await;
    let _ = site.point("live", &first, None).await;
    live.serves("/", "one").await;
    let former = || async { decides(&platform, &site, "/app.3f2a9c1b.js", "former_file").await.then_some(()) };
    eventually("the first deploy is known to be back", former).await;
    let told = agrees(&platform, &live, "/app.3f2a9c1b.js").await;
    assert_eq!((&told["status"], &told["decided_by"]["kind"]), (&json!(200), &json!("former_file")));

    let host = format!("retold.{}", platform.ready().sites_domain);
    for route in [
        json!({ "path": "/x", "kind": "prefix", "action": "redirect", "to": "https://example.org/y" }),
        json!({ "path": "/gone", "kind": "exact", "action": "gone" }),
        json!({ "path": "/", "kind": "exact", "action": "site", "site": "retold" }),
    ] {
        let mut route = route;
        route["host"] = json!(host);
        let _ = platform.api().send(Method::POST, "/routes", &route).await.expect(201);
    }
    eventually("the routes lead", || async { (live.get("/gone").await.status == 410).then_some(()) }).await;
    eventually("the routes are known", || async { decides(&platform, &site, "/gone", "route").await.then_some(()) })
        .await;
    for path in ["/gone", "/x/a%20b?c=d", "/"] {
        let told = agrees(&platform, &live, path).await;
        let last = told["chain"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["step"], &last["type"]), (&json!("route"), &json!("dev.pagefold.route.added.v1")), "{told}");
    }

    let renamed = json!({ "name": "retold-anew" });
    let _ = platform.api().send(Method::PATCH, &format!("/sites/{}", site.id), &renamed).await.expect(200);
    eventually("the host leads on", || async { (live.get("/page").await.status == 308).then_some(()) }).await;
    eventually("the name is known", || async { decides(&platform, &site, "/page", "renamed").await.then_some(()) })
        .await;
    let told = agrees(&platform, &live, "/page?q").await;
    assert_eq!(
        (&told["decided_by"]["kind"], &told["chain"][0]["type"]),
        (&json!("renamed"), &json!("dev.pagefold.site.renamed.v1"))
    );
}

/// Whether it is known that such a thing decides a path.
async fn decides(platform: &Platform, site: &Site<'_>, path: &str, kind: &str) -> bool {
    explained(platform, &site.live(), path).await["decided_by"]["kind"] == kind
}
