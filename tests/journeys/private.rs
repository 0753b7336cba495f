//! A private repository: builds read it by a key of its site, which is made here, and nobody else's credentials are needed.

use journeys::{Platform, Site, SshHost};
use reqwest::Method;
use serde_json::json;
use std::fs;

/// Asks for a build and tells how it ended.
async fn build(platform: &Platform, site: &Site<'_>, number: u64) -> (String, String, String) {
    drop(platform.api().send(Method::POST, "/sites/closed/builds", &json!({})).await.expect(201));
    let ended = site.finished(number).await.data;
    let text = |name: &str| ended[name].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("reason"), text("hint"))
}

#[tokio::test]
async fn a_private_repository_is_built_by_a_deploy_key_that_is_made_here() {
    let mut host = SshHost::start();
    let platform = Platform::start_with(&["--sandbox", "bubblewrap"]).await;
    let address = host.url(&platform.folder().join("repositories/closed.git"));
    let site = platform.site("closed", json!({ "repository": address })).await;
    site.repository.push("main", [("index.html", "for few")]);

    let (outcome, reason, hint) = build(&platform, &site, 1).await;
    assert_eq!(outcome, "failure");
    assert!(reason.contains("refuses us") && hint.contains("make a deploy key"), "{reason} {hint}");

    let made = platform.operator(&["site", "deploy-key", "make", "closed"]);
    let (public, fingerprint) = made.trim().split_once('\n').unwrap();
    assert!(public.starts_with("ssh-ed25519 ") && fingerprint.starts_with("SHA256:"), "{made}");
    let (outcome, reason, hint) = build(&platform, &site, 2).await;
    assert_eq!(outcome, "failure");
    assert!(reason.contains("refuses the site's deploy key") && hint.contains("public key"), "{reason} {hint}");

    host.trust(public);
    assert_eq!(build(&platform, &site, 3).await.0, "success");
    site.serves("/", "for few").await;
    assert_eq!(platform.operator(&["site", "deploy-key", "show", "closed"]), made);
    let keys = platform.data().join("launcher/mirrors/keys");
    assert_eq!(fs::read_dir(&keys).unwrap().count(), 0, "the private half lies nowhere");
    assert!(!format!("{:?}", platform.facts()).contains("PRIVATE KEY"), "and is in the log only sealed");

    host.become_another();
    let (outcome, reason, hint) = build(&platform, &site, 4).await;
    assert_eq!(outcome, "failure");
    assert!(reason.contains("another key than it did before") && hint.contains("known_hosts"), "{reason} {hint}");

    drop(platform.operator(&["site", "deploy-key", "remove", "closed"]));
    let said: Vec<String> = site.facts().iter().map(|fact| fact.name().to_owned()).collect();
    let about_keys: Vec<&String> = said.iter().filter(|name| name.contains("deploy_key")).collect();
    assert_eq!(about_keys, ["site.deploy_key_made", "site.deploy_key_removed"]);
}
