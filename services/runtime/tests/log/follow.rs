//! A fold's reader: everything once, in order, whatever happens to the server.

use crate::world::{World, site, within};
use async_nats::HeaderMap;
use events::DecodeError;
use futures::StreamExt;
use runtime::{codec, streams};

#[tokio::test]
async fn a_reader_sees_everything_once_and_in_order_across_crashes() {
    let mut world = World::start().await;
    let (web, reader) = (world.log("web").await, world.log("edge").await);
    let mut entries = reader.follow(0);
    let mut next = 1;
    for round in 0..3 {
        for index in 0..5 {
            site(&web, &format!("site-{round}-{index}")).await;
            // Some are read before the crash, some after it.
            if index < 3 {
                let entry = within(entries.next()).await.unwrap();
                assert_eq!((entry.sequence, entry.fact.unwrap().sequence), (next, next));
                next += 1;
            }
        }
        world.kill().await;
        world.revive().await;
        for _ in 0..2 {
            assert_eq!(within(entries.next()).await.unwrap().sequence, next);
            next += 1;
        }
    }
    let mut later = reader.follow(11);
    let entry = within(later.next()).await.unwrap();
    assert_eq!((entry.sequence, entry.pending), (12, 3));
}

#[tokio::test]
async fn a_reader_may_come_before_the_log() {
    let world = World::unprovisioned().await;
    let mut entries = world.log("edge").await.follow(0);
    let first = tokio::spawn(async move { entries.next().await });
    streams::provision(&world.connection("ctl").await, 1).await.unwrap();
    site(&world.log("web").await, "docs").await;
    assert_eq!(within(first).await.unwrap().unwrap().sequence, 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_entry_and_not_a_gap() {
    let world = World::start().await;
    let (web, (raw, _)) = (world.log("web").await, world.raw("web").await);
    let good = site(&web, "docs").await;
    let publish = async |name: &str, payload: &'static str, attributes: &[(&'static str, &str)]| {
        let mut headers = HeaderMap::new();
        for (key, value) in attributes {
            headers.insert(*key, *value);
        }
        raw.request_with_headers(format!("events.site.{name}"), headers, payload.into()).await.unwrap();
    };
    let id = good.envelope.id.to_string();
    let complete = |kind| {
        [("ce-type", kind), ("ce-id", id.as_str()), ("ce-source", "/x"), ("ce-subject", "docs"), ("ce-actor", "x")]
            .into_iter()
            .chain([("ce-time", "2026-01-01T00:00:00Z"), ("ce-correlationid", id.as_str())])
            .collect::<Vec<_>>()
    };
    publish("a", "no envelope at all", &[]).await;
    publish("b", "{}", &complete("dev.pagefold.site.painted.v1")).await;
    publish("c", "{\"organization\":7}", &complete("dev.pagefold.site.created.v1")).await;
    site(&web, "after").await;
    let entries: Vec<_> = within(world.log("edge").await.follow(0).take(5).collect()).await;
    assert!(entries.iter().map(|entry| entry.sequence).eq(1..=5));
    let errors: Vec<_> = entries.into_iter().filter_map(|entry| entry.fact.err()).collect();
    assert!(matches!(errors[0], codec::Error::Missing(_)), "{errors:?}");
    assert!(errors[1].unknown_type().is_some(), "{errors:?}");
    assert!(matches!(errors[2], codec::Error::Payload(DecodeError::Malformed { .. })), "{errors:?}");
    assert_eq!(errors.len(), 3);
}
