//! Forms that change something are taken from whoever they were made for alone.

use crate::dashboard::{Browser, post};
use crate::platform::Platform;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::collections::BTreeSet;

const ROUTES: &str = include_str!("../../src/dashboard.rs");
/// The field of a form that its token is in.
const FIELD: &str = "name=\"form_token\" value=\"";

/// Every address of the dashboard that forms are sent to, as the router knows them.
fn addresses() -> Vec<String> {
    let routes = ROUTES.split(".route(\"").skip(1);
    let posted = routes.filter_map(|route| {
        let (path, handlers) = route.split_once('"')?;
        let handlers = handlers.split(".route").next()?;
        handlers.contains("post(").then(|| path.to_owned())
    });
    let named = posted.map(|path| {
        let id = "00000000-0000-4000-8000-000000000000";
        path.replace("{site}", "docs")
            .replace("{organization}", "north")
            .replace("{secret}", "x")
            .split('/')
            .map(|part| if part.starts_with('{') { id } else { part })
            .collect::<Vec<_>>()
            .join("/")
    });
    named.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_is_taken_without_the_token_of_whoever_sends_it() {
    let platform = Platform::start().await;
    platform.create_site("docs").await;
    let (browser, other) = (Browser::sign_in(&platform).await, Browser::sign_in(&platform).await);
    let stranger = Browser::stranger(&platform).await;
    let stated = platform.log.last_sequence().await.unwrap();
    let addresses = addresses();
    assert!(addresses.len() > 15 && addresses.contains(&"/logout".to_owned()), "{addresses:?}");
    let foreign = [other.form_token().await, stranger.form_token().await, String::new(), "0".repeat(64)];
    for address in &addresses {
        let forms = foreign.iter().map(|token| format!("form_token={token}&name=x"));
        for form in forms.chain(["name=x".to_owned(), String::new()]) {
            for cookie in [Some(&browser.cookie), None] {
                let mut request = post(&platform, address, &form);
                if let Some(cookie) = cookie {
                    request = request.header(COOKIE, cookie);
                }
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), StatusCode::FORBIDDEN, "{address} {form}");
                assert!(response.text().await.unwrap().contains("stale_form"), "{address} {form}");
            }
        }
    }
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "none of them changed anything");
    for address in addresses.iter().filter(|address| *address != "/logout") {
        let own = browser.submit(address, "name=x").await;
        assert!(!own.text().await.unwrap().contains("stale_form"), "{address}: its own token is good");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_every_page_has_the_token() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    platform.built(docs, 1).await;
    platform.built(docs, 2).await;
    platform.send(Method::PUT, "/sites/docs/lock", json!({ "reason": "audit" })).await;
    platform.send(Method::POST, "/tokens", json!({ "name": "ci", "scopes": ["read"] })).await;
    let invited = json!({ "email": "ada@mail.test", "role": "user" });
    platform.send(Method::POST, "/organizations/default/invitations", invited).await;
    platform.level().await;
    let browser = Browser::sign_in(&platform).await;
    let token = browser.form_token().await;
    let (mut waiting, mut seen, mut forms) = (vec!["/".to_owned()], BTreeSet::new(), BTreeSet::new());
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) || seen.len() > 100 {
            continue;
        }
        let page = browser.page(&path).await;
        for form in page.split("<form").skip(1).filter(|form| form.contains("method=\"post\"")) {
            let form = form.split("</form>").next().unwrap();
            assert!(form.contains(&format!("{FIELD}{token}\"")), "{path}: {form}");
            forms.insert(form.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned());
        }
        let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let pages = links.filter(|link| link.starts_with('/') && !link.starts_with("/api") && !link.contains("assets"));
        waiting.extend(pages.map(|link| link.split('#').next().unwrap().replace("&amp;", "&")));
    }
    assert!(forms.len() >= 15 && forms.contains("/logout"), "{} pages, {forms:?}", seen.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_form_is_good_with_the_cookie_that_came_with_it() {
    let platform = Platform::start().await;
    let stranger = Browser::stranger(&platform).await;
    assert!(stranger.cookie.starts_with("pagefold_guest="), "{}", stranger.cookie);
    let form = format!("token=a-token-for-tests&form_token={}", stranger.form_token().await);
    let without = post(&platform, "/login", &form).send().await.unwrap();
    assert_eq!(without.status(), StatusCode::FORBIDDEN, "nobody is signed in by a form that another site took over");
    let again = platform.client.get(platform.url("/login")).header(COOKIE, &stranger.cookie).send().await.unwrap();
    assert!(again.headers().get(SET_COOKIE).is_none(), "one cookie does for all forms");
    let entered = post(&platform, "/login", &form).header(COOKIE, &stranger.cookie).send().await.unwrap();
    let cookie = entered.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("pagefold_session=") && cookie.ends_with("; Secure"), "{cookie}");
}

#[test]
fn one_place_makes_forms() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dashboard");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let makes = path.is_file() && std::fs::read_to_string(&path).unwrap().contains("method=\"post\"");
        assert!(!makes || path.ends_with("form.rs"), "{} makes a form: use `form`", path.display());
    }
}
