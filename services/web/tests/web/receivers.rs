//! Receivers of notices: who may choose them, what is shown of them, and what became of their notices.

use crate::dashboard::Browser;
use crate::platform::{Platform, code, json};
use events::event::Noticed;
use events::receiver::Occasion;
use events::{Actor, Cause, Notice, NoticeId, Receivers, SiteId, notice};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const ADDRESS: &str = "https://hooks.test/team/a-part-that-lets-in";

async fn create(platform: &Platform, wants: Value) -> Value {
    let body = json!({ "kind": "webhook", "name": "Web team", "address": ADDRESS, "wants": wants });
    let (status, made) = platform.send(Method::POST, "/sites/docs/receivers", body).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made
}

/// What the notifier says of a notice.
async fn settle(platform: &Platform, site: SiteId, receiver: &str, notice: &str, arrived: bool) {
    let noticed = Noticed {
        site,
        receiver: receiver.parse().unwrap(),
        sequence: 1,
        occasion: Occasion::Test,
        tries: 2,
        status: Some(if arrived { 204 } else { 410 }),
        reason: if arrived { String::new() } else { "the receiver answered 410 Gone".to_owned() },
        duration_ms: 12,
    };
    let (log, cause) = (platform.service("notifier").await, Cause::new(Actor::service("notifier")));
    log.execute::<Notice>(notice, &notice::Command::Settle { noticed, arrived }, &cause).await.unwrap();
    platform.level().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_is_made_shown_without_what_lets_in_changed_as_it_was_seen_and_removed() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let made = create(&platform, json!(["build_failed", "promoted"])).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    assert_eq!((&made["kind"], &made["address"]), (&json!("webhook"), &json!("https://hooks.test/…")));
    let path = format!("/sites/docs/receivers/{}", made["id"].as_str().unwrap());
    let mut shown = made.clone();
    shown.as_object_mut().unwrap().remove("secret");
    assert_eq!(platform.get(&path).await, (StatusCode::OK, shown.clone()));
    let listed = json!({ "items": [shown], "next": null });
    assert_eq!(platform.get("/sites/docs/receivers").await, (StatusCode::OK, listed));
    let told = platform.get("/events?subject=receiver").await.1.to_string();
    let facts = platform.get("/events").await.1.to_string() + &told;
    assert!(!facts.contains("lets-in") && !facts.contains(secret) && facts.contains("receiver.created"), "{facts}");

    let tag = platform.api(Method::GET, &path).send().await.unwrap().headers()["etag"].to_str().unwrap().to_owned();
    let body = json!({ "name": "Everybody", "address": "https://chat.test/x", "wants": ["locked"] });
    let (status, changed, newer) = platform.patch(&path, Some(&tag), body.clone()).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    assert_eq!(
        (&changed["name"], &changed["address"], &changed["wants"]),
        (&json!("Everybody"), &json!("https://chat.test/…"), &json!(["locked"]))
    );
    let (status, stale, _) = platform.patch(&path, Some(&tag), body).await;
    assert_eq!(code(&(status, stale)), (412, "receiver_changed"));
    assert_ne!(newer, tag);
    for _ in 0..2 {
        let removed = platform.api(Method::DELETE, &path).send().await.unwrap();
        assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    }
    assert_eq!(code(&platform.get(&path).await), (404, "receiver_not_found"));
    assert_eq!(platform.get("/sites/docs/receivers").await.1["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_told_is_refused_and_leaves_nothing_behind() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let stated = platform.log.last_sequence().await.unwrap();
    let new = |field: &str, value: Value| {
        let mut body = json!({ "kind": "webhook", "name": "Team", "address": ADDRESS });
        body[field] = value;
        body
    };
    for (body, expected) in [
        (new("address", json!("http://127.0.0.1:9/")), (422, "receiver_not_allowed")),
        (new("address", json!("http://localhost/")), (422, "receiver_not_allowed")),
        (new("address", json!("http://169.254.169.254/latest")), (422, "receiver_not_allowed")),
        (new("address", json!("ftp://hooks.test/")), (422, "invalid_input")),
        (new("address", json!("https://ada:secret@hooks.test/")), (422, "invalid_input")),
        (new("wants", json!([])), (422, "invalid_input")),
        (new("wants", json!(["test"])), (422, "invalid_input")),
        (new("wants", json!(["everything"])), (422, "invalid_input")),
        (new("kind", json!("pigeon")), (422, "invalid_input")),
        (new("kind", json!("email")), (422, "invalid_input")),
        (new("name", json!("")), (422, "invalid_input")),
        (new("colour", json!("red")), (422, "invalid_input")),
    ] {
        let refused = platform.send(Method::POST, "/sites/docs/receivers", body.clone()).await;
        assert_eq!(code(&refused), expected, "{body}");
        assert!(!refused.1.to_string().contains("secret@"), "{refused:?}");
    }
    let missing = "/sites/docs/receivers/00000000-0000-4000-8000-000000000000";
    for path in [missing.to_owned(), format!("{missing}/deliveries"), "/sites/docs/receivers/x".to_owned()] {
        assert_eq!(code(&platform.get(&path).await), (404, "receiver_not_found"), "{path}");
    }
    let tested = platform.send(Method::POST, &format!("{missing}/test"), json!({})).await;
    assert_eq!(code(&tested), (404, "receiver_not_found"));
    assert_eq!(code(&platform.get("/sites/nope/receivers").await), (404, "site_not_found"));
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_is_shown_as_it_may_be_and_is_told_of_what_is_usual_for_it() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    for (kind, address, shown, usual) in [
        ("slack", "https://hooks.slack.com/services/T0/B0/lets-in", "https://hooks.slack.com/…", 2),
        ("email", "ada@mail.test", "ada@mail.test", 2),
        ("webhook", ADDRESS, "https://hooks.test/…", 9),
        ("github", "https://github.com/acme/docs", "https://github.com/acme/docs", 6),
        ("cdevents", "https://events.test/lets-in", "https://events.test/…", 9),
    ] {
        let body = json!({ "kind": kind, "name": "Team", "address": address });
        let (status, made) = platform.send(Method::POST, "/sites/docs/receivers", body).await;
        assert_eq!((status, &made["kind"], &made["address"]), (StatusCode::CREATED, &json!(kind), &json!(shown)));
        assert_eq!((made["wants"].as_array().unwrap().len(), made["secret"].is_null()), (usual, kind != "webhook"));
    }
    let facts = platform.get("/events").await.1.to_string();
    assert!(!facts.contains("lets-in") && !facts.contains("ada@mail.test"), "{facts}");
    let browser = Browser::sign_in(&platform).await;
    let page = browser.page("/sites/docs/notices").await;
    assert!(page.contains("https://hooks.slack.com/…") && !page.contains("lets-in"), "{page}");
    assert!(page.contains("By Slack, or a chat") && page.contains("no mail server"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_given_is_kept_sealed_and_changed_as_the_receiver_is() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let body = json!({ "kind": "cdevents", "name": "Events", "address": "https://events.test/in", "token": "lets-in" });
    let (status, made) = platform.send(Method::POST, "/sites/docs/receivers", body).await;
    assert_eq!((status, made["secret"].is_null()), (StatusCode::CREATED, true), "{made}");
    let path = format!("/sites/docs/receivers/{}", made["id"].as_str().unwrap());
    let sealed = async || {
        let receivers = platform.log.load::<Receivers>(&docs.to_string()).await.unwrap().state;
        receivers.known(made["id"].as_str().unwrap().parse().unwrap()).unwrap().reception.secret.clone()
    };
    let first = sealed().await.unwrap();
    assert_eq!(platform.patch(&path, None, json!({ "token": "another" })).await.0, StatusCode::OK);
    let second = sealed().await.unwrap();
    assert_ne!(second, first);
    assert_eq!(platform.patch(&path, None, json!({ "name": "Same" })).await.0, StatusCode::OK);
    assert_eq!(sealed().await, Some(second));
    let moved = json!({ "address": "https://evil.test/in" });
    let (status, refused, _) = platform.patch(&path, None, moved).await;
    assert_eq!(code(&(status, refused)), (422, "invalid_input"), "a token is sent to nobody whom it was not given for");
    let (status, refused, _) = platform.patch(&path, None, json!({ "token": "two words" })).await;
    assert_eq!(code(&(status, refused)), (422, "invalid_input"));
    assert_eq!(platform.patch(&path, None, json!({ "token": "" })).await.0, StatusCode::OK);
    assert_eq!(sealed().await, None);
    let facts = platform.get("/events").await.1.to_string();
    assert!(!facts.contains("lets-in") && !facts.contains("another\""), "{facts}");
    let hook = json!({ "kind": "webhook", "name": "Team", "address": ADDRESS, "token": "mine" });
    assert_eq!(code(&platform.send(Method::POST, "/sites/docs/receivers", hook).await), (422, "invalid_input"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_manages_a_site_chooses_who_is_told_and_another_site_s_receivers_are_not_there() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    platform.create_site("blog").await;
    let made = create(&platform, json!(["locked"])).await;
    let id = made["id"].as_str().unwrap();
    let elsewhere = format!("/sites/blog/receivers/{id}");
    assert_eq!(code(&platform.get(&elsewhere).await), (404, "receiver_not_found"));
    let refused = platform.send(Method::POST, &format!("{elsewhere}/test"), json!({})).await;
    assert_eq!(code(&refused), (404, "receiver_not_found"));

    let wanted = json!({ "name": "ci", "scopes": ["deploy"], "site": "docs" });
    let token = platform.send(Method::POST, "/tokens", wanted).await.1["token"].as_str().unwrap().to_owned();
    let by = async |method: Method, path: &str| {
        let request = platform.client.request(method, platform.url(&format!("/api/v1{path}"))).bearer_auth(&token);
        json(request.json(&json!({})).send().await.unwrap()).await
    };
    assert_eq!(by(Method::GET, "/sites/docs/receivers").await.0, StatusCode::OK);
    let test = format!("/sites/docs/receivers/{id}/test");
    assert_eq!(code(&by(Method::POST, &test).await), (403, "forbidden"));
    assert_eq!(code(&by(Method::DELETE, &format!("/sites/{docs}/receivers/{id}")).await), (403, "forbidden"));
    assert_eq!(code(&by(Method::GET, "/sites/blog/receivers").await), (404, "site_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_notice_is_listed_and_it_is_sent_again_by_hand() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let made = create(&platform, json!(["locked"])).await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/sites/docs/receivers/{id}");
    let (status, tested) = platform.send(Method::POST, &format!("{path}/test"), json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{tested}");
    let notice = tested["id"].as_str().unwrap();
    assert!(notice.parse::<NoticeId>().is_ok());
    let again = format!("{path}/deliveries/{notice}/redeliver");
    let early = platform.send(Method::POST, &again, json!({})).await;
    assert_eq!(code(&early), (404, "notice_not_found"), "it is still on its way");

    settle(&platform, docs, id, notice, false).await;
    let listed = platform.get(&format!("{path}/deliveries")).await.1;
    let shown = &listed["items"][0];
    assert_eq!((&shown["id"], &shown["state"], &shown["occasion"]), (&json!(notice), &json!("failed"), &json!("test")));
    assert_eq!((&shown["tries"], &shown["status"]), (&json!(2), &json!(410)));
    for _ in 0..2 {
        assert_eq!(platform.send(Method::POST, &again, json!({})).await.0, StatusCode::ACCEPTED);
    }
    let listed = platform.get(&format!("{path}/deliveries")).await.1;
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][0]["state"]), (1, &json!("requested")));
    settle(&platform, docs, id, notice, true).await;
    let listed = platform.get(&format!("{path}/deliveries")).await.1;
    assert_eq!((&listed["items"][0]["state"], &listed["items"][0]["reason"]), (&json!("delivered"), &json!("")));

    let history = platform.get("/sites/docs/events").await.1.to_string();
    for name in ["receiver.created", "receiver.tested", "notice.failed", "notice.requested", "notice.delivered"] {
        assert!(history.contains(name), "{name} is in {history}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_are_looked_after_on_their_pages() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/sites/docs").await.contains("/sites/docs/notices"));
    assert!(browser.page("/sites/docs/notices").await.contains("Nobody is told yet"));
    let form =
        "name=%3Cb%3ETeam&kind=webhook&address=https%3A%2F%2Fhooks.test%2Flets-in&wants=build_failed&wants=locked";
    let made = browser.submit(&format!("/sites/{docs}/notices"), form).await;
    assert_eq!(made.status(), StatusCode::OK);
    let page = made.text().await.unwrap();
    assert!(page.contains("whsec_") && page.contains("&lt;b&gt;Team") && !page.contains("lets-in"), "{page}");
    let page = browser.page("/sites/docs/notices").await;
    assert!(!page.contains("whsec_") && page.contains("https://hooks.test/…") && page.contains("none yet"), "{page}");

    let listed = platform.get("/sites/docs/receivers").await.1;
    let id = listed["items"][0]["id"].as_str().unwrap();
    assert_eq!(listed["items"][0]["wants"], json!(["build_failed", "locked"]));
    let path = format!("/sites/docs/notices/{id}");
    assert_eq!(browser.submit(&format!("{path}/test"), "").await.status(), StatusCode::SEE_OTHER);
    let changed = browser.submit(&path, "name=Team&version=1&wants=promoted&address=").await;
    assert_eq!(changed.status(), StatusCode::SEE_OTHER);
    let shown = platform.get(&format!("/sites/docs/receivers/{id}")).await.1;
    assert_eq!((&shown["name"], &shown["wants"]), (&json!("Team"), &json!(["promoted"])));
    assert_eq!(shown["address"], "https://hooks.test/…", "an empty field changes nothing");

    let notice = platform.send(Method::POST, &format!("/sites/docs/receivers/{id}/test"), json!({})).await.1;
    let notice = notice["id"].as_str().unwrap();
    settle(&platform, docs, id, notice, false).await;
    let page = browser.page(&path).await;
    assert!(page.contains("the receiver answered 410 Gone") && page.contains("Send again"), "{page}");
    let again = browser.submit(&format!("{path}/{notice}/redeliver"), "").await;
    assert_eq!(again.status(), StatusCode::SEE_OTHER);
    assert!(browser.page(&path).await.contains("on its way"));
    assert!(browser.page("/timeline?site=docs").await.contains("Receiver could not be told: a test"));
    assert_eq!(browser.submit(&format!("{path}/remove"), "").await.status(), StatusCode::SEE_OTHER);
    assert!(browser.page("/sites/docs/notices").await.contains("Nobody is told yet"));
}
