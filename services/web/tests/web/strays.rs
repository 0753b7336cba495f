//! Webhooks that came for nobody or were refused: kept with a reason for whoever may see them, and delivered again once there is
//! a site for them.

use crate::dashboard::Browser;
use crate::platform::{COMMIT, Platform, code, json};
use crate::webhook::{deliver, signature, signature_with};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Where all sites of a repository are told.
const COMMON: &str = "/webhooks/github";

fn push_to(repository: &str, branch: &str) -> String {
    json!({
        "ref": format!("refs/heads/{branch}"), "before": COMMIT, "after": "2".repeat(40), "deleted": false,
        "head_commit": { "message": "Fix the title" },
        "repository": { "clone_url": format!("https://github.com/acme/{repository}.git") },
    })
    .to_string()
}

/// Waits until this many are kept; answers them, newest first.
async fn kept(platform: &Platform, count: usize) -> Vec<Value> {
    let look = async {
        loop {
            let items = platform.get("/deliveries").await.1["items"].as_array().cloned().unwrap_or_default();
            if items.len() >= count {
                assert_eq!(items.len(), count, "{items:?}");
                return items;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), look).await.expect("it is kept")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_for_nobody_is_kept_and_builds_its_branch_once_there_is_a_site() {
    let platform = Platform::start().await;
    let body = push_to("docs", "next");
    let delivered = deliver(&platform, COMMON, ["push", "d-1"], (&body, &signature(&body))).await;
    assert_eq!(delivered.0, StatusCode::ACCEPTED);
    let strays = kept(&platform, 1).await;
    assert_eq!(
        (&strays[0]["reason"], &strays[0]["branch"], &strays[0]["signed"], &strays[0]["delivery"]),
        (&json!("no_site"), &json!("next"), &json!(true), &json!("d-1"))
    );
    let redeliver = format!("/deliveries/{}/redeliver", strays[0]["id"]);
    let unmatched = platform.send(Method::POST, &redeliver, json!({})).await;
    assert_eq!(code(&unmatched), (409, "delivery_unmatched"));

    let site = json!({ "name": "docs", "repository": "https://github.com/acme/docs" });
    assert_eq!(platform.send(Method::POST, "/sites", site).await.0, StatusCode::CREATED);
    assert_eq!(kept(&platform, 1).await[0]["sites"], json!(["docs"]));
    let (status, redelivered) = platform.send(Method::POST, &redeliver, json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{redelivered}");
    let build = platform.get(&format!("/builds/{}", redelivered["builds"][0].as_str().unwrap())).await.1;
    assert_eq!((&build["site"], &build["branch"]), (&json!("docs"), &json!("next")));
    let stated = platform.log.last_sequence().await.unwrap();
    assert_eq!(platform.send(Method::POST, &redeliver, json!({})).await.1, redelivered, "asked twice, it is the same");
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);

    let browser = Browser::sign_in(&platform).await;
    let page = browser.page("/sites/docs/deliveries").await;
    assert!(page.contains("No site is built from this repository.") && page.contains("Redeliver"), "{page}");
    assert!(browser.page("/deliveries").await.contains("no_site"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_kept_for_whom_it_claims_to_be_and_cannot_be_delivered_again() {
    let platform = Platform::start().await;
    let site = json!({ "name": "docs", "repository": "https://github.com/acme/docs" });
    let (_, site) = platform.send(Method::POST, "/sites", site).await;
    let stated = platform.log.last_sequence().await.unwrap();
    let wrong = format!("sha256={}", "0".repeat(64));
    for (repository, delivery) in [("docs", "f-1"), ("elsewhere", "f-2")] {
        let body = push_to(repository, "main");
        let answered = deliver(&platform, COMMON, ["push", delivery], (&body, &wrong)).await;
        assert_eq!(answered.0, StatusCode::UNAUTHORIZED);
    }
    let strays = kept(&platform, 2).await;
    assert_eq!(
        (&strays[0]["organization_id"], &strays[1]["organization_id"]),
        (&Value::Null, &site["organization_id"])
    );
    assert_eq!((&strays[1]["reason"], &strays[1]["signed"]), (&json!("bad_signature"), &json!(false)));
    let redeliver = format!("/deliveries/{}/redeliver", strays[1]["id"]);
    assert_eq!(code(&platform.send(Method::POST, &redeliver, json!({})).await), (409, "delivery_refused"));
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "nothing of it is in the log");

    // A crowd of them from one address is refused all the same, and noted no more.
    for number in 0..30 {
        let request = platform.client.post(platform.url("/webhooks/github")).header("x-github-delivery", number);
        assert_eq!(json(request.send().await.unwrap()).await.0, StatusCode::UNAUTHORIZED);
    }
    let noted = platform.get("/deliveries?limit=1000").await.1["items"].as_array().unwrap().len();
    assert!((3..=22).contains(&noted), "{noted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_tried_turns_its_site_green_and_a_new_secret_waits_again() {
    let platform = Platform::start().await;
    let site = json!({ "name": "docs", "repository": "https://github.com/acme/docs" });
    platform.send(Method::POST, "/sites", site).await;
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/sites/docs").await.contains("waiting for the first ping"));
    assert_eq!(platform.get("/sites/docs").await.1["webhook_pinged_at"], Value::Null);

    let ping = json!({ "zen": "Keep it simple.", "repository": { "clone_url": "https://github.com/acme/docs.git" } });
    let ping = ping.to_string();
    for delivery in ["p-1", "p-2"] {
        let (status, pong) = deliver(&platform, COMMON, ["ping", delivery], (&ping, &signature(&ping))).await;
        assert_eq!((status, &pong["pong"]), (StatusCode::OK, &json!(true)));
    }
    let last = platform.log.fact(platform.log.last_sequence().await.unwrap()).await.unwrap().unwrap();
    assert_eq!((last.event.name().as_str(), last.sequence), ("site.webhook_pinged.v1", 5), "it is said once");
    platform.level().await;
    assert!(platform.get("/sites/docs").await.1["webhook_pinged_at"].is_string());
    assert!(!browser.page("/sites/docs").await.contains("waiting for the first ping"));

    let (_, made) = platform.send(Method::POST, "/sites/docs/webhook-secret", json!({})).await;
    assert!(browser.page("/sites/docs/webhook-secret").await.contains("waiting for the first ping"));
    let own = made["url"].as_str().unwrap().trim_start_matches("https://pagefold.test");
    let signed = signature_with(made["secret"].as_str().unwrap(), &ping);
    let answered = deliver(&platform, own, ["ping", "p-3"], (&ping, &signed)).await;
    assert_eq!(answered.0, StatusCode::OK);
    platform.level().await;
    assert!(platform.get("/sites/docs").await.1["webhook_pinged_at"].is_string());

    let nobody = ping.replace("acme/docs", "acme/none");
    deliver(&platform, COMMON, ["ping", "p-4"], (&nobody, &signature(&nobody))).await;
    assert_eq!(kept(&platform, 1).await[0]["event"], "ping");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_for_an_organization_is_hidden_from_others() {
    let platform = Platform::start().await;
    let mut tokens = Vec::new();
    for name in ["north", "south"] {
        let made = platform.send(Method::POST, "/organizations", json!({ "name": name })).await;
        assert_eq!(made.0, StatusCode::CREATED);
        let wanted = json!({ "name": name, "scopes": ["manage"], "organization": name });
        tokens.push(platform.send(Method::POST, "/tokens", wanted).await.1["token"].as_str().unwrap().to_owned());
    }
    let site = json!({ "name": "docs", "repository": "https://github.com/acme/docs", "organization": "north" });
    platform.send(Method::POST, "/sites", site).await;
    let body = push_to("docs", "main");
    deliver(&platform, COMMON, ["push", "f-1"], (&body, &format!("sha256={}", "0".repeat(64)))).await;
    let id = kept(&platform, 1).await[0]["id"].clone();
    let ask = async |token: &str, method: Method, path: String| {
        let url = platform.url(&format!("/api/v1{path}"));
        json(platform.client.request(method, url).bearer_auth(token).json(&json!({})).send().await.unwrap()).await
    };
    for (token, seen, status) in [(&tokens[0], 1, 409), (&tokens[1], 0, 404)] {
        let (_, listed) = ask(token, Method::GET, "/deliveries".to_owned()).await;
        assert_eq!(listed["items"].as_array().unwrap().len(), seen);
        let (answered, _) = ask(token, Method::POST, format!("/deliveries/{id}/redeliver")).await;
        assert_eq!(answered.as_u16(), status);
    }
}
