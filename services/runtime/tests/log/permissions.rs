//! Who may do what: the server holds each service to its own.

use crate::world::{World, site, within};
use futures::StreamExt;
use serde_json::json;
use servers::nats::USERS;
use std::time::Duration;

/// Whether the server lets `user` publish to `subject`.
async fn may_publish(world: &World, user: &str, subject: &str) -> bool {
    let (raw, mut refused) = world.raw(user).await;
    raw.publish(subject.to_owned(), "{}".into()).await.unwrap();
    raw.flush().await.unwrap();
    // The server answers in order: a refusal comes before the answer to the subscription that is refused for sure.
    let _unheard = raw.subscribe("refused.for.sure").await.unwrap();
    let first = within(refused.recv()).await.unwrap();
    !first.to_ascii_lowercase().contains("publish")
}

#[tokio::test]
async fn a_service_states_its_own_facts_and_no_others() {
    let world = World::start().await;
    for (user, subject, allowed) in [
        ("web", "events.site.docs", true),
        // It says which deploys are kept no longer.
        ("web", "events.deploy.x", true),
        ("scheduler", "events.build.x", true),
        // It takes the preview of a deleted branch down.
        ("scheduler", "events.alias.docs/x", true),
        // It says when the time of a deleted site is over.
        ("scheduler", "events.site.docs", true),
        // It announces when the sites of a sandbox are deleted, and deletes them with their hosts.
        ("scheduler", "events.organization.x", true),
        ("scheduler", "events.host.docs", true),
        ("scheduler", "events.user.x", false),
        // Who holds a lease is asked of the leader, never of a replica.
        ("scheduler", "$JS.API.DIRECT.GET.KV_LEASES.$KV.LEASES.scheduler", false),
        ("launcher", "events.build.x", true),
        ("launcher", "events.alias.x", false),
        ("launcher", "events.deploy.x", false),
        ("launcher", "parked.syncer.1", false),
        ("launcher", "parked.launcher.retry.1", false),
        ("launcher", "$JS.ACK.EVENTS.launcher.1.1.1.1.0", true),
        ("launcher", "$JS.ACK.EVENTS.syncer.1.1.1.1.0", false),
        ("edge", "$JS.ACK.EVENTS.launcher.1.1.1.1.0", false),
        ("syncer", "events.alias.x", true),
        ("syncer", "events.build.x", false),
        ("syncer", "logs.build.x", false),
        ("notifier", "events.notice.x", true),
        ("notifier", "events.receiver.docs", false),
        ("notifier", "events.build.x", false),
        ("notifier", "$KV.LEASES.notifier", true),
        ("notifier", "$KV.LEASES.scheduler", false),
        ("notifier", "$KV.KEYS.x", false),
        ("notifier", "$O.SNAPSHOTS.M.bm90aWZpZXI=", true),
        ("notifier", "$O.SNAPSHOTS.M.c2NoZWR1bGVy", false),
        ("registrar", "events.domain.x", true),
        ("registrar", "events.site.docs", false),
        ("registrar", "$KV.LEASES.registrar", true),
        ("registrar", "$KV.LEASES.notifier", false),
        ("registrar", "$KV.KEYS.x", false),
        ("registrar", "$O.SNAPSHOTS.M.cmVnaXN0cmFy", true),
        ("registrar", "$O.SNAPSHOTS.M.bm90aWZpZXI=", false),
        ("edge", "events.domain.x", false),
        ("syncer", "$KV.KEYS.builds.x", true),
        ("syncer", "$KV.KEYS.x", false),
        ("syncer", "$JS.API.STREAM.MSG.GET.KV_KEYS", false),
        ("launcher", "$KV.KEYS.builds.x", false),
        ("launcher", "$JS.API.STREAM.MSG.GET.KV_KEYS", true),
        ("projector", "events.site.docs", false),
        ("projector", "$KV.REQUESTS.x", false),
        ("launcher", "$KV.REQUESTS.x", false),
        ("edge", "events.site.docs", false),
        ("edge", "live.events.site.docs", false),
        ("edge", "presence.edge", true),
        ("edge", "presence.launcher", false),
        ("ctl", "events.site.docs", false),
        ("ctl", "parked.syncer.retry.1", true),
    ] {
        assert_eq!(may_publish(&world, user, subject).await, allowed, "{user} {subject}");
    }
}

#[tokio::test]
async fn nobody_but_the_operator_touches_a_stream() {
    let world = World::start().await;
    for user in USERS.iter().filter(|user| user.name != "ctl") {
        for stream in ["EVENTS", "LOGS", "PARKED"] {
            for action in ["CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE", "RESTORE", "SNAPSHOT"] {
                let subject = format!("$JS.API.STREAM.{action}.{stream}");
                // An admin may drop what is parked, on a page.
                let dropped = user.name == "web" && subject == "$JS.API.STREAM.MSG.DELETE.PARKED";
                assert_eq!(may_publish(&world, user.name, &subject).await, dropped, "{} {subject}", user.name);
            }
        }
        assert!(!may_publish(&world, user.name, "$JS.API.SERVER.REMOVE").await);
    }
}

#[tokio::test]
async fn nobody_takes_the_work_of_another() {
    let world = World::start().await;
    for user in USERS.iter().filter(|user| user.name != "ctl") {
        for owner in ["launcher", "syncer"] {
            for (subject, own) in [
                (format!("$JS.API.CONSUMER.MSG.NEXT.EVENTS.{owner}"), true),
                (format!("$JS.API.CONSUMER.MSG.NEXT.PARKED.{owner}"), true),
                (format!("$JS.API.CONSUMER.CREATE.EVENTS.{owner}"), true),
                (format!("$JS.API.CONSUMER.CREATE.PARKED.{owner}"), true),
                (format!("$JS.API.CONSUMER.CREATE.EVENTS.{owner}.events.>"), false),
                (format!("$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.{owner}"), false),
                (format!("$JS.API.CONSUMER.DELETE.EVENTS.{owner}"), false),
            ] {
                let allowed = may_publish(&world, user.name, &subject).await;
                assert_eq!(allowed, own && user.name == owner, "{} {subject}", user.name);
            }
        }
    }
}

#[tokio::test]
async fn only_who_follows_makes_a_consumer_and_says_its_name() {
    let world = World::start().await;
    for user in USERS.iter().filter(|user| user.name != "ctl") {
        let facts = ["web", "scheduler", "notifier", "registrar", "projector", "edge"].contains(&user.name);
        for (subject, allowed) in [
            ("$JS.API.CONSUMER.CREATE.EVENTS.some-name.events.>", facts),
            ("$JS.API.CONSUMER.CREATE.LOGS.some-name.logs.build.x", user.name == "web"),
            ("$JS.API.CONSUMER.CREATE.PARKED.some-name.parked.>", false),
            ("$JS.API.CONSUMER.CREATE.KV_SESSIONS.some-name.$KV.SESSIONS.>", false),
            // Without a name, or with less than it hears.
            ("$JS.API.CONSUMER.CREATE.EVENTS", false),
            ("$JS.API.CONSUMER.CREATE.EVENTS.some-name", false),
            ("$JS.API.CONSUMER.CREATE.LOGS", false),
            ("$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.some-name", false),
            ("$JS.API.CONSUMER.NAMES.EVENTS", false),
            // How far each of them is, for the page of the platform.
            ("$JS.API.CONSUMER.LIST.EVENTS", user.name == "web"),
        ] {
            assert_eq!(may_publish(&world, user.name, subject).await, allowed, "{} {subject}", user.name);
        }
    }
}

/// The request's subject is what permissions see, and its body is what the server makes.
#[tokio::test]
async fn a_request_cannot_name_one_consumer_and_make_another() {
    let world = World::start().await;
    let durable =
        |heard: &str| json!({ "durable_name": "launcher", "ack_policy": "explicit", "filter_subject": heard });
    let request = |config: serde_json::Value| json!({ "stream_name": "EVENTS", "config": config }).to_string();
    let ask = async |user: &str, subject: &str, body: String| {
        let (raw, _) = world.raw(user).await;
        let answer = raw.request(subject.to_owned(), body.into()).await.unwrap();
        serde_json::from_slice::<serde_json::Value>(&answer.payload).unwrap()
    };
    let made = ask("launcher", "$JS.API.CONSUMER.CREATE.EVENTS.launcher", request(durable("events.build.*"))).await;
    assert_eq!(made["config"]["filter_subject"], "events.build.*", "{made}");
    let called = |name: &str| json!({ "name": name, "ack_policy": "explicit", "filter_subject": "events.>" });
    let mut both = durable("events.>");
    both["name"] = "edge-1".into();
    for config in [durable("events.>"), both, called("launcher")] {
        let answer = ask("edge", "$JS.API.CONSUMER.CREATE.EVENTS.edge-1.events.>", request(config)).await;
        // The server goes by the name in the subject, or makes nothing.
        assert!(answer["name"] == "edge-1" || answer["error"]["code"].is_number(), "{answer}");
        let there = ask("launcher", "$JS.API.CONSUMER.INFO.EVENTS.launcher", String::new()).await;
        assert_eq!(there["config"], made["config"]);
    }
}

#[tokio::test]
async fn not_even_the_operator_removes_a_fact() {
    let world = World::start().await;
    site(&world.log("web").await, "docs").await;
    let (raw, _) = world.raw("ctl").await;
    let stream = async_nats::jetstream::new(raw).get_stream("EVENTS").await.unwrap();
    stream.delete_message(1).await.unwrap_err();
    stream.purge().await.unwrap_err();
    assert_eq!(world.log("web").await.last_sequence().await.unwrap(), 1);
}

#[tokio::test]
async fn a_service_hears_only_its_own_inbox() {
    let world = World::start().await;
    for user in USERS {
        for subject in [">", "_INBOX.>", "_INBOX_somebody.>", "events.>", "live.events.>", "$JS.>", "$KV.>", "parked.>"]
        {
            let (raw, mut refused) = world.raw(user.name).await;
            let mut heard = raw.subscribe(subject).await.unwrap();
            let error = within(refused.recv()).await.unwrap();
            assert!(error.to_ascii_lowercase().contains("permissions violation for subscription"), "{error}");
            assert!(tokio::time::timeout(Duration::ZERO, heard.next()).await.is_err());
        }
    }
}
