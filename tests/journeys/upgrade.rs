//! An upgrade while people work: services of an older and of a newer version side by side, over facts that only the newer
//! ones know, end with the same state as the newer version alone.

use crate::separate::ends;
use journeys::{Answer, Fleet, Part, Repository, Service, Signal, eventually};
use reqwest::Method;
use runtime::fold::Objects;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What the older version does not know: facts that the scheduler, the edge, the syncer and the launcher hear.
const UNKNOWN: [&str; 3] = ["site.settings_changed", "site.renamed", "build.requested"];
const GIVEN_BACK: &str = "given back for a newer version";
const PASSED: &str = "a newer version has stated a fact that this one does not know";
const STANDS_BY: &str = "standing by until a newer version takes over";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_and_new_side_by_side_end_as_the_new_alone() {
    let mut fleet = Fleet::prepare().await;
    let [one, two] = run_the_older_version(&mut fleet).await;
    let build = state_what_it_does_not_know(&mut fleet).await;
    it_waits_and_says_so(&fleet, &build).await;

    // Pushes go on, through the older web.
    fleet.deliver(&one.push("next", [("index.html", "one to show")])).await;
    fleet.deliver(&two.push("main", [("index.html", "two again")])).await;
    fleet.start_second(Service::Scheduler);
    // The rest is older still, and works on what it knows.
    fleet.host("two").serves("/", "two again").await;
    for service in [
        Service::Edge,
        Service::Launcher,
        Service::Projector,
        Service::Web,
        Service::Syncer,
        Service::Notifier,
        Service::Scheduler,
    ] {
        fleet.stop(Part::Service(service), Signal::TERM).await;
        fleet.start(Part::Service(service)).await;
    }
    fleet.deliver(&one.push("main", [("index.html", "one at last")])).await;
    fleet.host("demo--uno").serves("/", "one to show").await;
    fleet.host("uno").serves("/", "one at last").await;

    let all_ended = || ends(&fleet.facts()).into_values().all(|ends| ends == 1);
    eventually("every build to have ended", || std::future::ready(all_ended().then_some(()))).await;
    let facts = fleet.facts();
    assert!(facts.iter().any(|fact| fact.subject == build && fact.name() == "build.queued"), "{facts:?}");
    for unknown in UNKNOWN {
        assert!(facts.iter().any(|fact| fact.name() == unknown), "{unknown} was stated");
    }
    assert!(fleet.operator(&["parked", "list"]).contains("nothing is parked"));
    nothing_is_different_from_what_the_new_alone_makes(fleet).await;
}

async fn run_the_older_version(fleet: &mut Fleet) -> [Repository; 2] {
    for server in Fleet::servers() {
        fleet.start(server).await;
    }
    fleet.provision().await;
    for service in Service::ALL {
        fleet.start_older(service);
    }
    let names = ["one", "two"];
    let repositories = names.map(|name| fleet.repository(name));
    for (name, repository) in names.into_iter().zip(&repositories) {
        let body = json!({ "name": name, "organization": name, "repository": repository.url() });
        send(fleet, Method::POST, "/sites", &body, 201).await;
        fleet.deliver(&repository.push("main", [("index.html", name)])).await;
    }
    for name in names {
        fleet.host(name).serves("/", name).await;
    }
    repositories
}

/// Asks until a web that has just been started answers.
async fn send(fleet: &Fleet, method: Method, path: &str, body: &Value, status: u16) -> Answer {
    let ask = async || Answer::to(fleet.api().request(method.clone(), path).json(body)).await.ok();
    let answered = async || ask().await.filter(|answer| answer.status == status);
    eventually(&format!("{method} {path} to be answered"), answered).await
}

/// A newer web beside the older one changes a site and asks for a build of the other; answers that build.
async fn state_what_it_does_not_know(fleet: &mut Fleet) -> String {
    fleet.start_second(Service::Web);
    let newer = fleet.second_api();
    let there = async || newer.try_get("/sites").await.ok().filter(|answer| answer.status == 200);
    eventually("the newer web", there).await;
    let change = json!({ "name": "uno", "demo_branch": "next" });
    let _ = newer.send(Method::PATCH, "/sites/one", &change).await.expect(200);
    let asked = newer.send(Method::POST, "/sites/two/builds", &json!({ "branch": "main" })).await;
    // The older projector does not show it.
    let location = asked.expect(201).header("location").to_owned();
    location.rsplit_once('/').unwrap().1.to_owned()
}

async fn it_waits_and_says_so(fleet: &Fleet, build: &str) {
    let refused = fleet.api().send(Method::PATCH, "/sites/one", &json!({ "demo_branch": "other" })).await;
    assert_eq!(refused.expect(503).code(), "newer_facts");
    let refused = fleet.api().cancel(build).await;
    assert_eq!(refused.expect(503).code(), "newer_facts");
    for (service, text) in [
        ("scheduler", STANDS_BY),
        ("edge", PASSED),
        ("projector", PASSED),
        ("syncer", GIVEN_BACK),
        ("launcher", GIVEN_BACK),
    ] {
        fleet.says(&format!("older-{service}"), text).await;
    }
    for unknown in UNKNOWN {
        let shown = fleet.older_operator(&["site", "show", "one"]);
        assert!(shown.contains(&format!("{unknown}.v1`, of a newer version: fact ")), "{shown}");
    }
    // What it knew it still serves.
    fleet.host("one").serves("/", "one").await;
}

async fn nothing_is_different_from_what_the_new_alone_makes(mut fleet: Fleet) {
    let last = fleet.facts().last().unwrap().sequence();
    let store = fleet.read_model().await;
    let reached = async || (store.live().position().await.ok()? >= last).then_some(());
    eventually("the read model to be level", reached).await;
    let mixed = store.live().digest().await.unwrap();
    let _ = fleet.operator(&["projections", "rebuild"]);
    assert_eq!(store.live().digest().await.unwrap(), mixed, "the read model");

    let pages = pages(&fleet).await;
    let table = table(&mut fleet).await;
    std::fs::remove_file(routes(&fleet)).unwrap();
    fleet.start(Part::Service(Service::Edge)).await;
    eventually("the edge to show the same pages", || async { (self::pages(&fleet).await == pages).then_some(()) })
        .await;
    assert_eq!(self::table(&mut fleet).await, table, "the edge's table");

    fleet.stop_second(Service::Scheduler).await;
    fleet.stop(Part::Service(Service::Scheduler), Signal::TERM).await;
    let kept = Objects::new(fleet.log().await, "scheduler");
    let queue = state(kept.get().await.unwrap().unwrap());
    kept.put(b"{}").await.unwrap();
    fleet.start(Part::Service(Service::Scheduler)).await;
    let anew = async || kept.get().await.ok().flatten().filter(|kept| kept != b"{}");
    assert_eq!(state(eventually("a queue that was made anew", anew).await), queue, "the scheduler's queue");
}

fn routes(fleet: &Fleet) -> PathBuf {
    fleet.folder().join("edge/routes.jsonl")
}

/// What each host answers, and where it leads to.
async fn pages(fleet: &Fleet) -> Vec<Option<(u16, String, String)>> {
    let hosts = ["one", "uno", "demo--uno", "two"].map(|label| fleet.host(label));
    futures::future::join_all(hosts.map(async |host| {
        let answer = Answer::to(host.request("GET", "/")).await.ok()?;
        Some((answer.status, answer.header("location").to_owned(), answer.text()))
    }))
    .await
}

/// The edge's table as it keeps it at its end, but for how far what comes next is loaded.
async fn table(fleet: &mut Fleet) -> Value {
    fleet.stop(Part::Service(Service::Edge), Signal::TERM).await;
    let mut table = json!({});
    for line in std::fs::read_to_string(routes(fleet)).unwrap().lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        for (kind, changes) in line["changes"].as_object_mut().unwrap() {
            let table = table.as_object_mut().unwrap();
            let entries = table.entry(kind).or_insert_with(|| json!({})).as_object_mut().unwrap();
            entries.append(changes.as_object_mut().unwrap());
            entries.retain(|_, entry| !entry.is_null());
        }
        (table["position"], table["unknown"]) = (line["position"].take(), line["unknown"].take());
    }
    for site in table["sites"].as_object_mut().unwrap().values_mut() {
        for slot in site["slots"].as_object_mut().unwrap().values_mut() {
            if slot["next"].is_null() {
                slot["next"] = slot["shown"].take();
            }
            slot["shown"] = Value::Null;
        }
    }
    table
}

/// What a snapshot holds: the state, and where it stands.
fn state(snapshot: Vec<u8>) -> Value {
    serde_json::from_slice(&snapshot).unwrap()
}
