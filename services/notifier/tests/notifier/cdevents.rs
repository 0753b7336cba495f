//! CDEvents, held against the schemas of their specification.

use crate::receiver::{Receiver, Sent};
use crate::world::{COMMIT, World};
use events::receiver::{Command, Kind, Occasion};
use serde_json::{Value, json};

const TOKEN: &str = "a-token-of-the-collector";
/// The schemas of CDEvents 0.5.1 for what is sent, as its specification has them (Apache-2.0).
const SCHEMAS: [(&str, &str); 8] = [
    ("dev.cdevents.pipelinerun.queued.0.3.0", include_str!("cdevents/pipelinerunqueued.json")),
    ("dev.cdevents.pipelinerun.started.0.3.0", include_str!("cdevents/pipelinerunstarted.json")),
    ("dev.cdevents.pipelinerun.finished.0.3.0", include_str!("cdevents/pipelinerunfinished.json")),
    ("dev.cdevents.service.deployed.0.3.0", include_str!("cdevents/servicedeployed.json")),
    ("dev.cdevents.service.upgraded.0.3.0", include_str!("cdevents/serviceupgraded.json")),
    ("dev.cdevents.service.rolledback.0.3.0", include_str!("cdevents/servicerolledback.json")),
    ("dev.cdevents.service.removed.0.3.0", include_str!("cdevents/serviceremoved.json")),
    ("dev.cdevents.environment.modified.0.3.0", include_str!("cdevents/environmentmodified.json")),
];

/// The event, if it is one of `type_name` in every respect.
fn event(sent: &Sent, type_name: &str) -> Value {
    assert_eq!((sent.header("ce-type"), sent.header("ce-specversion")), (type_name, "1.0"));
    assert_eq!(sent.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(sent.header("content-type"), "application/json");
    let event = sent.json();
    let (_, text) = SCHEMAS.iter().find(|(name, _)| *name == type_name).unwrap_or_else(|| panic!("{type_name}"));
    let mut schema: Value = serde_json::from_str(text).unwrap();
    // None are sent, and their schema is in other files.
    schema["properties"]["context"]["properties"]["links"] = Value::Bool(false);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&event).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{type_name}: {wrong:?} in {event}");
    assert!(event["context"]["specversion"].as_str().unwrap().starts_with("0.5."), "{event}");
    assert_eq!(event["context"]["id"], sent.header("ce-id"));
    assert_eq!(event["context"]["source"], sent.header("ce-source"));
    assert_eq!(event["subject"]["id"], sent.header("ce-subject"));
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_happens_to_a_site_is_an_event_as_its_schema_says() {
    let (world, mut receiver) = (World::start().await, Receiver::start().await);
    world.receiver_with(Kind::Cdevents, &receiver.url(), Some(TOKEN), &Occasion::WANTED).await;
    let _running = world.notify().await;
    let mut told = Vec::new();
    let first = world.queued(1).await;
    world.published(first, 1).await;
    let second = world.queued(2).await;
    world.published(second, 2).await;
    world.rolled_back(first, 1).await;
    world.taken_down().await;
    let third = world.queued(3).await;
    world.failed(third).await;
    world.lock().await;
    for name in [
        "pipelinerun.queued",
        "service.deployed",
        "pipelinerun.queued",
        "service.upgraded",
        "service.rolledback",
        "service.removed",
        "pipelinerun.queued",
        "pipelinerun.started",
        "pipelinerun.finished",
        "environment.modified",
    ] {
        told.push(event(&receiver.next().await, &format!("dev.cdevents.{name}.0.3.0")));
    }
    let site = world.site.to_string();
    let environment = json!({ "id": format!("{site}/preview/fix/it") });
    for back in [&told[1], &told[3], &told[4]] {
        assert_eq!((&back["subject"]["id"], &back["subject"]["content"]["environment"]), (&json!(site), &environment));
        assert_eq!(back["subject"]["content"]["artifactId"], format!("pkg:generic/docs@{COMMIT}"));
    }
    let finished = &told[8]["subject"];
    assert_eq!(finished["id"], third.to_string());
    assert_eq!(finished["content"]["outcome"], "failure");
    assert_eq!(finished["content"]["errors"], "the script `pages` exited with 1");
    assert_eq!(finished["content"]["uri"], format!("https://pagefold.test/builds/{third}"));
    assert_eq!(told[9]["subject"]["id"], format!("{site}/live"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_an_event_of_ours_and_needs_no_token() {
    let (world, mut receiver) = (World::start().await, Receiver::start().await);
    let id = world.receiver_of(Kind::Cdevents, &receiver.url(), &[Occasion::Locked]).await;
    let _running = world.notify().await;
    world.ask(Command::Test(id)).await;
    let sent = receiver.next().await;
    assert_eq!(sent.header("ce-type"), "dev.cdeventsx.pagefold-receiver.tested.0.1.0");
    assert!(sent.headers.get("authorization").is_none());
    let event = sent.json();
    assert_eq!(event["context"]["type"], "dev.cdeventsx.pagefold-receiver.tested.0.1.0");
    assert!(event["context"]["specversion"].as_str().unwrap().starts_with("0.5."), "{event}");
}
