//! The pages: who sees them, what they say, and that their forms come from us.

use crate::platform::{Platform, TOKEN};
use events::Outcome;
use reqwest::header::{CONTENT_SECURITY_POLICY, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};

/// A browser that has signed in.
pub(crate) struct Browser<'a> {
    pub(crate) platform: &'a Platform,
    pub(crate) cookie: String,
}

impl<'a> Browser<'a> {
    pub(crate) async fn sign_in(platform: &'a Platform) -> Self {
        let form = "token=a-token-for-tests&next=%2Ftimeline";
        let response = Browser::stranger(platform).await.submit("/login", form).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[LOCATION], "/timeline");
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains(TOKEN), "{cookie}");
        Self::with(platform, &cookie)
    }

    /// A browser that keeps the cookie of an answer.
    pub(crate) fn with(platform: &'a Platform, cookie: &str) -> Self {
        Self { platform, cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    /// A browser that has seen nothing but the page for signing in.
    pub(crate) async fn stranger(platform: &'a Platform) -> Self {
        let response = platform.client.get(platform.url("/login")).send().await.unwrap();
        Self::with(platform, response.headers()[SET_COOKIE].to_str().unwrap())
    }

    /// What the forms of its pages have.
    pub(crate) async fn form_token(&self) -> String {
        let page = self.platform.client.get(self.platform.url("/login")).header(COOKIE, &self.cookie);
        form_token(&page.send().await.unwrap().text().await.unwrap())
    }

    pub(crate) async fn page(&self, path: &str) -> String {
        let response =
            self.platform.client.get(self.platform.url(path)).header(COOKIE, &self.cookie).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let nonce = policy.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let page = response.text().await.unwrap();
        // Nothing is inline, and what is loaded has the nonce.
        assert_eq!(
            page.matches("<script").count(),
            page.matches(&format!("nonce=\"{nonce}\" defer></script>")).count()
        );
        assert!(!page.contains("<style") && !page.contains(" style=\"") && !page.contains(" onclick="), "{path}");
        page
    }

    pub(crate) async fn ask(&self, path: &str) -> Response {
        self.platform.client.get(self.platform.url(path)).header(COOKIE, &self.cookie).send().await.unwrap()
    }

    pub(crate) async fn submit(&self, path: &str, form: &str) -> Response {
        let form = format!("form_token={}&{form}", self.form_token().await);
        post(self.platform, path, &form).header(COOKIE, &self.cookie).send().await.unwrap()
    }
}

/// What the first form of a page has.
pub(crate) fn form_token(page: &str) -> String {
    page.split("name=\"form_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

pub(crate) fn post(platform: &Platform, path: &str, form: &str) -> RequestBuilder {
    let origin = format!("http://{}", platform.host());
    let request = platform.client.post(platform.url(path)).header(ORIGIN, origin);
    request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_sent_to_sign_in_and_comes_back() {
    let platform = Platform::start().await;
    for (path, back) in
        [("/", "%2F"), ("/timeline?site=docs", "%2Ftimeline%3Fsite%3Ddocs"), ("/sites/docs", "%2Fsites%2Fdocs")]
    {
        let response = platform.client.get(platform.url(path)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[LOCATION], format!("/login?next={back}"));
    }
    let refused = Browser::stranger(&platform).await.submit("/login", "token=wrong").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(refused.headers().get(SET_COOKIE).is_none());
    assert!(refused.text().await.unwrap().contains("not known here"));
    let with_header = platform.client.get(platform.url("/")).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(with_header.status(), StatusCode::OK);
    Browser::sign_in(&platform).await.page("/").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_a_nonce_of_its_own_and_nothing_runs_without_it() {
    let platform = Platform::start().await;
    let mut nonces = std::collections::BTreeSet::new();
    for path in ["/", "/", "/login", "/sites/none", "/nowhere", "/timeline", "/events/none"] {
        let response = platform.client.get(platform.url(path)).bearer_auth(TOKEN).send().await.unwrap();
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        let nonce = policy.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(nonce.len() >= 22 && policy.contains(&format!("style-src 'nonce-{nonce}';")), "{path}: {policy}");
        assert!(!policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
        let page = response.text().await.unwrap();
        if page.starts_with("<!DOCTYPE html>") {
            assert_eq!(page.matches(&format!("nonce=\"{nonce}\"")).count(), 2, "{path}: {page}");
        }
        assert!(nonces.insert(nonce), "{path} has the nonce of another answer");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lists_and_assets_are_compressed_and_what_flows_or_has_a_tag_is_not() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    // Long enough to be worth compressing.
    let demo = serde_json::json!({ "demo_branch": "x".repeat(250) });
    assert_eq!(platform.patch("/sites/docs", None, demo).await.0, StatusCode::OK);
    let build = platform.running_build(docs, 1).await;
    let page = Browser::sign_in(&platform).await.page("/").await;
    let style = page.split('"').find(|part| part.ends_with("style.css")).unwrap().to_owned();
    let encoding = async |path: &str| {
        let request = platform.client.get(platform.url(path)).bearer_auth(TOKEN).header("accept-encoding", "gzip, br");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.headers().get("content-encoding").map(|name| name.to_str().unwrap().to_owned())
    };
    for path in ["/", "/sites/docs", &style, "/api/v1/openapi.json"] {
        assert_eq!(encoding(path).await.as_deref(), Some("gzip"), "{path}");
    }
    let log = format!("/api/v1/builds/{build}/log?follow=1");
    for path in ["/api/v1/events/live", &log, "/api/v1/sites/docs", "/healthz"] {
        assert_eq!(encoding(path).await, None, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_shows_what_there_is_and_says_what_to_do_next() {
    let platform = Platform::start().await;
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/").await.contains("There are no sites yet"));
    assert!(browser.page("/timeline").await.contains("Nothing has happened yet"));
    let form = "name=docs&repository=https%3A%2F%2Fgit.test%2Facme%2Fdocs.git&branch=main&demo_branch=&engine=static&organization=acme&anyway=yes";
    assert_eq!(browser.submit("/sites", form).await.headers()[LOCATION], "/sites/docs/begin");
    assert!(browser.page("/sites/docs").await.contains("No builds yet"));

    let docs = platform.site_id("docs").await;
    let build = platform.running_build(docs, 1).await;
    let page = browser.page(&format!("/builds/{build}")).await;
    assert!(page.contains("data-follow=\"/api/v1/builds/") && page.contains("Cancel"), "{page}");
    platform.finish(build, Outcome::Success).await;
    let first = platform.published(docs, build, 1).await;
    let build = platform.running_build(docs, 2).await;
    platform.finish(build, Outcome::Success).await;
    let second = platform.published(docs, build, 2).await;
    assert!(!browser.page(&format!("/builds/{build}")).await.contains("data-follow"));
    let page = browser.page("/sites/docs").await;
    assert!(page.contains("Roll live back") && page.contains(second.as_str()), "{page}");
    let rollback = format!("alias=live&deploy={first}&expected={second}");
    assert_eq!(browser.submit("/sites/docs/aliases", &rollback).await.status(), StatusCode::SEE_OTHER);
    assert!(browser.page("/sites/docs").await.contains("chosen by tester (operator)"));
    let again = browser.submit("/sites/docs/aliases", &rollback).await;
    assert_eq!(again.status(), StatusCode::SEE_OTHER, "a button that is pressed twice is harmless");
    let stale = format!("alias=live&deploy={second}&expected={second}");
    let moved = browser.submit("/sites/docs/aliases", &stale).await;
    assert_eq!(moved.status(), StatusCode::CONFLICT);
    assert!(moved.text().await.unwrap().contains("alias_moved"));

    assert!(browser.page("/").await.contains("http://docs.pages.test:8080/"));
    let page = browser.page("/timeline?site=docs").await;
    assert!(
        page.contains("<code>live</code> was set to build 1 by hand.") && page.contains("/timeline?correlation="),
        "{page}"
    );
    assert!(browser.page("/sites/docs/delete").await.contains("Within 30 days it can be restored"));
    assert_eq!(browser.submit("/sites/docs/delete", "").await.headers()[LOCATION], "/");
    assert!(browser.page("/").await.contains("There are no sites yet"));
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_of_other_sites_and_sessions_on_the_api_change_nothing() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let browser = Browser::sign_in(&platform).await;
    let form = |headers: &[(&str, &str)]| {
        let mut request = platform.client.post(platform.url("/sites/docs/delete")).header(COOKIE, &browser.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send()
    };
    let here = format!("http://{}", platform.host());
    for headers in [
        &[][..],
        &[("origin", "https://evil.test")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", here.as_str())],
    ] {
        let response = form(headers).await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{headers:?}");
    }
    let api = platform.url("/api/v1/sites/docs");
    let with_cookie = platform.client.delete(&api).header(COOKIE, &browser.cookie).send().await.unwrap();
    assert_eq!(with_cookie.status(), StatusCode::UNAUTHORIZED);
    let read = platform.client.get(&api).header(COOKIE, &browser.cookie).send().await.unwrap();
    assert_eq!(read.status(), StatusCode::OK, "a page may follow streams with its session");
    let left = browser.submit("/logout", "").await;
    assert!(left.headers()[SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    let read = platform.client.get(&api).header(COOKIE, &browser.cookie).send().await.unwrap();
    assert_eq!(read.status(), StatusCode::UNAUTHORIZED, "a session that was left is over, whoever kept its cookie");
    let page = platform.client.get(platform.url("/")).header(COOKIE, &browser.cookie).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_wrote_is_shown_as_text_and_assets_are_kept_by_browsers() {
    let platform = Platform::start().await;
    let browser = Browser::sign_in(&platform).await;
    let page = browser.page("/timeline?subject=site%2F%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert!(!page.contains("<script>alert"), "{page}");
    let script = page.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    let response = platform.client.get(platform.url(script)).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/javascript; charset=utf-8");
    assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(
        platform.client.get(platform.url("/assets/x.css")).send().await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_edited_in_a_form_that_notices_when_it_is_out_of_date() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let browser = Browser::sign_in(&platform).await;
    let form = browser.page("/sites/docs/settings").await;
    for shown in ["value=\"docs\"", "value=\"https://git.test/acme/docs.git\"", "name=\"version\" value=\"1\""] {
        assert!(form.contains(shown), "{shown} in {form}");
    }
    let fields = |name: &str, version: u64| {
        let repository = "https%3A%2F%2Fgit.test%2Facme%2Fcorrected.git";
        format!("name={name}&repository={repository}&branch=trunk&demo_branch=&engine=hugo&version={version}")
    };
    let saved = browser.submit("/sites/docs/settings", &fields("guide", 1)).await;
    assert_eq!((saved.status(), &saved.headers()[LOCATION]), (StatusCode::SEE_OTHER, &"/sites/guide".parse().unwrap()));
    let page = browser.page("/sites/guide").await;
    assert!(page.contains("https://git.test/acme/corrected.git") && page.contains("trunk"), "{page}");
    assert!(browser.page("/sites/docs/settings").await.contains("<option value=\"hugo\" selected>"));

    let all = format!("{}&cancel_running=all", fields("guide", 3));
    assert_eq!(browser.submit("/sites/guide/settings", &all).await.status(), StatusCode::SEE_OTHER);
    assert!(browser.page("/sites/guide/settings").await.contains("<option value=\"all\" selected>"));
    assert!(browser.page("/sites/guide").await.contains("a newer push ends what runs: all"));
    let answers =
        "&html_handling=drop-trailing-slash&not_found_handling=single-page-application&rules_dialect=cloudflare";
    let answers = format!("{}{answers}", fields("guide", 4));
    assert_eq!(browser.submit("/sites/guide/settings", &answers).await.status(), StatusCode::SEE_OTHER);
    let form = browser.page("/sites/guide/settings").await;
    for chosen in ["drop-trailing-slash", "single-page-application", "cloudflare"] {
        assert!(form.contains(&format!("<option value=\"{chosen}\" selected>")), "{chosen}: {form}");
    }
    assert!(form.contains("<option value=\"all\" selected>"), "what the form does not name stays: {form}");
    assert!(browser.page("/sites/guide").await.contains("where there is no file: single-page-application"));

    let stated = platform.log.last_sequence().await.unwrap();
    let stale = browser.submit(&format!("/sites/{docs}/settings"), &fields("docs", 1)).await;
    assert_eq!(stale.status(), StatusCode::PRECONDITION_FAILED);
    let page = stale.text().await.unwrap();
    assert!(page.contains("site_changed") && page.contains("value=\"docs\""), "what was typed is there: {page}");
    assert!(page.contains("Saved meanwhile: <code>guide</code>"), "and what somebody else has saved: {page}");
    let version = browser.page("/sites/guide/settings").await;
    let version = version.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(page.contains(&format!("name=\"version\" value=\"{version}\"")), "{page}");
    let wrong = format!("{}&watch=docs%2F**&preview_days=9999", fields("guide", 5));
    for (form, typed, field) in [
        (fields("Bad%20Name", 5), "value=\"Bad Name\"", "name"),
        (fields("guide", 5).replace("trunk", "a..b"), "value=\"a..b\"", "branch"),
        (wrong, "value=\"9999\"", "preview-days"),
        (format!("{}&schedules=at+noon", fields("guide", 5)), "at noon</textarea>", "schedules"),
        (fields("guide", 5).replace("git.test", "127.0.0.1"), "https://127.0.0.1/acme", "repository"),
    ] {
        let refused = browser.submit("/sites/guide/settings", &form).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        let page = refused.text().await.unwrap();
        let at = format!("id=\"{field}-error\"");
        assert!(page.contains(typed) && page.contains(&at) && page.contains("aria-invalid=\"true\""), "{form}: {page}");
        assert!(page.contains("Settings of guide") && page.contains("value=\"hugo\" selected"), "{page}");
    }
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_for_a_new_site_is_there_again_when_it_is_refused() {
    let platform = Platform::start().await;
    platform.create_site("taken").await;
    let browser = Browser::sign_in(&platform).await;
    let stated = platform.log.last_sequence().await.unwrap();
    let fields = "branch=trunk&demo_branch=next&engine=hugo&organization=acme&anyway=yes";
    let at = |host: &str| format!("https%3A%2F%2F{host}%2Facme%2Fdocs.git");
    for (name, repository, status, code, field) in [
        ("taken", at("git.test"), 409, "site_exists", "name"),
        ("Bad+Name", at("git.test"), 422, "invalid_input", "name"),
        ("docs", at("127.0.0.1"), 422, "repository_not_allowed", "repository"),
        ("docs", String::new(), 422, "invalid_input", "repository"),
        ("docs", "nonsense".to_owned(), 422, "invalid_input", "repository"),
    ] {
        let form = format!("name={name}&repository={repository}&{fields}");
        let refused = browser.submit("/sites", &form).await;
        assert_eq!(refused.status().as_u16(), status, "{form}");
        let page = refused.text().await.unwrap();
        let (name, repository) = (name.replace('+', " "), repository.replace("%3A", ":").replace("%2F", "/"));
        for shown in [&name, &repository, "trunk", "next", "acme"] {
            assert!(page.contains(&format!("value=\"{shown}\"")), "{form}: {shown} in {page}");
        }
        assert!(page.contains("<option value=\"hugo\" selected>") && page.contains(code), "{form}: {page}");
        assert!(page.contains(&format!("id=\"{field}-error\"")), "{form}: {page}");
    }
    let form = format!("name=taken&template=11ty&repository=&{fields}");
    let page = browser.submit("/sites", &form).await.text().await.unwrap();
    assert!(page.contains("<option value=\"11ty\" selected>") && page.contains("site_exists"), "{page}");
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_of_sites_is_searched_filtered_ordered_and_shown_in_pages() {
    let platform = Platform::start().await;
    let first = platform.create_site("site-000").await;
    let names: Vec<String> = (1..=60).map(|number| format!("site-{number:03}")).collect();
    futures::future::join_all(names.iter().map(|name| platform.create_site(name))).await;
    platform.level().await;
    let browser = Browser::sign_in(&platform).await;
    let page = browser.page("/").await;
    assert!(
        page.contains("/sites/site-049\"") && !page.contains("<a href=\"/sites/site-050\">site-050</a></th>"),
        "{page}"
    );
    let next = page.split("<a href=\"").find(|rest| rest.contains("Next page")).unwrap().split('"').next().unwrap();
    let second = browser.page(next).await;
    assert!(second.contains("/sites/site-050\"") && !second.contains("/sites/site-049\""), "{next} {second}");
    assert!(second.contains("Page 2 of 2") && !second.contains("Next page"));
    let found = browser.page("/?search=E-03").await;
    assert!(
        found.contains("/sites/site-035\"") && !found.contains("/sites/site-029\"") && !found.contains("rel=\"next\"")
    );

    let build = platform.running_build(first, 1).await;
    assert!(browser.page("/").await.contains("Building now"));
    platform.finish(build, Outcome::Failure).await;
    let last = platform.site_id("site-060").await;
    let broken = platform.running_build(last, 2).await;
    platform.finish(broken, Outcome::Failure).await;
    let page = browser.page("/").await;
    assert!(page.contains("The script <code>pages</code> exited with 1."), "what failed tells why: {page}");
    let (list, second) = (page.split("<table>").nth(1).unwrap(), page.find("site-001").unwrap());
    assert!(list.find("site-060").unwrap() < list.find("site-001").unwrap() && second > 0, "what failed comes first");
    let failed = browser.page("/?show=failed").await;
    assert!(failed.contains("/sites/site-060\"") && !failed.contains("/sites/site-001\""), "{failed}");
    let by_name = browser.page("/?order=name&search=site-0").await;
    let list = by_name.split("<table>").nth(1).unwrap();
    assert!(list.find("site-000").unwrap() < list.find("site-001").unwrap(), "{by_name}");
    assert!(browser.page("/?search=nothing").await.contains("No site fits."));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_shown_to_whom_it_waits_for() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let browser = Browser::sign_in(&platform).await;
    let page = browser.page("/").await;
    assert!(page.contains("Waiting for you") && page.contains("waits for its first ping"), "{page}");
    let reason = serde_json::json!({ "reason": "election day" });
    assert_eq!(platform.send(Method::PUT, "/sites/docs/lock", reason).await.0, StatusCode::OK);
    let page = browser.page("/").await;
    assert!(page.contains("is locked by you") && page.contains("election day"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_a_log_have_numbers_and_are_found() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let build = platform.running_build(docs, 1).await;
    let launcher = platform.service("launcher").await;
    let mut log = runtime::build_log::Writer::open(launcher.connection(), build).await.unwrap();
    for line in ["one", "\u{1b}[31mtwo <b>", "\u{1b}[0mthree"] {
        log.line(line);
    }
    log.flush().await.unwrap();
    platform.finish(build, Outcome::Failure).await;
    let page = browser_page(&platform, &format!("/builds/{build}")).await;
    assert!(page.contains("<span class=\"line\" id=\"L2\"><a href=\"#L2\""), "{page}");
    assert!(page.contains("<span class=\"ansi-red\">two &lt;b&gt;</span>"), "{page}");
    let found = browser_page(&platform, &format!("/builds/{build}?search=TWO")).await;
    assert!(found.contains("<a href=\"#L2\">Line 2</a>") && !found.contains("\">Line 1</a>"), "{found}");
}

async fn browser_page(platform: &Platform, path: &str) -> String {
    Browser::sign_in(platform).await.page(path).await
}
