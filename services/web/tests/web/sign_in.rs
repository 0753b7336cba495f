//! Signing in with a provider: npm's `oidc-provider`, and a server that speaks the part of GitHub's API that is needed.

mod connected;
mod github;
mod openid;

use crate::dashboard::Browser;
use crate::platform::{Platform, code, json};
use github::GitHub;
use openid::OpenId;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

/// Where the server is, as the providers know it.
const HERE: &str = "https://pagefold.test";

/// The path of an address of ours.
fn path(url: &str) -> &str {
    url.strip_prefix(HERE).unwrap_or(url)
}

/// A browser on its way to a provider, with the cookies that it had and got.
struct Traveller {
    cookies: String,
    /// Where it was sent.
    provider: String,
}

impl Traveller {
    async fn leave(platform: &Platform, start: &str, cookies: &str) -> Self {
        let request = platform.client.get(platform.url(start)).header(COOKIE, cookies);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{start}");
        let provider = response.headers()[LOCATION].to_str().unwrap().to_owned();
        Self { cookies: format!("{cookies}; {}", cookie(&response)), provider }
    }

    /// Comes back to where the provider sends it.
    async fn come_back(&self, platform: &Platform, back: &str) -> Response {
        let back = back.strip_prefix(HERE).unwrap();
        platform.client.get(platform.url(back)).header(COOKIE, &self.cookies).send().await.unwrap()
    }
}

fn cookie(response: &Response) -> String {
    let cookies = response.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    let kept: Vec<&str> = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
    kept.join("; ")
}

/// The browser of whoever came in.
fn came_in<'a>(platform: &'a Platform, response: &Response, next: &str) -> Browser<'a> {
    assert_eq!((response.status(), response.headers()[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, next));
    let cookies = cookie(response);
    let session = cookies.split("; ").find(|cookie| cookie.starts_with("pagefold_session=")).unwrap();
    Browser { platform, cookie: session.to_owned() }
}

async fn refused(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let page = response.text().await.unwrap();
    let code = page.split("Code: <code>").nth(1).unwrap_or_default().split('<').next().unwrap();
    (status, code.to_owned())
}

async fn ask(browser: &Browser<'_>, path: &str) -> Value {
    let request = browser.platform.client.get(browser.platform.url(&format!("/api/v1{path}")));
    json(request.header(COOKIE, &browser.cookie).send().await.unwrap()).await.1
}

async fn invitation(platform: &Platform, organization: &str) -> String {
    platform.send(Method::POST, "/organizations", json!({ "name": organization })).await;
    let body = json!({ "email": "somebody@mail.test", "role": "user" });
    let (_, sent) = platform.send(Method::POST, &format!("/organizations/{organization}/invitations"), body).await;
    path(sent["url"].as_str().unwrap()).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_joins_with_a_provider_and_comes_in_so_from_then_on() {
    let Some(provider) = OpenId::start().await else { return };
    let mut platform = Platform::start().await;
    platform.sign_in_with(provider.known()).await;
    let page = platform.client.get(platform.url("/login")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Sign in with Test ID"), "{page}");

    let stranger = Traveller::leave(&platform, "/login/with/openid", "").await;
    for part in ["code_challenge_method=S256", "state=", "nonce=", "response_type=code"] {
        assert!(stranger.provider.contains(part), "{part} in {}", stranger.provider);
    }
    let back = provider.sign_in(&stranger.provider, "ada").await;
    assert_eq!(refused(stranger.come_back(&platform, &back).await).await, (403, "not_invited".to_owned()));

    let link = invitation(&platform, "north").await;
    let page = platform.client.get(platform.url(&link)).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Join with Test ID"), "{page}");
    let invited = Traveller::leave(&platform, &format!("{link}/with/openid"), "").await;
    let back = provider.sign_in(&invited.provider, "ada").await;
    let ada = came_in(&platform, &invited.come_back(&platform, &back).await, "/");
    platform.level().await;
    let me = ask(&ada, "/me").await;
    assert_eq!((&me["name"], &me["email"]), (&json!("The ada"), &json!("ada@id.test")));
    assert_eq!(me["organizations"][0]["name"], "north");
    let identities = ask(&ada, "/identities").await;
    assert_eq!(identities["items"][0]["account"], "ada@id.test");

    let again = Traveller::leave(&platform, "/login/with/openid?next=%2Ftimeline", "").await;
    let back = provider.sign_in(&again.provider, "ada").await;
    let ada = came_in(&platform, &again.come_back(&platform, &back).await, "/timeline");
    assert_eq!(ask(&ada, "/me").await["id"], me["id"], "the same person");
    for sequence in 1..=platform.log.last_sequence().await.unwrap() {
        let fact = platform.log.fact(sequence).await.unwrap().unwrap();
        let text = format!("{}{}{}", fact.event.payload(), fact.envelope.actor, fact.envelope.subject);
        assert!(!text.contains("ada"), "the log tells who somebody is: {text}");
    }

    let id = me["id"].as_str().unwrap();
    let erased = platform.send(Method::DELETE, &format!("/users/{id}"), Value::Null).await;
    assert_eq!(erased.0, StatusCode::NO_CONTENT, "{erased:?}");
    let forgotten = Traveller::leave(&platform, "/login/with/openid", "").await;
    let back = provider.sign_in(&forgotten.provider, "ada").await;
    assert_eq!(refused(forgotten.come_back(&platform, &back).await).await, (403, "not_invited".to_owned()));
    let link = invitation(&platform, "south").await;
    let invited = Traveller::leave(&platform, &format!("{link}/with/openid"), "").await;
    let back = provider.sign_in(&invited.provider, "ada").await;
    let anew = came_in(&platform, &invited.come_back(&platform, &back).await, "/");
    assert_ne!(ask(&anew, "/me").await["id"], me["id"], "whoever was forgotten is somebody new");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_mail_of_a_named_domain_needs_no_invitation() {
    let Some(provider) = OpenId::start().await else { return };
    let mut platform = Platform::start().await;
    platform.sign_in_with(web::SignIn { domains: vec!["id.test".to_owned()], ..provider.known() }).await;
    let ben = Traveller::leave(&platform, "/login/with/openid", "").await;
    let back = provider.sign_in(&ben.provider, "ben").await;
    let ben = came_in(&platform, &ben.come_back(&platform, &back).await, "/");
    platform.level().await;
    let me = ask(&ben, "/me").await;
    assert_eq!((&me["email"], &me["organizations"], &me["roles"]), (&json!("ben@id.test"), &json!([]), &json!([])));
    let unproved = Traveller::leave(&platform, "/login/with/openid", "").await;
    let back = provider.sign_in(&unproved.provider, "unproved").await;
    let refusal = refused(unproved.come_back(&platform, &back).await).await;
    assert_eq!(refusal, (403, "not_invited".to_owned()), "the provider has not made sure of the address");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_by_what_another_browser_began() {
    let Some(provider) = OpenId::start().await else { return };
    let mut platform = Platform::start().await;
    platform.sign_in_with(web::SignIn { domains: vec!["id.test".to_owned()], ..provider.known() }).await;
    let (one, other) = (
        Traveller::leave(&platform, "/login/with/openid", "").await,
        Traveller::leave(&platform, "/login/with/openid", "").await,
    );
    let back = provider.sign_in(&one.provider, "ada").await;
    let failed = (400, "sign_in_failed".to_owned());
    assert_eq!(refused(other.come_back(&platform, &back).await).await, failed, "another browser");
    let without = Traveller { cookies: String::new(), provider: String::new() };
    assert_eq!(refused(without.come_back(&platform, &back).await).await, failed, "no cookie");
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let stolen = other.provider.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let injected = format!("{HERE}/login/with/openid/back?code={code}&state={stolen}");
    assert_eq!(refused(other.come_back(&platform, &injected).await).await, failed, "the code is another's");
    let again = provider.sign_in(&one.provider, "ada").await;
    came_in(&platform, &one.come_back(&platform, &again).await, "/");
    assert_eq!(refused(one.come_back(&platform, &again).await).await, failed, "a code is good once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_connects_an_account_and_disconnects_it() {
    let mut platform = Platform::start().await;
    let provider = GitHub::start().await;
    platform.sign_in_with(provider.known()).await;
    let person = async |organization: &str| {
        let link = invitation(&platform, organization).await;
        let joined = Browser::stranger(&platform).await.submit(&link, "name=Ada").await;
        Browser::with(&platform, joined.headers()[SET_COOKIE].to_str().unwrap())
    };
    let (ada, ben) = (person("north").await, person("south").await);
    let connect = async |browser: &Browser<'_>| {
        let page = browser.submit("/account/identities/github", "").await;
        let cookies = format!("{}; {}", browser.cookie, cookie(&page));
        let page = page.text().await.unwrap();
        let provider = page.split("href=\"").find(|rest| rest.contains("Go on")).unwrap().split('"').next().unwrap();
        Traveller { cookies, provider: provider.replace("&amp;", "&") }
    };
    let going = connect(&ada).await;
    let back = provider.sign_in(&going.provider, "octocat").await;
    let connected = going.come_back(&platform, &back).await;
    assert_eq!(connected.headers()[LOCATION], "/account#identities");
    platform.level().await;
    let page = ada.page("/account").await;
    assert!(page.contains("octocat") && page.contains("Connect GitHub"), "{page}");
    let other = connect(&ben).await;
    let back = provider.sign_in(&other.provider, "octocat").await;
    assert_eq!(refused(other.come_back(&platform, &back).await).await, (409, "identity_taken".to_owned()));
    let lured = connect(&ada).await;
    let back = provider.sign_in(&lured.provider, "mallory").await;
    let lured = Traveller { cookies: lured.cookies.replace(&ada.cookie, &ben.cookie), ..lured };
    let refusal = refused(lured.come_back(&platform, &back).await).await;
    assert_eq!(refusal, (400, "sign_in_failed".to_owned()), "another session has come back");

    let again = Traveller::leave(&platform, "/login/with/github", "").await;
    let back = provider.sign_in(&again.provider, "octocat").await;
    let entered = came_in(&platform, &again.come_back(&platform, &back).await, "/");
    assert_eq!(ask(&entered, "/me").await["id"], ask(&ada, "/me").await["id"]);
    let id = ask(&ada, "/identities").await["items"][0]["id"].as_str().unwrap().to_owned();
    let foreign = ben.submit(&format!("/account/identities/{id}/disconnect"), "").await;
    assert_eq!(refused(foreign).await, (404, "identity_not_found".to_owned()));
    let gone = ada.submit(&format!("/account/identities/{id}/disconnect"), "").await;
    assert_eq!(gone.status(), StatusCode::SEE_OTHER);
    let again = Traveller::leave(&platform, "/login/with/github", "").await;
    let back = provider.sign_in(&again.provider, "octocat").await;
    assert_eq!(refused(again.come_back(&platform, &back).await).await, (403, "not_invited".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn github_vouches_for_who_is_invited_and_for_addresses_that_it_has_made_sure_of() {
    let mut platform = Platform::start().await;
    let provider = GitHub::start().await;
    platform.sign_in_with(web::SignIn { domains: vec!["mail.test".to_owned()], ..provider.known() }).await;
    let traveller = Traveller::leave(&platform, "/login/with/github", "").await;
    let back = provider.sign_in(&traveller.provider, "unproved").await;
    assert_eq!(refused(traveller.come_back(&platform, &back).await).await, (403, "not_invited".to_owned()));
    let traveller = Traveller::leave(&platform, "/login/with/github", "").await;
    let back = provider.sign_in(&traveller.provider, "octocat").await;
    let octocat = came_in(&platform, &traveller.come_back(&platform, &back).await, "/");
    platform.level().await;
    let me = ask(&octocat, "/me").await;
    assert_eq!((&me["name"], &me["email"]), (&json!("The octocat"), &json!("octocat@mail.test")));
    let refusal = traveller.come_back(&platform, &back).await;
    assert_eq!(refused(refusal).await, (400, "sign_in_failed".to_owned()), "a code is good once");
    let denied = format!("{HERE}/login/with/github/back?error=access_denied&state=x");
    assert_eq!(refused(traveller.come_back(&platform, &denied).await).await, (400, "sign_in_failed".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_or_unknown_is_told_of() {
    let mut platform = Platform::start().await;
    let openid = web::OpenId {
        issuer: "http://127.0.0.1:9".into(),
        client_id: "pagefold".into(),
        client_secret: "secret".into(),
        name: "Test ID".into(),
    };
    platform.sign_in_with(web::SignIn { openid: Some(openid), ..web::SignIn::default() }).await;
    let away = platform.client.get(platform.url("/login/with/openid")).send().await.unwrap();
    assert_eq!(refused(away).await, (503, "provider_unavailable".to_owned()));
    for unknown in ["/login/with/github", "/login/with/elsewhere"] {
        let response = platform.client.get(platform.url(unknown)).send().await.unwrap();
        assert_eq!(refused(response).await, (404, "not_found".to_owned()), "{unknown}");
    }
    let missing = platform.send(Method::DELETE, "/identities/00000000-0000-4000-8000-000000000000", Value::Null).await;
    assert_eq!(code(&missing), (404, "identity_not_found"));
}
