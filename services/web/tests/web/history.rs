//! What has been is there to be read: each deploy with its files, each event with what led to it, and lists to their end.

use crate::dashboard::Browser;
use crate::lists::paged;
use crate::people::{invited, me, organization, site};
use crate::platform::{COMMIT, Platform, code};
use events::event::{Author, RulesDialect};
use events::{BuildId, DeployId, Digest, Outcome, SiteId, UserId};
use reqwest::{Method, StatusCode};
use serde_json::json;
use storage::{Head, Manifest, SiteFile, Uploaded};

/// Puts the file list of a build's deploy where the syncer puts it.
async fn store(platform: &Platform, site: SiteId, build: BuildId, files: &[(&str, &str)]) {
    let file = |(path, text): &(&str, &str)| SiteFile {
        path: (*path).to_owned(),
        digest: Digest::of(text.as_bytes()),
        size: text.len() as u64,
        content_type: "text/html".into(),
        pack: Digest::of(b"pack"),
        offset: 0,
    };
    let head = Head { deploy: DeployId::of(build), site, build, uploaded: Uploaded::default() };
    let bucket = platform.storage.site(site);
    bucket.ensure().await.unwrap();
    let content = |name: &str| files.iter().find(|(path, _)| *path == name).map(|(_, text)| text.as_bytes());
    let rules = rules::read(RulesDialect::Netlify, content(rules::REDIRECTS), content(rules::HEADERS));
    let published = files.iter().filter(|(path, _)| !path.starts_with('_')).map(file);
    bucket.put_manifest(Manifest::new(head, published).with_rules(rules), &[]).await.unwrap();
}

async fn published(platform: &Platform, site: SiteId, number: u64, files: &[(&str, &str)]) -> DeployId {
    let build = platform.running_build(site, number).await;
    platform.finish(build, Outcome::Success).await;
    store(platform, site, build, files).await;
    platform.published(site, build, number).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_what_is_live_are_told_with_the_lines_that_are_not_used() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let (status, none) = platform.get("/sites/docs/rules").await;
    assert_eq!((status, &none["deploy"], &none["dialect"]), (StatusCode::OK, &json!(null), &json!("netlify")));
    let redirects = "/old /new 301\n/x a=:a /y/:a 302! Cookie=c\n/bad\n";
    let files = [("index.html", "home"), ("_redirects", redirects), ("_headers", "/*\n  X-Site: yes\n")];
    let deploy = published(&platform, docs, 1, &files).await;
    let rules = platform.get("/sites/docs/rules").await.1;
    assert_eq!((&rules["deploy"], &rules["redirects_total"]), (&json!(deploy), &json!(2)), "{rules}");
    let second = json!({ "line": 2, "host": null, "from": "/x", "query": ["a=:a"], "to": "/y/:a", "status": 302, "forced": true,
        "conditions": ["Cookie=c"] });
    assert_eq!(rules["redirects"][1], second);
    assert_eq!(
        rules["headers"],
        json!([{ "file": "_headers", "line": 1, "from": "/*", "set": ["x-site: yes"], "unset": [] }])
    );
    let told = &rules["diagnostics"][0];
    assert_eq!((&told["file"], &told["line"], &told["text"]), (&json!("_redirects"), &json!(3), &json!("/bad")));
    let browser = Browser::sign_in(&platform).await;
    let page = browser.page("/sites/docs/rules").await;
    assert!(page.contains("/y/:a") && page.contains("x-site: yes") && page.contains("_redirects:3"), "{page}");
    assert!(browser.page("/sites/docs").await.contains("_redirects:3"));
    let build = platform.get(&format!("/deploys/{deploy}")).await.1["build"].as_str().unwrap().to_owned();
    assert!(browser.page(&format!("/builds/{build}")).await.contains("_redirects:3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_deploy_and_what_differs_from_another_are_told() {
    let platform = Platform::start().await;
    let (docs, blog) = (platform.create_site("docs").await, platform.create_site("blog").await);
    let first = published(&platform, docs, 1, &[("a.html", "a"), ("b.html", "b"), ("index.html", "one")]).await;
    let second = published(&platform, docs, 2, &[("a.html", "a"), ("index.html", "second"), ("new/x.html", "x")]).await;
    let foreign = published(&platform, blog, 3, &[("index.html", "blog")]).await;

    let (status, deploy) = platform.get(&format!("/deploys/{second}")).await;
    assert_eq!((status, &deploy["number"], &deploy["site"]), (StatusCode::OK, &json!(2), &json!("docs")));
    let files = paged(&platform, &format!("/deploys/{second}/files"), "path").await;
    assert_eq!(files, ["a.html", "index.html", "new/x.html"]);
    let page = platform.get(&format!("/deploys/{second}/files?limit=1&after=a.html")).await.1;
    let digest = Digest::of(b"second").to_string();
    let index = json!({ "path": "index.html", "bytes": 6, "digest": digest, "content_type": "text/html" });
    assert_eq!(page, json!({ "items": [index], "next": "index.html" }));

    let difference = platform.get(&format!("/deploys/{second}/diff?from={first}")).await.1;
    let expected = json!({
        "added": [{ "path": "new/x.html", "bytes": 1 }],
        "changed": [{ "path": "index.html", "bytes": 6 }],
        "removed": [{ "path": "b.html", "bytes": 1 }],
    });
    assert_eq!(difference, expected);
    let nothing = platform.get(&format!("/deploys/{second}/diff?from={second}")).await.1;
    assert_eq!(nothing, json!({ "added": [], "changed": [], "removed": [] }));

    let of_another = platform.get(&format!("/deploys/{second}/diff?from={foreign}")).await;
    assert_eq!(code(&of_another), (422, "invalid_input"));
    assert_eq!(code(&platform.get(&format!("/deploys/{second}/diff")).await), (422, "invalid_input"));
    for path in ["", "/files", &format!("/diff?from={first}")] {
        let unknown = platform.get(&format!("/deploys/000000000000{path}")).await;
        assert_eq!(code(&unknown), (404, "deploy_not_found"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_whose_file_list_is_not_there_is_told_as_such() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let lost = platform.built(docs, 1).await;
    assert_eq!(platform.get(&format!("/deploys/{lost}")).await.0, StatusCode::OK);
    assert_eq!(code(&platform.get(&format!("/deploys/{lost}/files")).await), (404, "deploy_not_found"));
    let second = published(&platform, docs, 2, &[("index.html", "x")]).await;
    let page = Browser::sign_in(&platform).await.page(&format!("/deploys/{second}")).await;
    assert!(page.contains(&format!("There is no deploy `{lost}`")), "the rest of the page is there: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_is_read_by_its_sequence() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let last = platform.log.last_sequence().await.unwrap();
    for sequence in 1..=last {
        let (status, event) = platform.get(&format!("/events/{sequence}")).await;
        assert_eq!((status, &event["sequence"]), (StatusCode::OK, &json!(sequence.to_string())));
    }
    for path in [
        format!("/events/{}", last + 1),
        "/events/0".to_owned(),
        format!("/events/{}", u64::MAX),
        "/events/x".to_owned(),
    ] {
        assert_eq!(code(&platform.get(&path).await), (404, "not_found"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_from_a_site_to_what_changed_and_what_led_to_it() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let first = published(&platform, docs, 1, &[("b.html", "b"), ("index.html", "one")]).await;
    let second = published(&platform, docs, 2, &[("index.html", "second"), ("new.html", "x")]).await;
    let third = published(&platform, docs, 3, &[("index.html", "second"), ("new.html", "x")]).await;
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/sites/docs").await.contains(&format!("href=\"/deploys/{second}\"")));
    let page = browser.page(&format!("/deploys/{second}")).await;
    for shown in ["1 added, 1 changed, 1 removed", "<code>b.html</code>", "<code>new.html</code>", "Roll live back"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    let page = browser.page(&format!("/deploys/{third}?from={second}")).await;
    assert!(page.contains("0 added, 0 changed, 0 removed"), "{page}");
    let page = browser.page(&format!("/deploys/{first}")).await;
    assert!(page.contains("No earlier deploy"), "{page}");
    for list in ["builds", "deploys"] {
        let all = browser.page(&format!("/sites/docs/{list}")).await;
        let older = browser.page(&format!("/sites/docs/{list}?before=2")).await;
        assert!(all.contains("#3") && all.contains("#1") && !older.contains("#2") && older.contains("#1"), "{list}");
    }

    let end = platform.log.last_sequence().await.unwrap();
    let page = browser.page("/timeline").await;
    assert!(page.contains(&format!("href=\"/events/{end}\"")), "{page}");
    assert!(page.contains("<code>live</code> now shows build 3.") && page.contains("All of docs</a>"), "{page}");
    let older = browser.page(&format!("/timeline?before={end}")).await;
    assert!(!older.contains("now shows build 3") && older.contains("now shows build 2"), "{older}");
    let page = browser.page(&format!("/events/{end}")).await;
    assert!(page.contains("alias.promoted.v1") && page.contains("What led to it"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_and_deploys_tell_who_wrote_them_and_why_they_were_made() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    organization(&platform, "north").await;
    let ada = invited(&platform, "north", "Ada", "manager").await;
    let id: UserId = me(&ada).await.1["id"].as_str().unwrap().parse().unwrap();
    let (first, second) = (platform.running_build(docs, 1).await, platform.running_build(docs, 2).await);
    platform.checked_out(first, "Fix <the> title", Author::Name("Ärger Coder".to_owned())).await;
    platform.checked_out(second, "Edit the page", Author::Person(id)).await;
    let running = platform.get(&format!("/builds/{first}")).await.1;
    assert_eq!((&running["summary"], &running["author"]), (&json!("Fix <the> title"), &json!("Ärger Coder")));
    assert_eq!((&running["commit"], &running["state"]), (&json!(COMMIT), &json!("started")));
    let browser = Browser::sign_in(&platform).await;
    let page = browser.page(&format!("/builds/{first}")).await;
    assert!(page.contains("Fix &lt;the&gt; title") && page.contains("<dd>Ärger Coder</dd>"), "{page}");
    for (build, number) in [(first, 1), (second, 2)] {
        platform.finish(build, Outcome::Success).await;
        platform.published(docs, build, number).await;
    }
    let deploy = platform.get(&format!("/deploys/{}", DeployId::of(second))).await.1;
    assert_eq!((&deploy["summary"], &deploy["author"]), (&json!("Edit the page"), &json!(format!("user:{id}"))));
    let listed = platform.get("/sites/docs/deploys").await.1["items"].clone();
    assert_eq!((&listed[1]["author"], &listed[1]["trigger"]), (&json!("Ärger Coder"), &running["trigger"]), "{listed}");
    for path in ["/sites/docs".to_owned(), "/sites/docs/deploys".to_owned()] {
        let page = browser.page(&path).await;
        let row = page.split("<tr>").find(|row| row.contains("Edit the page") && row.contains("/deploys/")).unwrap();
        assert!(row.contains("<td class=\"who\" title=\"Ada\">Ada</td>"), "{row}");
    }
    let page = browser.page(&format!("/deploys/{}", DeployId::of(first))).await;
    assert!(page.contains("<dt>Who</dt><dd>Ärger Coder</dd>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_shows_its_members_and_its_past_those_who_came_later() {
    let platform = Platform::start().await;
    organization(&platform, "north").await;
    platform.send(Method::POST, "/sites", site("docs", "north")).await;
    platform.level().await;
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/sites/docs").await.contains("Nobody belongs to its organization yet."));
    let ada = invited(&platform, "north", "Ada", "manager").await;
    platform.level().await;
    let page = ada.page("/sites/docs").await;
    assert!(page.contains("<li>Ada, manager</li>") && page.contains("/organizations/north#members"), "{page}");
    let now = ada.page("/sites/docs/past").await;
    assert!(now.contains("<li>Ada, manager</li>") && now.contains("A manager joined the organization"), "{now}");
    let before = now.split("href=\"").find(|link| link.contains("Change before")).unwrap();
    let before = before.split('"').next().unwrap().replace("&amp;", "&");
    let then = ada.page(&before).await;
    assert!(then.contains("Nobody: it was cared for by the platform") && then.contains("Change after"), "{then}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_webhook_is_the_site_s_own_once_its_secret_is() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let common = platform.get("/sites/docs").await.1["webhook_url"].clone();
    assert_eq!(common, "https://pagefold.test/webhooks/github");
    let made = platform.send(Method::POST, "/sites/docs/webhook-secret", json!({})).await.1;
    platform.level().await;
    let own = platform.get("/sites/docs").await.1["webhook_url"].clone();
    assert_eq!(
        (&own, own.as_str().unwrap()),
        (&made["url"], format!("https://pagefold.test/webhooks/github/{docs}").as_str())
    );
}
