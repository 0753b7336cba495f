//! A walk over every kind of page there is, from link to link.

use super::{NARROW, WEIGHT_MAX};
use journeys::{Browser, Platform};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Names as long as they may be.
const SITE: &str = "a-site-whose-name-is-very-long";
const ORGANIZATION: &str = "an-organization-with-long-name";

/// Sites, people and builds whose names are as long as can be; answers the pages that the walk must not find others of.
pub(super) async fn long_names(platform: &Platform) -> Vec<String> {
    let site = platform.site(SITE, json!({ "organization": ORGANIZATION })).await;
    site.publish(1, [("index.html", "one"), ("a/very/long/path/to/a/file/of/the/site/style.css", "a {}")]).await;
    site.publish(2, [("index.html", "two")]).await;
    let branch = format!("feature/{}", "x".repeat(200));
    site.push(&branch, [("index.html", "three")]).await;
    site.promoted(3).await;
    let (api, path) = (platform.api(), format!("/sites/{SITE}"));
    let reason = json!({ "reason": "r".repeat(200) });
    let _ = api.send(Method::PUT, &format!("{path}/lock"), &reason).await.expect(200);
    let nowhere = json!({ "branch": format!("no-such-{}", "y".repeat(180)) });
    let build: Value = api.send(Method::POST, &format!("{path}/builds"), &nowhere).await.expect(201).json();
    let build = build["id"].as_str().unwrap().to_owned();
    site.until("build.finished", |fact| fact.subject == build).await;
    let invited = json!({ "email": format!("{}@agency.example", "z".repeat(60)), "role": "manager" });
    let _ = api.send(Method::POST, &format!("/organizations/{ORGANIZATION}/invitations"), &invited).await.expect(201);
    let token = json!({ "name": "t".repeat(60), "scopes": ["deploy"] });
    let _ = api.send(Method::POST, "/tokens", &token).await.expect(201);
    let _ = api
        .send(Method::POST, "/sites", &json!({ "name": "unbuilt", "repository": site.repository.url() }))
        .await
        .expect(201);
    platform.read_model_has_caught_up().await;
    let deploys: Value = api.get(&format!("{path}/deploys")).await;
    let preview = deploys["items"].as_array().unwrap().iter().find(|deploy| deploy["branch"] == branch).unwrap();
    vec![format!("/builds/{build}?search=no"), format!("/deploys/{}", preview["id"].as_str().unwrap())]
}

/// What was seen on the way, and what was wrong there.
pub(super) struct Walk {
    base: String,
    /// One page of each kind that is still to be looked at, by its kind.
    left: BTreeMap<String, String>,
    pub(super) seen: BTreeSet<String>,
    pub(super) faults: Vec<String>,
}

impl Walk {
    pub(super) fn new(base: &str, longest: &[String]) -> Self {
        let mut walk = Self { base: base.to_owned(), left: BTreeMap::new(), seen: BTreeSet::new(), faults: Vec::new() };
        let certain =
            ["/", "/platform", "/audit?kind=site.", "/?search=nothing&show=failed", "/events/1"].map(str::to_owned);
        for path in certain.iter().chain(longest) {
            walk.meet(&format!("{base}{path}"));
        }
        walk
    }

    /// Goes on until every kind of page that any page leads to has been looked at.
    pub(super) async fn go(&mut self, browser: &Browser) {
        while let Some((kind, address)) = self.left.pop_first() {
            browser.open(&address).await;
            self.look(browser, &kind).await;
            for link in browser.links().await {
                self.meet(&link);
            }
        }
    }

    /// Looks at the page in every way.
    pub(super) async fn look(&mut self, browser: &Browser, kind: &str) {
        self.seen.insert(kind.to_owned());
        let weight = browser.weight().await;
        if weight > WEIGHT_MAX {
            self.faults.push(format!("{kind} weighs {weight} bytes"));
        }
        unfold(browser).await;
        for dark in [false, true] {
            browser.dark(dark).await;
            self.hold_against(browser, &format!("{kind}{}", if dark { " in the dark" } else { "" })).await;
        }
        browser.dark(false).await;
        browser.resize(NARROW, 800).await;
        let wider = browser.overflow().await;
        if wider > 0 {
            self.faults.push(format!("{kind} is {wider} points wider than a narrow screen"));
        }
        self.hold_against(browser, &format!("{kind} on a narrow screen")).await;
        browser.resize(1100, 900).await;
    }

    async fn hold_against(&mut self, browser: &Browser, kind: &str) {
        for violation in browser.axe().await {
            self.faults.push(format!("{kind}: {}: {}", violation.rule, violation.places.join("\n    ")));
        }
    }

    fn meet(&mut self, address: &str) {
        let Some(path) = address.strip_prefix(&self.base) else { return };
        let path = path.split('#').next().unwrap_or_default();
        if path.starts_with("/api/") || path.starts_with("/assets/") {
            return;
        }
        let kind = kind_of(path);
        if !self.seen.contains(&kind) {
            self.left.entry(kind).or_insert_with(|| format!("{}{path}", self.base));
        }
    }
}

/// Shows what is folded away.
async fn unfold(browser: &Browser) {
    browser.run("for (const fold of document.querySelectorAll('details')) fold.open = true", json!([])).await;
}

/// What is alike in the addresses of pages of one kind.
fn kind_of(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let part = |part: &str| if is_name(part) { "·".to_owned() } else { part.to_owned() };
    let parts: Vec<String> = path.split('/').map(part).collect();
    let names: BTreeSet<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    format!("{}?{}", parts.join("/"), Vec::from_iter(names).join("&"))
}

fn is_name(part: &str) -> bool {
    let is_id = part.len() >= 12 && part.chars().any(|character| character.is_ascii_digit());
    let is_number = !part.is_empty() && part.chars().all(|character| character.is_ascii_digit());
    is_id || is_number || [SITE, ORGANIZATION, "unbuilt", "default"].contains(&part)
}
