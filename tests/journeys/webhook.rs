//! What the webhook takes in, and what it refuses.

use journeys::{Delivery, Platform};
use serde_json::{Value, json};

/// The longest delivery that is read, in bytes.
const BODY_MAX: usize = 2 << 20;

#[tokio::test]
async fn a_delivery_counts_once_and_only_with_its_signature() {
    let platform = Platform::shared().await;
    let site = platform.site("hooked", json!({})).await;
    let good = site.repository.push("main", [("index.html", "once")]);

    let tampered = Delivery { body: good.body.replace("Work on main", "Play on main"), ..good.clone() };
    let signature = Some(format!("sha256={}", "0".repeat(64)));
    let forged = Delivery { signature, ..tampered.clone() };
    assert_eq!(platform.deliver(&forged).await.expect(401).code(), "bad_signature");
    let none = Delivery { signature: Some(String::new()), ..good.clone() };
    assert_eq!(platform.deliver(&none).await.expect(401).code(), "bad_signature");

    let first: Value = platform.deliver(&good).await.expect(202).json();
    assert!(first["event"].is_string());
    site.promoted(1).await;
    let again: Value = platform.deliver(&good).await.expect(202).json();
    assert_eq!(again["event"], Value::Null, "nothing new was stated");
    // What comes after the redelivery is build 2, so the redelivery was none.
    let second = site.push("main", [("index.html", "twice")]).await;
    let queued = site.until("build.queued", |fact| fact.data["commit"] == second.commit.as_str()).await;
    assert!(queued.is("build.queued", 2), "{queued}");
    let pushes = platform
        .facts()
        .into_iter()
        .filter(|fact| fact.name() == "repository.push_received" && fact.data["repository"] == site.repository.url());
    assert_eq!(pushes.count(), 2);
}

#[tokio::test]
async fn what_is_no_push_is_answered_and_forgotten() {
    let platform = Platform::start().await;
    let before = platform.facts().len();
    let pong: Value = platform.deliver(&Delivery::of("ping", "{}".to_owned())).await.expect(200).json();
    assert_eq!(pong, json!({ "pong": true }));
    let star: Value = platform.deliver(&Delivery::of("star", "{}".to_owned())).await.expect(202).json();
    assert_eq!(star, json!({ "event": null }));
    let tag = json!({
        "ref": "refs/tags/v1", "before": "0".repeat(40), "after": "1".repeat(40),
        "repository": { "clone_url": "https://git.example/acme/docs.git" },
    });
    let _ = platform.deliver(&Delivery::of("push", tag.to_string())).await.expect(202);
    let broken = platform.deliver(&Delivery::of("push", "{".to_owned())).await.expect(400);
    assert_eq!(broken.code(), "malformed_payload");

    let longest = platform.deliver(&Delivery::of("star", " ".repeat(BODY_MAX))).await;
    let _ = longest.expect(202);
    let too_long = platform.deliver(&Delivery::of("star", " ".repeat(BODY_MAX + 1))).await;
    assert_eq!(too_long.expect(413).code(), "body_too_large");
    assert_eq!(platform.facts().len(), before, "nothing was stated");
}
