//! Who may come in, and what those are told who may not.

use crate::door::from;
use crate::platform::{Platform, TOKEN, json};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_api_needs_a_token() {
    let platform = Platform::start().await;
    let document = serde_json::to_value(web::api::openapi()).unwrap();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let path = path
                .replace("{site}", "docs")
                .replace("{alias}", "preview/fix/it")
                .replace("{id}", "x")
                .replace("{notice}", "x")
                .replace("{path}", "index.html");
            let method: Method = method.to_uppercase().parse().unwrap();
            let url = platform.url(&format!("/api/v1{path}"));
            // From an address of its own, since one may not try that many wrong tokens.
            let client = from(&format!("127.0.1.{asked}"));
            for token in [None, Some("wrong"), Some("")] {
                let mut request = client.request(method.clone(), &url);
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
                assert_eq!(response.headers()["www-authenticate"], "Bearer");
                assert_eq!(json(response).await.1["code"], "unauthorized");
            }
            let answered = client.request(method.clone(), &url).bearer_auth(TOKEN).send().await.unwrap();
            assert_ne!(answered.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
            asked += 1;
        }
    }
    assert_eq!(asked, 115);
    assert_eq!(platform.log.last_sequence().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_a_problem_with_a_code() {
    let platform = Platform::start().await;
    let post = |path: &str, body: &str, content_type: &str| {
        platform.api(Method::POST, path).header("content-type", content_type.to_owned()).body(body.to_owned()).send()
    };
    let json_type = "application/json";
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(64 << 10));
    let cases = [
        (platform.api(Method::GET, "/nowhere").send().await, 404, "not_found"),
        (platform.api(Method::PATCH, "/sites").send().await, 405, "method_not_allowed"),
        (platform.client.get(platform.url("/api/v2/sites")).send().await, 404, "not_found"),
        (post("/sites", "{", json_type).await, 400, "malformed_payload"),
        (post("/sites", "{}", "text/plain").await, 415, "unsupported_media_type"),
        (post("/sites", "{}", json_type).await, 422, "invalid_input"),
        (
            post("/sites", r#"{"name":"a--b","repository":"https://git.test/a/b"}"#, json_type).await,
            422,
            "invalid_input",
        ),
        (
            post("/sites", r#"{"name":"a","repository":"https://u:p@git.test/a"}"#, json_type).await,
            422,
            "invalid_input",
        ),
        (post("/sites", &large, json_type).await, 413, "body_too_large"),
        (platform.api(Method::GET, "/events?limit=1001").send().await, 422, "invalid_input"),
        (platform.api(Method::GET, "/events?subject=docs").send().await, 422, "invalid_input"),
        (platform.api(Method::GET, "/builds/x").send().await, 404, "not_found"),
        (platform.api(Method::GET, "/builds/x/log").send().await, 404, "not_found"),
        (platform.api(Method::GET, "/sites/docs").send().await, 404, "site_not_found"),
    ];
    for (response, status, code) in cases {
        let response = response.unwrap();
        let at = response.url().clone();
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{at} {code}");
        let (answered, problem) = json(response).await;
        assert_eq!((answered.as_u16(), &problem["code"]), (status, &json!(code)), "{at} {problem}");
        assert_eq!(problem["type"], format!("https://pagefold.dev/problems/{code}"));
        assert!(!problem["detail"].as_str().unwrap().contains("u:p"), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_open_metrics_are_not_here_and_a_lost_read_model_is_named() {
    let mut platform = Platform::start().await;
    let get = |path: &str| platform.client.get(platform.url(path)).send();
    platform.is_healthy(true).await;
    assert_eq!(get("/metrics").await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(get("/api/v1/openapi.json").await.unwrap().status(), StatusCode::OK);
    platform.stop_read_model().await;
    let health = platform.is_healthy(false).await;
    assert_eq!(
        (&health["status"], &health["parts"]["read_model"]["status"]),
        (&json!("unavailable"), &json!("failing"))
    );
    assert_eq!(health["parts"]["log"]["status"], "ok");
    assert!(health["parts"]["read_model"]["detail"].is_null(), "addresses are not for everybody: {health}");
    let (status, problem) = platform.get("/sites").await;
    assert_eq!((status.as_u16(), &problem["code"]), (503, &json!("read_model_unavailable")));
    let body = json!({ "name": "docs", "repository": "https://git.test/acme/docs.git" });
    let (status, site) = platform.send(Method::POST, "/sites", body).await;
    assert_eq!((status, &site["name"]), (StatusCode::CREATED, &json!("docs")), "a command needs no read model");
    let (status, site) = platform.send(Method::PATCH, "/sites/docs", json!({ "demo_branch": "next" })).await;
    assert_eq!(
        (status, &site["demo_branch"]),
        (StatusCode::OK, &json!("next")),
        "nor does a change, and it says what it did"
    );
    let (status, problem) = platform.send(Method::PATCH, "/sites/docs", json!(["other", null, "file:///etc"])).await;
    assert_eq!((status.as_u16(), &problem["code"]), (422, &json!("invalid_input")), "a list is no object");
}
