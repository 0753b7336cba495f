//! What attackers try at the door without a token, and what a session is worth that was left.

use crate::dashboard::{Browser, form_token};
use crate::platform::{Platform, RANDOM_TOKEN, TOKEN, json};
use crate::webhook::signature;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Response, StatusCode};
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

pub(crate) fn from(address: &str) -> Client {
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

/// Somebody at one address, behind which others may be too.
struct Guesser<'p> {
    platform: &'p Platform,
    client: Client,
}

impl<'p> Guesser<'p> {
    /// One whose next wrong token is one too many.
    async fn at(platform: &'p Platform, address: &str) -> Self {
        let guesser = Self { platform, client: from(address) };
        for guess in 0..20 {
            assert_eq!(
                guesser.try_token(&format!("guess-{guess}")).await.status(),
                StatusCode::UNAUTHORIZED,
                "{guess}"
            );
        }
        guesser
    }

    async fn try_token(&self, token: &str) -> Response {
        let sites = self.client.get(self.platform.url("/api/v1/sites")).bearer_auth(token);
        sites.header("x-forwarded-for", "192.0.2.1").send().await.unwrap()
    }

    async fn try_form(&self, token: &str) -> Response {
        let origin = format!("http://{}", self.platform.host());
        let page = self.client.get(self.platform.url("/login")).send().await.unwrap();
        let cookie = page.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        let form = format!("token={token}&form_token={}", form_token(&page.text().await.unwrap()));
        let login = self.client.post(self.platform.url("/login")).header("origin", origin).header(COOKIE, cookie);
        login.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap()
    }
}

async fn is_slowed(response: Response) {
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=6).contains(&seconds), "{seconds}");
    let (status, problem) = json(response).await;
    assert_eq!((status, &problem["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("too_many_guesses")));
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_tokens_is_slowed_for_the_address_that_guesses_and_for_no_other() {
    let platform = Platform::start().await;
    let guesser = Guesser::at(&platform, "127.0.0.2").await;
    is_slowed(guesser.try_token("another-guess").await).await;
    let form = guesser.try_form("yet-another").await;
    assert_eq!(form.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(form.headers().contains_key("retry-after"));
    let other = Guesser { platform: &platform, client: from("127.0.0.3") };
    assert_eq!(other.try_token(TOKEN).await.status(), StatusCode::OK);
    Browser::sign_in(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_or_delivers_is_told_how_often_they_may_try() {
    let platform = Platform::start().await;
    let guesser = Guesser { platform: &platform, client: from("127.0.0.7") };
    let told = |response: Response, policy: &str, left: u32| {
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("ratelimit-policy"), format!("\"{policy}\";q=20;w=120"));
        assert_eq!(header("ratelimit"), format!("\"{policy}\";r={left};t=120"));
    };
    told(guesser.try_form("a-guess").await, "sign-in", 19);
    told(guesser.try_form("another").await, "sign-in", 18);
    let link = guesser.client.get(platform.url("/sign-in/guessed")).send().await.unwrap();
    told(link, "sign-in", 17);
    let delivery = guesser.client.post(platform.url("/webhooks/github")).header("x-github-event", "push");
    let delivery =
        delivery.header("x-github-delivery", "d-1").header("x-hub-signature-256", format!("sha256={}", "0".repeat(64)));
    let body = json!({ "ref": "refs/heads/main", "repository": { "clone_url": "https://git.test/acme/docs.git" } });
    told(delivery.json(&body).send().await.unwrap(), "webhook", 19);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_keeps_nobody_out_who_holds_a_token_that_cannot_be_guessed() {
    let platform = Platform::start().await;
    let neighbour = Guesser::at(&platform, "127.0.0.4").await;
    is_slowed(neighbour.try_token("another-guess").await).await;
    assert_eq!(neighbour.try_token(RANDOM_TOKEN).await.status(), StatusCode::OK);
    assert_eq!(neighbour.try_form(RANDOM_TOKEN).await.status(), StatusCode::SEE_OTHER);
    is_slowed(neighbour.try_token("a-guess-after-it").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_link_passes_wherever_others_have_guessed_and_a_look_does_not_use_it_up() {
    let platform = Platform::start().await;
    let (status, made) = platform.send(reqwest::Method::POST, "/sign-in-links", json!({})).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let secret = made["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let address = platform.url(&format!("/sign-in/{secret}"));
    let guesser = Guesser::at(&platform, "127.0.0.8").await;
    is_slowed(guesser.try_token("another-guess").await).await;
    let looked = guesser.client.head(&address).send().await.unwrap();
    assert_eq!((looked.status(), looked.headers().contains_key(SET_COOKIE)), (StatusCode::OK, false));
    let followed = guesser.client.get(&address).send().await.unwrap();
    assert_eq!((followed.status(), followed.headers().contains_key(SET_COOKIE)), (StatusCode::SEE_OTHER, true));
    let guessed = guesser.client.get(platform.url("/sign-in/guessed")).send().await.unwrap();
    assert_eq!(guessed.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_signatures_is_slowed_at_every_address_and_what_is_genuine_passes() {
    let platform = Platform::start().await;
    let site = platform.create_site("docs").await;
    let wrong = format!("sha256={}", "0".repeat(64));
    let own = format!("/webhooks/github/{site}");
    for (client, path, event) in [("127.0.0.9", &*own, "push"), ("127.0.0.10", "/webhooks/github", "ping")] {
        let client = from(client);
        let deliver = async |signature: &str, delivery: usize, body: &str| {
            let request = client.post(platform.url(path)).header("x-github-event", event);
            let request = request.header("x-github-delivery", format!("{event}-{delivery}"));
            request.header("x-hub-signature-256", signature).body(body.to_owned()).send().await.unwrap()
        };
        for guess in 0..20 {
            assert_eq!(deliver(&wrong, guess, "{}").await.status(), StatusCode::UNAUTHORIZED, "{path} {guess}");
        }
        is_slowed(deliver(&wrong, 20, "{}").await).await;
        if event == "ping" {
            assert_eq!(deliver(&signature("{}"), 21, "{}").await.status(), StatusCode::OK);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_can_be_guessed_is_not_found_out_by_guessing_on() {
    let platform = Platform::start().await;
    let guesser = Guesser::at(&platform, "127.0.0.5").await;
    is_slowed(guesser.try_token(TOKEN).await).await;
    assert_eq!(guesser.try_form(TOKEN).await.status(), StatusCode::TOO_MANY_REQUESTS);
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
