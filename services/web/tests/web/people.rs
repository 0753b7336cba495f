//! People and tokens: who may see and do what, how they come in, and how they are forgotten.

use crate::dashboard::Browser;
use crate::platform::{Platform, code, json};
use events::{Event, UserEvent};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE, USER_AGENT};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// How long an answer may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// Whoever has a token.
pub(crate) struct Holder<'a> {
    pub(crate) platform: &'a Platform,
    pub(crate) token: String,
}

impl Holder<'_> {
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.platform.client.request(method, self.platform.url(&format!("/api/v1{path}")));
        json(request.bearer_auth(&self.token).json(&body).send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = self.platform.client.get(self.platform.url(&format!("/api/v1{path}")));
        // A stream that should have been refused would never end.
        json(request.bearer_auth(&self.token).timeout(PATIENCE).send().await.unwrap()).await
    }
}

pub(crate) async fn token(platform: &Platform, wanted: Value) -> Holder<'_> {
    let (status, made) = platform.send(Method::POST, "/tokens", wanted).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    Holder { platform, token: made["token"].as_str().unwrap().to_owned() }
}

pub(crate) async fn organization(platform: &Platform, name: &str) {
    let made = platform.send(Method::POST, "/organizations", json!({ "name": name })).await;
    assert_eq!(made.0, StatusCode::CREATED, "{made:?}");
}

pub(crate) fn site(name: &str, organization: &str) -> Value {
    json!({ "name": name, "repository": "https://git.test/acme/docs.git", "organization": organization })
}

/// A person who came by an invitation, and their browser.
pub(crate) async fn invited<'a>(platform: &'a Platform, organization: &str, name: &str, role: &str) -> Browser<'a> {
    let body = json!({ "email": "ada@mail.test", "role": role });
    let (status, sent) = platform.send(Method::POST, &format!("/organizations/{organization}/invitations"), body).await;
    assert_eq!(status, StatusCode::CREATED, "{sent}");
    let path = sent["url"].as_str().unwrap().strip_prefix("https://pagefold.test").unwrap().to_owned();
    let page = platform.client.get(platform.url(&path)).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(&format!("Join {organization}")) && page.contains("name=\"name\""), "{page}");
    let stranger = Browser::stranger(platform).await;
    let joined = stranger.submit(&path, &format!("name={}", name.replace(' ', "+"))).await;
    let status = joined.status();
    if status != StatusCode::SEE_OTHER {
        panic!("{status}: {}", joined.text().await.unwrap());
    }
    assert_eq!(joined.headers()[LOCATION], "/");
    let cookie = joined.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    let again = stranger.submit(&path, "name=Mallory").await;
    assert_eq!(again.status(), StatusCode::GONE, "a link is good once");
    Browser::with(platform, &cookie)
}

pub(crate) async fn me(browser: &Browser<'_>) -> (StatusCode, Value) {
    let request = browser.platform.client.get(browser.platform.url("/api/v1/me")).header(COOKIE, &browser.cookie);
    json(request.send().await.unwrap()).await
}

/// Two organizations with a manager's token each, and a site of the first with a build and a deploy.
struct Neighbours<'a> {
    north: Holder<'a>,
    south: Holder<'a>,
    site: String,
    build: String,
    deploy: String,
}

async fn neighbours(platform: &Platform) -> Neighbours<'_> {
    organization(platform, "north").await;
    organization(platform, "south").await;
    let north = token(platform, json!({ "name": "north", "scopes": ["manage"], "organization": "north" })).await;
    let south = token(platform, json!({ "name": "south", "scopes": ["manage"], "organization": "south" })).await;
    assert_eq!(north.ask(Method::POST, "/sites", site("docs", "north")).await.0, StatusCode::CREATED);
    let site = platform.get("/sites/docs").await.1["id"].as_str().unwrap().to_owned();
    let deploy = platform.built(site.parse().unwrap(), 1).await.to_string();
    let build = platform.get("/sites/docs/builds").await.1["items"][0]["id"].as_str().unwrap().to_owned();
    platform.level().await;
    Neighbours { north, south, site, build, deploy }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_another_organization_does_not_exist() {
    let platform = Platform::start().await;
    let Neighbours { north, south, site: id, build, deploy } = neighbours(&platform).await;
    for (path, missing) in [
        ("/sites/docs".to_owned(), "site_not_found"),
        (format!("/sites/{id}"), "site_not_found"),
        ("/sites/docs?at=1000000".to_owned(), "site_not_found"),
        ("/sites/docs/builds".to_owned(), "site_not_found"),
        ("/sites/docs/deploys".to_owned(), "site_not_found"),
        ("/sites/docs/aliases".to_owned(), "site_not_found"),
        ("/sites/docs/events".to_owned(), "site_not_found"),
        ("/sites/docs/deliveries".to_owned(), "site_not_found"),
        ("/events?site=docs".to_owned(), "site_not_found"),
        (format!("/events/live?site={id}"), "site_not_found"),
        (format!("/builds/{build}"), "build_not_found"),
        (format!("/builds/{build}/log"), "build_not_found"),
        (format!("/deploys/{deploy}"), "deploy_not_found"),
        (format!("/deploys/{deploy}/files"), "deploy_not_found"),
        ("/explain?url=https://docs.pages.test/".to_owned(), "host_not_found"),
        ("/explain?url=docs.nowhere.test".to_owned(), "host_not_found"),
        ("/organizations/north".to_owned(), "organization_not_found"),
        ("/organizations/north/sites".to_owned(), "organization_not_found"),
        ("/organizations/north/members".to_owned(), "organization_not_found"),
        ("/organizations/north/invitations".to_owned(), "organization_not_found"),
    ] {
        assert_eq!(code(&south.get(&path).await), (404, missing), "{path}");
        if !path.contains("/live") && !path.contains("/log") && !path.contains("/files") && !path.contains("/explain") {
            assert_eq!(north.get(&path).await.0, StatusCode::OK, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_facts_have_what_is_ones_own() {
    let platform = Platform::start().await;
    let Neighbours { north, south, site: id, .. } = neighbours(&platform).await;
    for list in ["/sites", "/organizations", "/events?limit=1000", "/audit?limit=1000", "/tokens"] {
        let (seen, hidden) = (north.get(list).await.1.to_string(), south.get(list).await.1.to_string());
        assert!(!hidden.contains("north") && !hidden.contains("docs"), "{list}: {hidden}");
        assert!(seen.contains("north") || seen.contains("docs"), "{list}: {seen}");
    }
    // Facts of others are not told by their place either.
    for sequence in 1..=platform.log.last_sequence().await.unwrap() {
        let told = platform.get(&format!("/events/{sequence}")).await.1.to_string();
        if told.contains(&id) {
            assert_eq!(code(&south.get(&format!("/events/{sequence}")).await), (404, "not_found"), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_another_organization_cannot_be_touched() {
    let platform = Platform::start().await;
    let Neighbours { south, build, deploy, .. } = neighbours(&platform).await;
    for (method, path, body, missing) in [
        (Method::PATCH, "/sites/docs", json!({ "branch": "x" }), "site_not_found"),
        (Method::DELETE, "/sites/docs", Value::Null, "site_not_found"),
        (Method::POST, "/sites/docs/builds", json!({}), "site_not_found"),
        (Method::PUT, "/sites/docs/lock", json!({ "reason": "x" }), "site_not_found"),
        (Method::PUT, "/sites/docs/aliases/live", json!({ "deploy": deploy }), "site_not_found"),
        (Method::POST, "/sites/docs/webhook-secret", json!({}), "site_not_found"),
        (Method::POST, &*format!("/builds/{build}/cancel"), json!({}), "build_not_found"),
        (Method::POST, "/sites", site("steal", "north"), "organization_not_found"),
        (Method::POST, "/sites", site("steal", "nobody"), "organization_not_found"),
        (Method::PATCH, "/organizations/north", json!({ "name": "x" }), "organization_not_found"),
        (
            Method::POST,
            "/tokens",
            json!({ "name": "x", "scopes": ["read"], "organization": "north" }),
            "organization_not_found",
        ),
        (Method::POST, "/tokens", json!({ "name": "x", "scopes": ["read"], "site": "docs" }), "site_not_found"),
    ] {
        let patch = method == Method::PATCH;
        let refused = if patch {
            let request = platform.client.patch(platform.url(&format!("/api/v1{path}"))).bearer_auth(&south.token);
            let request = request.header("content-type", "application/merge-patch+json").body(body.to_string());
            json(request.send().await.unwrap()).await
        } else {
            south.ask(method, path, body).await
        };
        assert_eq!(code(&refused), (404, missing), "{path}");
    }
    assert_eq!(code(&south.ask(Method::POST, "/organizations", json!({ "name": "more" })).await), (403, "forbidden"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_what_its_scope_says_until_it_ends() {
    let platform = Platform::start().await;
    organization(&platform, "north").await;
    platform.send(Method::POST, "/sites", site("docs", "north")).await;
    platform.send(Method::POST, "/sites", site("blog", "north")).await;
    let reader = token(&platform, json!({ "name": "reader", "scopes": ["read"], "organization": "north" })).await;
    let deployer = token(&platform, json!({ "name": "ci", "scopes": ["read", "deploy"], "site": "docs" })).await;
    let request = platform.client.get(platform.url("/api/v1/sites/docs")).bearer_auth(&reader.token);
    let answered = request.send().await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
    assert_eq!(answered.headers()["ratelimit-policy"], "\"api\";q=1000;w=10");
    assert!(answered.headers()["ratelimit"].to_str().unwrap().starts_with("\"api\";r="));
    let refused = reader.ask(Method::POST, "/sites/docs/builds", json!({})).await;
    assert_eq!(code(&refused), (403, "forbidden"));
    assert!(refused.1["detail"].as_str().unwrap().contains("scope `deploy`"), "{refused:?}");
    assert_eq!(deployer.ask(Method::POST, "/sites/docs/builds", json!({})).await.0, StatusCode::CREATED);
    assert_eq!(code(&deployer.ask(Method::POST, "/sites/blog/builds", json!({})).await), (404, "site_not_found"));
    let refused = deployer.ask(Method::PUT, "/sites/docs/lock", json!({ "reason": "x" })).await;
    assert_eq!(code(&refused), (403, "forbidden"));
    assert_eq!(deployer.get("/sites").await.1["items"].as_array().unwrap().len(), 1);
    let built = platform.get("/sites/docs/events?limit=1000").await.1.to_string();
    assert!(built.contains("token:ci/"), "facts name the token: {built}");

    let listed = platform.get("/tokens").await.1;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(&reader.token) && !listed.to_string().contains(&deployer.token));
    let id = reader.token.split('_').nth(1).unwrap();
    assert_eq!(
        code(&deployer.ask(Method::DELETE, &format!("/tokens/{id}"), Value::Null).await),
        (404, "token_not_found")
    );
    for _ in 0..2 {
        let revoked = platform.send(Method::DELETE, &format!("/tokens/{id}"), Value::Null).await;
        assert_eq!(revoked.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(code(&reader.get("/sites").await), (401, "unauthorized"));
    let other = reader.token.replace(id, deployer.token.split('_').nth(1).unwrap());
    let mixed = Holder { platform: &platform, token: other };
    assert_eq!(code(&mixed.get("/sites").await), (401, "unauthorized"), "the secret of one is not that of another");

    let past = json!({ "name": "late", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z" });
    assert_eq!(code(&platform.send(Method::POST, "/tokens", past).await), (422, "invalid_input"));
    let soon = (runtime::clock::now() + time::Duration::seconds(2)).replace_nanosecond(0).unwrap();
    let soon = soon.format(&time::format_description::well_known::Rfc3339).unwrap();
    let brief = token(&platform, json!({ "name": "brief", "scopes": ["read"], "expires_at": soon })).await;
    let wanted = json!({ "name": "longer", "scopes": ["read"] });
    let wide = json!({ "name": "wide", "scopes": ["manage"], "expires_at": "2999-01-01T00:00:00Z" });
    let wide = token(&platform, wide).await;
    assert_eq!(wide.ask(Method::POST, "/tokens", wanted).await.0, StatusCode::CREATED);
    let listed = platform.get("/tokens").await.1["items"].clone();
    let longer = listed.as_array().unwrap().iter().find(|token| token["name"] == "longer").unwrap();
    assert_eq!(longer["expires_at"], "2999-01-01T00:00:00Z", "it does not outlive the token that made it");
    let ended = async { while brief.get("/sites").await.0 != StatusCode::UNAUTHORIZED {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.expect("its time is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_person_joins_acts_under_their_name_and_is_forgotten() {
    let platform = Platform::start().await;
    organization(&platform, "north").await;
    let ada = invited(&platform, "north", "Ada Lovelace", "manager").await;
    let (status, known) = me(&ada).await;
    assert_eq!(
        (status, &known["name"], &known["email"]),
        (StatusCode::OK, &json!("Ada Lovelace"), &json!("ada@mail.test"))
    );
    assert_eq!((&known["roles"], &known["organizations"][0]["role"]), (&json!([]), &json!("manager")));
    let id = known["id"].as_str().unwrap().to_owned();
    assert!(ada.page("/account").await.contains("Ada Lovelace"));
    let form = "name=docs&repository=https%3A%2F%2Fgit.test%2Facme%2Fdocs.git&branch=main&engine=static&organization=north&anyway=yes";
    assert_eq!(ada.submit("/sites", form).await.headers()[LOCATION], "/sites/docs/begin");
    let audit = format!("/audit?actor=user:{id}&type=site.created");
    assert_eq!(platform.get(&audit).await.1["items"].as_array().unwrap().len(), 1);
    platform.level().await;
    assert!(ada.page("/timeline").await.contains("Ada Lovelace"));
    let members = platform.get("/organizations/north/members").await.1;
    assert_eq!(members["items"][0]["name"], "Ada Lovelace");
    assert!(ada.page("/organizations/north").await.contains("ada@mail.test"));
    let elsewhere = ada.submit("/organizations", "name=more").await;
    assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN, "a manager of one organization makes no other");

    for sequence in 1..=platform.log.last_sequence().await.unwrap() {
        let fact = platform.log.fact(sequence).await.unwrap().unwrap();
        let text = format!("{}{}", fact.event.payload(), fact.envelope.actor);
        assert!(!text.contains("Ada") && !text.contains("mail.test"), "the log tells who somebody is: {text}");
    }
    let erased = platform.send(Method::DELETE, &format!("/users/{id}"), Value::Null).await;
    assert_eq!(erased.0, StatusCode::NO_CONTENT, "{erased:?}");
    assert_eq!(code(&me(&ada).await), (401, "unauthorized"), "their session is over");
    platform.level().await;
    assert_eq!(platform.get("/organizations/north/members").await.1["items"], json!([]), "they belong to nothing");
    let known = platform.get("/users").await.1["items"][0].clone();
    assert_eq!((&known["name"], &known["email"]), (&Value::Null, &Value::Null));
    let operator = Browser::sign_in(&platform).await;
    let timeline = operator.page("/timeline").await;
    assert!(timeline.contains("erased") && !timeline.contains("Ada"), "{timeline}");
    let last = platform.log.last_sequence().await.unwrap();
    let facts = [last - 1, last].map(|sequence| platform.log.fact(sequence));
    let stated = futures::future::join_all(facts).await.into_iter().map(|fact| fact.unwrap().unwrap().event);
    assert!(stated.into_iter().any(|event| event == Event::User(UserEvent::Erased {})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_what_the_organization_says_now() {
    let platform = Platform::start().await;
    organization(&platform, "north").await;
    let ada = invited(&platform, "north", "Ada", "manager").await;
    let ben = invited(&platform, "north", "Ben", "user").await;
    let (ada_id, ben_id) = (me(&ada).await.1["id"].clone(), me(&ben).await.1["id"].clone());
    let path = |id: &Value| format!("/organizations/north/members/{}", id.as_str().unwrap());
    let demoted = platform.send(Method::PUT, &path(&ada_id), json!({ "role": "user" })).await;
    assert_eq!(code(&demoted), (409, "last_manager"));
    let form = format!("{}/remove", path(&ada_id));
    let refused = ben.submit(&form, "").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN, "a user does not decide who belongs to it");
    assert_eq!(platform.send(Method::PUT, &path(&ben_id), json!({ "role": "manager" })).await.0, StatusCode::OK);
    let removed = ben.submit(&form, "").await;
    assert_eq!(removed.status(), StatusCode::SEE_OTHER);
    platform.level().await;
    let (status, known) = me(&ada).await;
    assert_eq!((status, &known["organizations"]), (StatusCode::OK, &json!([])));
    let gone = ada.platform.client.get(platform.url("/organizations/north")).header(COOKIE, &ada.cookie);
    assert_eq!(gone.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let stays = format!("{}/remove", path(&ada_id));
    assert_eq!(ada.submit(&stays, "").await.status(), StatusCode::NOT_FOUND, "whoever is no member learns nothing");
    let (_, sent) = platform
        .send(Method::POST, "/organizations/north/invitations", json!({ "email": "b@mail.test", "role": "user" }))
        .await;
    let link = sent["url"].as_str().unwrap().strip_prefix("https://pagefold.test").unwrap();
    assert_eq!(ben.submit(link, "").await.status(), StatusCode::SEE_OTHER);
    platform.level().await;
    assert_eq!(me(&ben).await.1["organizations"][0]["role"], "manager", "an invitation takes nothing away");
    let nobody = "/organizations/north/members/00000000-0000-4000-8000-000000000000";
    let refused = platform.send(Method::PUT, nobody, json!({ "role": "user" })).await;
    assert_eq!(code(&refused), (404, "user_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn support_sees_everything_and_changes_nothing() {
    let platform = Platform::start().await;
    organization(&platform, "north").await;
    organization(&platform, "south").await;
    platform.send(Method::POST, "/sites", site("docs", "north")).await;
    let sue = invited(&platform, "south", "Sue", "user").await;
    let id = me(&sue).await.1["id"].as_str().unwrap().to_owned();
    assert_eq!(
        platform.send(Method::PUT, &format!("/users/{id}/role"), json!({ "role": "support" })).await.0,
        StatusCode::OK
    );
    assert!(sue.page("/sites/docs").await.contains("docs"));
    for (path, form) in
        [("/sites/docs/builds", "branch=main"), ("/sites/docs/delete", ""), ("/sites/docs/lock", "reason=x")]
    {
        assert_eq!(sue.submit(path, form).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_signs_in_once() {
    let platform = Platform::start().await;
    let (status, link) = platform.send(Method::POST, "/sign-in-links", json!({})).await;
    assert_eq!(status, StatusCode::CREATED, "{link}");
    let path = link["url"].as_str().unwrap().strip_prefix("https://pagefold.test").unwrap();
    let first = platform.client.get(platform.url(path)).header(USER_AGENT, "Linux Firefox/1").send().await.unwrap();
    assert_eq!(first.status(), StatusCode::SEE_OTHER);
    let cookie = first.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let browser = Browser::with(&platform, &cookie);
    assert_eq!(me(&browser).await.1["roles"], json!(["admin"]));
    let (_, other) = platform.send(Method::POST, "/sign-in-links", json!({})).await;
    let path_of_other = other["url"].as_str().unwrap().strip_prefix("https://pagefold.test").unwrap();
    platform.client.get(platform.url(path_of_other)).send().await.unwrap();
    let listed = platform.get("/sessions").await.1["items"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    assert_eq!((&listed[0]["browser"], &listed[1]["browser"]), (&Value::Null, &json!("Firefox on Linux")));
    // The newest is the other one; the oldest is ended.
    let first_id = listed[1]["id"].as_str().unwrap();
    assert_eq!(
        platform.send(Method::DELETE, &format!("/sessions/{first_id}"), Value::Null).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(code(&me(&browser).await), (401, "unauthorized"), "it is over everywhere");
    assert_eq!(platform.get("/sessions").await.1["items"], json!([listed[0]]));
    let again = platform.send(Method::DELETE, &format!("/sessions/{first_id}"), Value::Null).await;
    assert_eq!(code(&again), (404, "not_found"));
    for over in [path, "/sign-in/guessed"] {
        let again = platform.client.get(platform.url(over)).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::GONE);
        assert!(again.headers().get(SET_COOKIE).is_none());
    }
    ended_by_a_token_of_their_own(&platform).await;
    let reader = token(&platform, json!({ "name": "reader", "scopes": ["read"] })).await;
    let refused = reader.ask(Method::POST, "/sign-in-links", json!({})).await;
    assert_eq!(code(&refused), (403, "forbidden"), "a session would have more authority than the token");
}

async fn ended_by_a_token_of_their_own(platform: &Platform) {
    organization(platform, "north").await;
    let ada = invited(platform, "north", "Ada", "manager").await;
    let account = ada.page("/account").await;
    assert!(account.contains("<strong>this one</strong>"), "{account}");
    for (scope, ends) in [("read", false), ("manage", true)] {
        let page =
            ada.submit("/account", &format!("name=own-{scope}&scope={scope}&days=1")).await.text().await.unwrap();
        let secret = page.split("The token is <code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let own = Holder { platform, token: secret };
        let (status, listed) = own.get("/sessions").await;
        if !ends {
            assert_eq!(code(&(status, listed)), (403, "forbidden"), "it has less authority than its maker");
            continue;
        }
        let items = listed["items"].as_array().unwrap();
        assert_eq!((items.len(), &items[0]["current"]), (1, &json!(false)), "{listed}");
        let path = format!("/sessions/{}", items[0]["id"].as_str().unwrap());
        assert_eq!(own.ask(Method::DELETE, &path, Value::Null).await.0, StatusCode::NO_CONTENT);
        assert_eq!(code(&me(&ada).await), (401, "unauthorized"), "the browser is signed out");
    }
}
