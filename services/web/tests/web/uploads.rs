//! Folders that are uploaded: what is kept, what is missing, and what is refused.

use crate::platform::{Platform, code, json};
use events::{BuildEvent, Digest, Event};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn put(platform: &Platform, digest: Digest, content: &str) -> (StatusCode, Value) {
    let request = platform.api(Method::PUT, &format!("/sites/docs/uploads/{digest}"));
    json(request.body(content.to_owned()).send().await.unwrap()).await
}

async fn missing(platform: &Platform, list: Digest, query: &str) -> Value {
    platform.get(&format!("/sites/docs/uploads/{list}/missing{query}")).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_asked_for_when_all_of_it_is_there() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let contents = ["one", "two", "three"];
    let digests = contents.map(|content| Digest::of(content.as_bytes()));
    let line = |index: usize| format!("{} {} page-{index}.html\n", digests[index], contents[index].len());
    let list: String = (0..3).map(line).collect();
    let named = Digest::of(list.as_bytes());
    let ask = || json!({ "list": named });
    assert_eq!(code(&platform.send(Method::POST, "/sites/docs/deploys", ask()).await), (404, "not_found"));
    assert_eq!(put(&platform, named, &list).await.0, StatusCode::NO_CONTENT);
    let all = missing(&platform, named, "").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    let page = missing(&platform, named, "?limit=2").await;
    let rest = missing(&platform, named, &format!("?limit=2&after={}", page["next"].as_str().unwrap())).await;
    assert_eq!((&rest["items"][0], &rest["next"]), (&all["items"][2], &Value::Null));

    assert_eq!(code(&put(&platform, digests[0], "another").await), (422, "upload_mismatch"));
    for index in [0, 1] {
        assert_eq!(put(&platform, digests[index], contents[index]).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(missing(&platform, named, "").await["items"], json!([digests[2]]));
    let early = platform.send(Method::POST, "/sites/docs/deploys", ask()).await;
    assert_eq!(code(&early), (409, "upload_incomplete"));
    put(&platform, digests[2], contents[2]).await;
    let request =
        || platform.api(Method::POST, "/sites/docs/deploys").header("idempotency-key", "k").json(&ask()).send();
    let (asked, again) = (json(request().await.unwrap()).await, json(request().await.unwrap()).await);
    assert_eq!((asked.0, &asked), (StatusCode::CREATED, &again));
    let end = platform.log.last_sequence().await.unwrap();
    let Event::Build(BuildEvent::Requested { upload: Some(upload), branch, commit, .. }) =
        platform.log.fact(end).await.unwrap().unwrap().event
    else {
        panic!("a build is asked for")
    };
    assert_eq!((upload.list, upload.files, upload.bytes, branch.as_str()), (named, 3, 11, "main"));
    assert_eq!(commit.unwrap().as_str(), named.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_folder_is_refused() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let digest = Digest::of(b"x");
    for list in ["", "no list\n", &format!("{digest} 1 ../x\n"), &format!("{digest} 1 b\n{digest} 1 a\n")] {
        let named = Digest::of(list.as_bytes());
        put(&platform, named, list).await;
        let refused = platform.send(Method::POST, "/sites/docs/deploys", json!({ "list": named })).await;
        assert_eq!(code(&refused), (422, "invalid_input"), "{list:?}");
    }
    let nowhere = platform.api(Method::PUT, &format!("/sites/nope/uploads/{digest}")).body("x").send().await.unwrap();
    assert_eq!(code(&json(nowhere).await), (404, "site_not_found"));
    let announced = platform.api(Method::PUT, &format!("/sites/docs/uploads/{digest}"));
    let announced = announced.body(vec![0; (64 << 20) + 1]).send().await;
    assert!(announced.is_err() || announced.unwrap().status() == StatusCode::PAYLOAD_TOO_LARGE);
}
