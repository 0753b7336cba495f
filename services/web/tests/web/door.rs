//! What attackers try at the door without a token, and what a session is worth that was left.

use crate::dashboard::{Browser, post};
use crate::platform::{Platform, TOKEN, json};
use reqwest::header::COOKIE;
use reqwest::{Client, StatusCode};
use serde_json::json;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) async fn send(platform: &Platform, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(platform.host()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// The status and all that follows, of a connection that the server ends.
pub(crate) async fn answer(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}

fn from(address: &str) -> Client {
    let address: IpAddr = address.parse().unwrap();
    Client::builder().local_address(address).redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_a_session_on_every_server_and_a_new_one_does_not_bring_it_back() {
    let mut platform = Platform::start().await;
    let (left, kept) = (Browser::sign_in(&platform).await.cookie, Browser::sign_in(&platform).await.cookie);
    let first = platform.another_server().await;
    let status = async |base: &str, cookie: &str| {
        platform.client.get(format!("{base}/")).header(COOKIE, cookie).send().await.unwrap().status()
    };
    let second = platform.url("");
    assert_eq!((status(&first, &left).await, status(&second, &left).await), (StatusCode::OK, StatusCode::OK));
    let browser = Browser { platform: &platform, cookie: left.clone() };
    assert_eq!(browser.submit("/logout", "").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        (status(&first, &left).await, status(&second, &left).await),
        (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER)
    );
    assert_eq!((status(&first, &kept).await, status(&second, &kept).await), (StatusCode::OK, StatusCode::OK));
    platform.another_server().await;
    let third = platform.url("");
    let status = async |cookie: &str| {
        platform.client.get(format!("{third}/")).header(COOKIE, cookie).send().await.unwrap().status()
    };
    assert_eq!((status(&left).await, status(&kept).await), (StatusCode::SEE_OTHER, StatusCode::OK));
    let invented = format!("pagefold_session={}", "0".repeat(64));
    assert_eq!(status(&invented).await, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_tokens_is_slowed_for_the_address_that_guesses_and_for_no_other() {
    let platform = Platform::start().await;
    let (guesser, other) = (from("127.0.0.2"), from("127.0.0.3"));
    let sites = platform.url("/api/v1/sites");
    let try_token = async |client: &Client, token: &str| {
        client.get(&sites).bearer_auth(token).header("x-forwarded-for", "192.0.2.1").send().await.unwrap()
    };
    for guess in 0..20 {
        assert_eq!(try_token(&guesser, &format!("guess-{guess}")).await.status(), StatusCode::UNAUTHORIZED, "{guess}");
    }
    for token in ["another-guess", TOKEN] {
        let slowed = try_token(&guesser, token).await;
        let seconds: u64 = slowed.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=6).contains(&seconds), "{seconds}");
        let (status, problem) = json(slowed).await;
        assert_eq!((status, &problem["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("too_many_guesses")));
    }
    let form = "token=yet-another";
    let origin = format!("http://{}", platform.host());
    let login = guesser.post(platform.url("/login")).header("origin", origin).body(form);
    let login = login.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    assert_eq!(login.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(login.headers().contains_key("retry-after"));
    assert_eq!(try_token(&other, TOKEN).await.status(), StatusCode::OK);
    assert_eq!(
        post(&platform, "/login", "token=a-token-for-tests").send().await.unwrap().status(),
        StatusCode::SEE_OTHER
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_two_hosts_or_none_or_two_tokens_is_refused() {
    let platform = Platform::start().await;
    let host = platform.host().to_owned();
    for (target, headers, status) in [
        ("/login", format!("Host: {host}\r\n"), "200"),
        ("/login", format!("Host: {host}\r\nHost: {host}\r\n"), "400"),
        ("/login", format!("Host: {host}\r\nHost: evil.test\r\n"), "400"),
        ("/login", String::new(), "400"),
        ("http://evil.test/healthz", format!("Host: {host}\r\n"), "400"),
        (
            "/api/v1/sites",
            format!("Host: {host}\r\nAuthorization: Bearer {TOKEN}\r\nAuthorization: Bearer x\r\n"),
            "400",
        ),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        let text = answer(send(&platform, &request).await).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{request}{text}");
        assert_eq!(text.contains("\"bad_header\""), status == "400", "{request}{text}");
    }
    let lengths = format!("POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx");
    assert!(answer(send(&platform, &lengths).await).await.starts_with("HTTP/1.1 400"), "two lengths");
}
