//! Repositories that are looked at before there is a site, on a real git server, and the page that follows the creation.

use crate::dashboard::Browser;
use crate::git_host::{GitHost, TOKEN};
use crate::platform::{Platform, code};
use http::header::LOCATION;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::process::Command;
use std::sync::atomic::Ordering;
use tempfile::TempDir;

/// A server with a repository of Node.js.
fn served() -> (TempDir, GitHost) {
    let folder = tempfile::tempdir().unwrap();
    let script = "git init -q -b main served && cd served && echo '{}' > package.json && git add -A && \
        git -c user.name=n -c user.email=e@example.org commit -qm first && git branch next && git config uploadpack.allowFilter true";
    let made = Command::new("sh").args(["-ec", script]).current_dir(folder.path()).status().unwrap();
    assert!(made.success());
    let host = GitHost::start(folder.path());
    (folder, host)
}

async fn look(platform: &Platform, repository: &str, branch: &str) -> Value {
    let query = format!("/source-check?repository={}&branch={branch}", repository.replace(':', "%3A"));
    let (status, told) = platform.get(&query).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_is_looked_at_before_there_is_a_site() {
    let mut platform = Platform::start().await;
    let (_folder, host) = served();
    let closed = look(&platform, &host.url("git/served/.git"), "main").await;
    assert_eq!(closed["reachable"], false);
    assert!(closed["message"].as_str().unwrap().contains("not allowed"), "{closed}");
    assert_eq!(host.asked.load(Ordering::SeqCst), 0, "where nobody may connect nobody does");

    platform.look_at_private_repositories().await;
    let found = look(&platform, &host.url("git/served/.git"), "main").await;
    let message = "Reachable, branch `main`, looks like Node.js: there is `package.json`.";
    assert_eq!((&found["message"], &found["engine"]), (&json!(message), &json!("node.js")));
    assert_eq!((&found["default_branch"], &found["branches"]), (&json!("main"), &json!(["main", "next"])));
    let other = look(&platform, &host.url("git/served/.git"), "trunk").await;
    assert_eq!((&other["reachable"], &other["branch_found"]), (&json!(true), &json!(false)));
    assert!(other["message"].as_str().unwrap().contains("there is `main`, `next`"), "{other}");
    for closed in ["private/x", "git/none", "locked/served/.git"] {
        let told = look(&platform, &host.url(closed), "main").await;
        assert!(told["message"].as_str().unwrap().contains("give it a deploy key"), "{told}");
    }
    assert_eq!(*host.told.lock().unwrap(), Vec::<String>::new(), "nobody is told {TOKEN} or anything like it");
    let ssh = look(&platform, &format!("ssh://git@{}/acme/docs", host.address), "main").await;
    assert_eq!(ssh["reachable"], Value::Null);
    let own = look(&platform, &platform.url("/git/x"), "main").await;
    assert!(own["message"].as_str().unwrap().contains("platform's own"), "{own}");
    assert_eq!(code(&platform.get("/source-check?repository=x").await), (422, "invalid_input"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_says_what_speaks_against_a_repository_and_goes_on_if_it_must() {
    let mut platform = Platform::start().await;
    platform.look_at_private_repositories().await;
    let browser = Browser::sign_in(&platform).await;
    let (_folder, host) = served();
    let form = |name: &str, path: &str| {
        let repository = host.url(path).replace(':', "%3A").replace('/', "%2F");
        format!("name={name}&repository={repository}&branch=main&demo_branch=&engine=static&organization=acme")
    };
    let refused = browser.submit("/sites", &form("docs", "private/x")).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = refused.text().await.unwrap();
    assert!(page.contains("Create anyway") && page.contains("give it a deploy key") && page.contains("value=\"docs\""));
    let forced = browser.submit("/sites", &format!("{}&anyway=yes", form("docs", "private/x"))).await;
    assert_eq!(forced.headers()[LOCATION], "/sites/docs/begin");

    let created = browser.submit("/sites", &form("fine", "git/served/.git")).await;
    assert_eq!(created.headers()[LOCATION], "/sites/fine/begin");
    let site = platform.site_id("fine").await;
    for _ in 0..2 {
        let page = browser.page("/sites/fine/begin").await;
        assert!(page.contains("waiting for the first ping") && page.contains("<dt>Secret</dt>"), "{page}");
        assert!(page.contains(&format!("/{site}</code>")) && page.contains("Make a deploy key"), "{page}");
    }
    // Whoever makes another secret has seen that, and the first one is not shown any more.
    browser.submit(&format!("/sites/{site}/webhook-secret"), "").await;
    assert!(!browser.page("/sites/fine/begin").await.contains("<dt>Secret</dt>"));
}
