//! What comes before an attempt, and what a build may not reach.

use journeys::{Fleet, Part, Platform, Service, Signal, eventually};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_launcher_that_cannot_read_what_it_needs_uses_no_attempt() {
    let mut fleet = Fleet::prepare().await;
    for server in Fleet::servers() {
        fleet.start(server).await;
    }
    fleet.provision().await;
    for service in Service::ALL.into_iter().filter(|service| *service != Service::Launcher) {
        fleet.start(Part::Service(service)).await;
    }
    let repository = fleet.repository("named");
    let body = json!({ "name": "named", "repository": repository.url() });
    let ask = async || {
        let sent = fleet.api().request(Method::POST, "/sites").json(&body).send().await.ok()?;
        (sent.status() == 201).then_some(())
    };
    eventually("the site to be created", ask).await;
    let renamed = fleet.api().send(Method::PATCH, "/sites/named", &json!({ "name": "called" })).await;
    let _ = renamed.expect(200);
    // It cannot know what the site is called now.
    fleet.start_older(Service::Launcher);
    fleet.deliver(&repository.push("main", [("index.html", "at last")])).await;
    fleet.says("older-launcher", "given back for a newer version").await;
    let starts = |fleet: &Fleet| fleet.facts().iter().filter(|fact| fact.name() == "build.started").count();
    assert_eq!(starts(&fleet), 0);
    fleet.stop(Part::Service(Service::Launcher), Signal::TERM).await;
    assert_eq!(starts(&fleet), 0, "none was used up meanwhile");
    fleet.start(Part::Service(Service::Launcher)).await;
    fleet.host("called").serves("/", "at last").await;
    let attempts: Vec<Value> = fleet
        .facts()
        .into_iter()
        .filter(|fact| fact.name() == "build.started")
        .map(|fact| fact.data["attempt"].clone())
        .collect();
    assert!(attempts.iter().all(|attempt| *attempt == 1), "{attempts:?}");
}

#[tokio::test]
async fn no_repository_is_where_the_platform_itself_answers() {
    let platform = Platform::start().await;
    let ready = platform.ready();
    for (name, door) in [("web", &ready.web), ("edge", &ready.edge), ("admin", &ready.admin), ("s3", &ready.s3)] {
        is_refused_as_our_own(&platform, name, door).await;
    }
}

/// No source is fetched from the address `door`.
pub(crate) async fn is_refused_as_our_own(platform: &Platform, name: &str, door: &str) {
    let body = json!({ "name": name, "repository": format!("{door}/acme/docs.git") });
    let _ = platform.api().send(Method::POST, "/sites", &body).await.expect(201);
    let ended = async || {
        let builds: Value = platform.api().try_get(&format!("/sites/{name}/builds")).await.ok()?.json();
        let build = builds["items"].get(0)?;
        (build["state"] == "failure").then(|| build["reason"].to_string())
    };
    let reason = eventually(&format!("the build from {name} to fail"), ended).await;
    assert!(reason.contains("one of the platform's own"), "{name}: {reason}");
}
