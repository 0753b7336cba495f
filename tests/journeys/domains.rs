//! Domains: a name that is somebody's outside shows a site as soon as its records prove it, and not before.

mod authority;
mod certificates;
mod names;

use journeys::{Platform, eventually};
use names::Names;
use reqwest::header::{HOST, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

/// A platform that asks a story's own server of names.
struct World {
    names: Names,
    platform: Platform,
    client: Client,
}

impl World {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(options: &[&str]) -> Self {
        let names = Names::start().await;
        let resolver = names.address.to_string();
        let options = [&["--sandbox", "bubblewrap", "--resolver", &resolver], options].concat();
        let platform = Platform::start_with(&options).await;
        Self { names, platform, client: Client::builder().redirect(Policy::none()).build().unwrap() }
    }

    async fn add(&self, site: &str, body: Value) -> Value {
        let path = format!("/sites/{site}/domains");
        self.platform.api().send(Method::POST, &path, &body).await.expect(201).json()
    }

    async fn domain(&self, site: &str, name: &str) -> Value {
        self.platform.api().get(&format!("/sites/{site}/domains/{name}")).await
    }

    /// Sets all that the people of a domain are told to set.
    fn obey(&self, domain: &Value) {
        for record in domain["records"].as_array().unwrap() {
            let text = |field: &str| record[field].as_str().unwrap();
            self.names.set(text("type"), text("name"), text("value"));
        }
    }

    async fn until_state(&self, site: &str, name: &str, state: &str) -> Value {
        let is = || async { Some(self.domain(site, name).await).filter(|domain| domain["state"] == state) };
        eventually(&format!("{name} is {state}"), is).await
    }

    async fn get(&self, host: &str, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.platform.ready().edge)).header(HOST, host).send().await.unwrap()
    }

    async fn until_answers(&self, host: &str, status: u16) -> Response {
        let answers = || async { Some(self.get(host, "/page?x=1").await).filter(|answer| answer.status() == status) };
        eventually(&format!("{host} answers {status}"), answers).await
    }
}

#[tokio::test]
async fn a_domain_is_proven_by_its_records_shows_its_site_and_shares_its_door() {
    let world = World::start().await;
    let (platform, name) = (&world.platform, "www.example.test");
    let site = platform.site("named", json!({})).await;
    site.publish(1, [("index.html", "home"), ("page.html", "page")]).await;
    site.serves("/page", "page").await;
    let domain = world.add("named", json!({ "name": name })).await;
    assert_eq!((&domain["state"], domain["records"].as_array().unwrap().len()), (&json!("pending"), 2));
    let missed = site.until("domain.check_failed", |fact| fact.data["attempt"] == 1).await;
    let error = missed.data["error"].as_str().unwrap().to_owned();
    assert_eq!(error, format!("there is no TXT record at `_pagefold.{name}`"));
    let shown = eventually("the error is told", || async {
        Some(world.domain("named", name).await).filter(|domain| domain["error"] == error.as_str())
    });
    assert_eq!(shown.await["state"], "pending");
    assert_eq!(world.get(name, "/page").await.status(), 404, "nothing is shown before it is proven");

    world.obey(&domain);
    site.until("domain.verified", |_| true).await;
    world.until_state("named", name, "verified").await;
    let answer = world.until_answers(name, 200).await;
    assert_eq!(answer.text().await.unwrap(), "page");
    assert_eq!(world.until_answers("WWW.Example.test:80", 200).await.text().await.unwrap(), "page");
    let told: Value = platform.api().get(&format!("/explain?url=http://{name}/page")).await;
    let steps: Vec<&str> =
        told["chain"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert!(told["status"] == 200 && steps.contains(&"domain") && steps.contains(&"promotion"), "{told}");

    let told = platform.operator(&["access", "named", "--live", "link"]);
    assert!(told.contains("live: link"), "{told}");
    world.until_answers(name, 404).await;
    let _ = platform.operator(&["access", "named", "--live", "public"]);
    world.until_answers(name, 200).await;
    let told = platform.operator(&["domains", "remove", "named", name]);
    assert_eq!(told, format!("domain {name} is removed\n"));
    world.until_answers(name, 404).await;
}

#[tokio::test]
async fn of_an_apex_and_its_www_one_leads_to_the_other_and_both_outlive_a_restart() {
    let mut world = World::start().await;
    let site = world.platform.site("both", json!({})).await;
    site.publish(1, [("page.html", "page")]).await;
    let apex = world.add("both", json!({ "name": "example.test" })).await;
    assert_eq!(apex["records"][1], json!({ "type": "A", "name": "example.test", "value": "127.0.0.1" }));
    world.obey(&apex);
    world.until_state("both", "example.test", "verified").await;
    assert_eq!(world.until_answers("example.test", 200).await.text().await.unwrap(), "page");

    let www = world.add("both", json!({ "name": "www.example.test", "redirect_to": "example.test" })).await;
    world.obey(&www);
    world.until_state("both", "www.example.test", "verified").await;
    let led = world.until_answers("www.example.test", 308).await;
    assert_eq!(led.headers()[LOCATION], "//example.test/page?x=1");
    drop(site);

    world.platform.crash();
    world.platform.start_again().await;
    assert_eq!(world.until_answers("example.test", 200).await.text().await.unwrap(), "page");
    world.until_answers("www.example.test", 308).await;
    let listed = world.platform.operator(&["domains", "list", "both"]);
    assert!(listed.contains("example.test") && listed.contains("verified"), "{listed}");
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_says_where_and_is_looked_at_anew_when_somebody_asks() {
    let world = World::start().await;
    let (name, site) = ("docs.example.test", world.platform.site("astray", json!({})).await);
    site.publish(1, [("page.html", "page")]).await;
    let domain = world.add("astray", json!({ "name": name })).await;
    let proof = &domain["records"][0];
    world.names.set("TXT", proof["name"].as_str().unwrap(), proof["value"].as_str().unwrap());
    world.names.set("A", name, "203.0.113.9");
    let first = site.until("domain.check_failed", |fact| fact.data["attempt"] == 1).await;
    let astray = |fact: &journeys::Fact| fact.data["error"].as_str().is_some_and(|error| error.contains("203.0.113.9"));
    let missed = site.until("domain.check_failed", astray).await;
    assert_eq!(missed.data["error"], format!("`{name}` leads to `203.0.113.9`, and not to `127.0.0.1`"));
    world.add("astray", json!({ "name": name })).await;
    site.until("domain.check_requested", |_| true).await;
    site.until("domain.check_failed", |fact| fact.data["attempt"] == 1 && fact.id != first.id).await;
}
