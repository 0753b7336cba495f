//! Deliveries of GitHub: what is recorded, what is refused, and when GitHub shall deliver again.

use crate::platform::{COMMIT, Platform, WEBHOOK_SECRET, json};
use events::{Repository, ids};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

const NONE: &str = "0000000000000000000000000000000000000000";

fn push() -> String {
    json!({
        "ref": "refs/heads/main", "before": NONE, "after": COMMIT, "deleted": false,
        "head_commit": { "message": "Fix the title" },
        "repository": { "clone_url": "https://github.com/acme/docs.git" },
    })
    .to_string()
}

pub(crate) fn signature(body: &str) -> String {
    signature_with(WEBHOOK_SECRET, body)
}

pub(crate) fn signature_with(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Sends what an event and a delivery are called, with a body and its signature.
pub(crate) async fn deliver(
    platform: &Platform,
    address: &str,
    [event, delivery]: [&str; 2],
    signed: (&str, &str),
) -> (StatusCode, Value) {
    let request = platform.client.post(platform.url(address)).header("x-hub-signature-256", signed.1);
    let request = request.header("x-github-event", event).header("x-github-delivery", delivery);
    answer(request.body(signed.0.to_owned())).await
}

fn signed(platform: &Platform, event: &str, delivery: &str, body: &str) -> RequestBuilder {
    let request = platform.client.post(platform.url("/webhooks/github"));
    let request = request.header("x-hub-signature-256", signature(body));
    request.header("x-github-event", event).header("x-github-delivery", delivery).body(body.to_owned())
}

async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    json(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_push_is_durable_before_it_is_accepted_and_a_redelivery_is_harmless() {
    let platform = Platform::start().await;
    let delivery = ("d-1", push());
    let (status, accepted) = answer(signed(&platform, "push", delivery.0, &delivery.1)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(accepted["event"], ids::of_delivery("github", "d-1").to_string());
    let fact = platform.log.fact(1).await.unwrap().unwrap();
    assert_eq!(
        (fact.event.name().as_str(), fact.envelope.actor.0.as_str()),
        ("repository.push_received.v1", "webhook:github")
    );
    assert_eq!(fact.envelope.subject, "github.com/acme/docs");

    let (status, again) = answer(signed(&platform, "push", delivery.0, &delivery.1)).await;
    assert_eq!((status, &again["event"]), (StatusCode::ACCEPTED, &Value::Null));
    assert_eq!(platform.log.last_sequence().await.unwrap(), 1);

    let (status, pong) = answer(signed(&platform, "ping", "d-2", "{}")).await;
    assert_eq!((status, &pong["pong"]), (StatusCode::OK, &json!(true)));
    let (status, passed_over) = answer(signed(&platform, "star", "d-3", "{}")).await;
    assert_eq!((status, &passed_over["event"]), (StatusCode::ACCEPTED, &Value::Null));
    assert_eq!(platform.log.last_sequence().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_is_recorded_with_the_tip_that_went() {
    let platform = Platform::start().await;
    let deletion = json!({
        "ref": "refs/heads/fix", "before": COMMIT, "after": NONE, "deleted": true, "head_commit": null,
        "repository": { "clone_url": "https://github.com/acme/docs.git" },
    });
    let (status, _) = answer(signed(&platform, "push", "d-1", &deletion.to_string())).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let fact = platform.log.fact(1).await.unwrap().unwrap();
    assert_eq!(fact.event.name(), "repository.branch_deleted.v1");
    assert_eq!(fact.event.data()["before"], COMMIT);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_delivery_is_refused_and_states_nothing() {
    let platform = Platform::start().await;
    let body = push();
    let post = || platform.client.post(platform.url("/webhooks/github"));
    let code = |answer: (StatusCode, Value)| (answer.0.as_u16(), answer.1["code"].as_str().unwrap().to_owned());
    let refused = |status: u16, code: &str| (status, code.to_owned());

    let tampered = signed(&platform, "push", "d-1", &body).body(body.replace("title", "titel"));
    assert_eq!(code(answer(tampered).await), refused(401, "bad_signature"));
    assert_eq!(code(answer(post().body(body.clone())).await), refused(401, "bad_signature"));
    assert_eq!(code(answer(signed(&platform, "push", "", &body)).await), refused(400, "bad_header"));
    assert_eq!(code(answer(signed(&platform, "push", &"d".repeat(101), &body)).await), refused(400, "bad_header"));
    assert_eq!(code(answer(signed(&platform, "push", "d-1", "{")).await), refused(400, "malformed_payload"));
    let branch = body.replace("heads/main", "heads/a..b");
    assert_eq!(code(answer(signed(&platform, "push", "d-1", &branch)).await), refused(422, "invalid_input"));
    let large = " ".repeat((2 << 20) + 1);
    assert_eq!(code(answer(signed(&platform, "push", "d-1", &large)).await), refused(413, "body_too_large"));
    let full = " ".repeat((2 << 20) - body.len()) + &body;
    let delivered = json(platform.client.get(platform.url("/webhooks/github")).send().await.unwrap()).await;
    assert_eq!(code(delivered), refused(405, "method_not_allowed"));
    assert_eq!(platform.log.last_sequence().await.unwrap(), 0);
    assert_eq!(answer(signed(&platform, "push", "d-1", &full)).await.0, StatusCode::ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn github_is_asked_to_deliver_again_while_the_log_is_down() {
    let mut platform = Platform::start().await;
    let (status, _) = answer(signed(&platform, "push", "d-1", &push())).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(platform.log.load::<Repository>("github.com/acme/docs").await.unwrap().sequence, 1);
    platform.stop_log().await;
    let response = signed(&platform, "push", "d-2", &push()).send().await.unwrap();
    assert!(response.headers().contains_key("retry-after"));
    let (status, problem) = json(response).await;
    assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("log_unavailable")));
    let health = platform.is_healthy(false).await;
    assert_eq!(health["parts"]["log"]["status"], "failing");
}

fn signed_with(platform: &Platform, address: &str, secret: &str, delivery: &str) -> RequestBuilder {
    let signature = signature_with(secret, &push());
    let request = platform.client.post(platform.url(address)).header("x-hub-signature-256", signature);
    request.header("x-github-event", "push").header("x-github-delivery", delivery).body(push())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_signs_for_itself_alone_and_two_of_its_secrets_are_good_at_a_time() {
    let platform = Platform::start().await;
    let body = |name: &str| json!({ "name": name, "repository": "https://github.com/acme/docs" });
    let (_, docs) = platform.send(reqwest::Method::POST, "/sites", body("docs")).await;
    let (_, other) = platform.send(reqwest::Method::POST, "/sites", body("other")).await;
    let rotate = async || {
        let (status, made) = platform.send(reqwest::Method::POST, "/sites/docs/webhook-secret", json!({})).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let own = format!("https://pagefold.test/webhooks/github/{}", docs["id"].as_str().unwrap());
        assert_eq!(made["url"], own);
        made["secret"].as_str().unwrap().to_owned()
    };
    let first = rotate().await;
    let own = format!("/webhooks/github/{}", docs["id"].as_str().unwrap());
    for (address, delivery) in [("/webhooks/github", "s-1"), (&*own, "s-2")] {
        let (status, accepted) = answer(signed_with(&platform, address, &first, delivery)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
        let fact = platform.log.fact(platform.log.last_sequence().await.unwrap()).await.unwrap().unwrap();
        let events::Event::Repository(events::RepositoryEvent::PushReceived { site, .. }) = fact.event else {
            panic!("not a push")
        };
        assert_eq!(site.unwrap().to_string(), docs["id"].as_str().unwrap(), "it is for this site alone");
    }
    let second = rotate().await;
    assert_eq!(answer(signed_with(&platform, &own, &first, "s-3")).await.0, StatusCode::ACCEPTED);
    assert_eq!(answer(signed_with(&platform, &own, &second, "s-4")).await.0, StatusCode::ACCEPTED);
    let third = rotate().await;
    let stated = platform.log.last_sequence().await.unwrap();
    let others = format!("/webhooks/github/{}", other["id"].as_str().unwrap());
    for (address, secret) in [
        (&*own, &*first),
        ("/webhooks/github", &*first),
        (&others, &*third),
        (&own, WEBHOOK_SECRET),
        ("/webhooks/github/nobody", &*third),
    ] {
        assert_eq!(
            answer(signed_with(&platform, address, secret, "s-5")).await.0,
            StatusCode::UNAUTHORIZED,
            "{address}"
        );
    }
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
    let shown = platform.get("/sites/docs/deliveries").await.1;
    assert_eq!(shown["items"].as_array().unwrap().len(), 4);
    assert_eq!(platform.get("/sites/other/deliveries").await.1["items"], json!([]));
}
