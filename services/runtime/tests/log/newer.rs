//! One fact that a newer version has stated, read by itself.

use crate::world::{World, site, within};
use runtime::Error;

#[tokio::test]
async fn one_fact_of_a_newer_version_is_told_from_a_damaged_one() {
    let world = World::start().await;
    let log = world.log("web").await;
    site(&log, "docs").await;
    let (raw, _) = world.raw("web").await;
    let stored = async_nats::jetstream::new(raw.clone()).get_stream("EVENTS").await.unwrap();
    let headers = stored.direct_get(1).await.unwrap().headers;
    let mut last = log.last_sequence().await.unwrap();
    let mut stated = Vec::new();
    for (type_name, payload, id) in
        [("dev.pagefold.site.painted.v1", "{}", "painted"), ("dev.pagefold.site.created.v1", "{", "damaged")]
    {
        let mut headers = headers.clone();
        headers.insert("ce-type", type_name);
        headers.insert("Nats-Msg-Id", id);
        within(raw.request_with_headers(format!("events.site.{id}"), headers, payload.into())).await.unwrap();
        last += 1;
        stated.push(log.fact(last).await);
    }
    let [newer, damaged] = stated.try_into().unwrap();
    assert!(
        matches!(&newer, Err(Error::Newer { sequence, type_name })
            if *sequence == last - 1 && type_name == "dev.pagefold.site.painted.v1"),
        "{newer:?}"
    );
    assert!(matches!(&damaged, Err(Error::Unreadable { sequence, .. }) if *sequence == last), "{damaged:?}");
}
