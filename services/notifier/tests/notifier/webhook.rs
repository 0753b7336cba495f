//! A signed webhook: what it says, how it is signed, and who is never told.

use crate::receiver::Receiver;
use crate::world::{COMMIT, SECRET, World, cause};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use events::address::Allowed;
use events::receiver::{Command, Occasion};
use events::{Notice, NoticeId, notice};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

/// The signature that a receiver expects.
fn signature(id: &str, timestamp: &str, body: &[u8]) -> String {
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(&[id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_build_is_told_with_its_reason_and_signed() {
    let (world, mut receiver) = (World::start().await, Receiver::start().await);
    let before = world.queued(1).await;
    let id = world.receiver(&receiver.url(), &[Occasion::BuildQueued, Occasion::BuildFailed]).await;
    let running = world.notify().await;
    world.failed(before).await;

    let sent = receiver.next().await;
    assert_eq!(sent.path, "/hook");
    let signed = signature(sent.header("webhook-id"), sent.header("webhook-timestamp"), &sent.body);
    assert_eq!(sent.header("webhook-signature"), signed);
    let told = sent.json();
    assert_eq!(told["type"], "build_failed");
    let data = &told["data"];
    assert_eq!(data["text"], "build 1 failed: the script `pages` exited with 1");
    assert_eq!(data["site"], json!({ "id": world.site, "name": "docs", "organization": null }));
    let build = json!({
        "id": before, "number": 1, "branch": "fix/it", "commit": COMMIT, "summary": "Change number 1",
        "reason": "the script `pages` exited with 1",
    });
    assert_eq!(data["build"], build);
    assert_eq!(data["alias"], "preview/fix/it");
    assert_eq!(data["url"], format!("https://pagefold.test/builds/{before}"));
    assert!(data["address"].as_str().unwrap().ends_with("--docs.pages.test/"), "{data}");

    let [(arrived, noticed)] = &world.settled(id, 1).await[..] else { panic!("one notice") };
    assert!(arrived);
    assert_eq!((noticed.occasion, noticed.status, noticed.tries), (Occasion::BuildFailed, Some(204), 1));
    assert!(!receiver.has_more(), "what was there before the receiver is no news to it");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_refuses_is_not_tried_again_until_somebody_asks_and_is_told_the_same_then() {
    let (world, mut receiver) = (World::start().await, Receiver::start().await);
    let id = world.receiver(&receiver.url(), &[Occasion::BuildQueued]).await;
    let _running = world.notify().await;
    receiver.answers(403);
    world.queued(1).await;
    let first = receiver.next().await;
    let settled = world.settled(id, 1).await;
    let (arrived, noticed) = &settled[0];
    assert!(!arrived);
    assert_eq!((noticed.tries, noticed.status), (1, Some(403)));
    assert_eq!(noticed.reason, "the receiver answered 403 Forbidden");

    receiver.answers(200);
    let notice: NoticeId = first.header("webhook-id").parse().unwrap();
    world.web.execute::<Notice>(&notice.to_string(), &notice::Command::Redeliver, &cause()).await.unwrap();
    let second = receiver.next().await;
    assert_eq!(second.header("webhook-id"), first.header("webhook-id"));
    assert_eq!(second.body, first.body);
    let settled = world.settled(id, 2).await;
    assert!(settled[1].0 && settled[1].1.status == Some(200), "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_told_to_its_receiver_alone() {
    let (world, mut one, mut other) = (World::start().await, Receiver::start().await, Receiver::start().await);
    let (id, beside) = (
        world.receiver(&one.url(), &[Occasion::Locked]).await,
        world.receiver(&other.url(), &[Occasion::BuildQueued]).await,
    );
    let _running = world.notify().await;
    let tested = world.ask(Command::Test(id)).await;
    let sent = one.next().await;
    assert_eq!(sent.json()["type"], "test");
    assert_eq!(sent.header("webhook-id"), NoticeId::of(id, &tested).to_string());
    world.queued(1).await;
    assert_eq!(other.next().await.json()["type"], "build_queued");
    world.settled(beside, 1).await;
    assert!(!one.has_more() && !other.has_more());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_is_never_connected_to_unless_that_is_allowed() {
    let (world, mut receiver) = (World::start().await, Receiver::start().await);
    let port = receiver.address.port();
    for address in [receiver.url(), format!("http://localhost:{port}/hook"), format!("http://2130706433:{port}/")] {
        let id = world.receiver(&address, &[Occasion::BuildQueued]).await;
        let running = world.notify_with(Allowed::default()).await;
        world.queued(1).await;
        let settled = world.settled(id, 1).await;
        assert!(!settled[0].0, "{address}");
        assert!(settled[0].1.reason.contains("private"), "{address}: {settled:?}");
        running.stop().await;
    }
    assert!(!receiver.has_more());
}
