//! What admins decide about organizations and people: who is suspended, what they may have, whose sites are kept.

use crate::dashboard::Browser;
use crate::people::{invited, me, organization, token};
use crate::platform::{Platform, code};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn site(name: &str) -> Value {
    json!({ "name": name, "repository": "https://git.test/acme/docs.git", "organization": "acme" })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_a_suspended_organization_look_and_change_nothing_until_it_goes_on() {
    let platform = Platform::start().await;
    organization(&platform, "acme").await;
    let ada = invited(&platform, "acme", "Ada", "manager").await;
    assert_eq!(platform.send(Method::POST, "/sites", site("docs")).await.0, StatusCode::CREATED);
    let suspend = |reason: &str| json!({ "reason": reason });
    for wrong in ["", "two\nlines", &"x".repeat(501)] {
        let refused = platform.send(Method::PUT, "/organizations/acme/suspension", suspend(wrong)).await;
        assert_eq!(code(&refused), (422, "invalid_input"), "{wrong}");
    }
    let said = platform.send(Method::PUT, "/organizations/acme/suspension", suspend(" The contract ended. ")).await;
    assert_eq!(said, (StatusCode::OK, suspend("The contract ended.")));
    assert_eq!(platform.get("/organizations/acme").await.1["suspended"], "The contract ended.");

    for (path, form) in [("/sites/docs/builds", ""), ("/organizations/acme/invitations", "email=b@mail.test&role=user")]
    {
        let refused = ada.submit(path, form).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
        assert!(refused.text().await.unwrap().contains("The contract ended."), "{path}");
    }
    for (path, words) in
        [("/organizations/acme", "The contract ended."), ("/", "is suspended"), ("/sites/docs", "docs")]
    {
        let page = ada.page(path).await;
        assert!(page.contains(words) && !page.contains("For admins"), "{path}: {page}");
    }
    // Whoever suspended it looks after it.
    assert_eq!(platform.send(Method::POST, "/sites", site("kept")).await.0, StatusCode::CREATED);

    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/organizations/acme").await.contains("Reinstate"));
    assert_eq!(browser.submit("/organizations/acme/suspension/end", "").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(platform.get("/organizations/acme").await.1["suspended"], Value::Null);
    assert_eq!(ada.submit("/sites/docs/builds", "").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_suspended_person_is_good_until_they_go_on() {
    let platform = Platform::start().await;
    organization(&platform, "acme").await;
    let ada = invited(&platform, "acme", "Ada", "manager").await;
    let id = me(&ada).await.1["id"].as_str().unwrap().to_owned();
    let path = format!("/users/{id}/suspension");
    let said = platform.send(Method::PUT, &path, json!({ "reason": "Left the agency." })).await;
    assert_eq!(said.0, StatusCode::OK, "{said:?}");
    let refused = me(&ada).await;
    assert_eq!(code(&refused), (403, "user_suspended"));
    assert!(refused.1["detail"].as_str().unwrap().contains("Left the agency."), "{refused:?}");
    let listed = platform.get("/users").await.1;
    assert_eq!(listed["items"][0]["suspended"], "Left the agency.");

    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/platform").await.contains("Suspended: Left the agency."));
    let ended = browser.submit(&format!("/platform/people/{id}/suspension/end"), "").await;
    assert_eq!(ended.status(), StatusCode::SEE_OTHER);
    assert_eq!(me(&ada).await.1["name"], "Ada", "the session is as good as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_suspends_themselves_and_only_admins_suspend_others() {
    let platform = Platform::start().await;
    organization(&platform, "acme").await;
    let ada = invited(&platform, "acme", "Ada", "manager").await;
    let id = me(&ada).await.1["id"].as_str().unwrap().to_owned();
    let reason = json!({ "reason": "Why not." });
    let manager = token(&platform, json!({ "name": "m", "scopes": ["manage"], "organization": "acme" })).await;
    for (path, body) in [
        (format!("/users/{id}/suspension"), reason.clone()),
        ("/organizations/acme/suspension".to_owned(), reason.clone()),
        ("/organizations/acme/limits".to_owned(), json!({ "sites": 1 })),
        ("/organizations/acme/sandbox".to_owned(), json!({})),
    ] {
        let page = path.replace("/users/", "/platform/people/");
        let refused = ada.submit(&page, "reason=x&sites=1&members=&builds=&days=3").await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{page}");
        // A token for one organization is no admin of its people.
        if path.starts_with("/users") {
            assert_eq!(code(&manager.ask(Method::PUT, &path, body).await), (403, "forbidden"));
        }
    }
    let role = json!({ "role": "admin" });
    assert_eq!(platform.send(Method::PUT, &format!("/users/{id}/role"), role).await.0, StatusCode::OK);
    let refused = ada.submit(&format!("/platform/people/{id}/suspension"), "reason=x").await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(refused.text().await.unwrap().contains("obody suspends themselves"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_gets_no_more_sites_and_members_than_it_may_have() {
    let platform = Platform::start().await;
    organization(&platform, "acme").await;
    let limits = |sites: Value, members: Value| json!({ "sites": sites, "members": members, "builds": null });
    let refused = platform.send(Method::PUT, "/organizations/acme/limits", limits(json!(0), Value::Null)).await;
    assert_eq!(code(&refused), (422, "invalid_input"));
    let set = platform.send(Method::PUT, "/organizations/acme/limits", limits(json!(2), json!(1))).await;
    assert_eq!(set, (StatusCode::OK, limits(json!(2), json!(1))));
    assert_eq!(platform.get("/organizations/acme").await.1["limits"], set.1);

    // Of four that are asked for at once, two have room.
    let asked = ["a", "b", "c", "d"].map(|name| platform.send(Method::POST, "/sites", site(name)));
    let answers = futures::future::join_all(asked).await;
    let created = answers.iter().filter(|answer| answer.0 == StatusCode::CREATED).count();
    let full = answers.iter().filter(|answer| code(answer) == (409, "organization_full")).count();
    assert_eq!((created, full), (2, 2), "{answers:?}");
    let sites = platform.get("/organizations/acme/sites").await.1;
    let first = sites["items"][0]["name"].as_str().unwrap().to_owned();
    assert_eq!(platform.send(Method::DELETE, &format!("/sites/{first}"), Value::Null).await.0, StatusCode::ACCEPTED);
    assert_eq!(platform.send(Method::POST, "/sites", site("e")).await.0, StatusCode::CREATED);
    let restored = platform.send(Method::POST, &format!("/sites/{first}/restore"), json!({})).await;
    assert_eq!(code(&restored), (409, "organization_full"));

    invited(&platform, "acme", "Ada", "manager").await;
    let (_, sent) = platform
        .send(Method::POST, "/organizations/acme/invitations", json!({ "email": "ben@mail.test", "role": "user" }))
        .await;
    let link = sent["url"].as_str().unwrap().strip_prefix("https://pagefold.test").unwrap().to_owned();
    let joined = Browser::stranger(&platform).await.submit(&link, "name=Ben").await;
    assert_eq!(joined.status(), StatusCode::CONFLICT);
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/organizations/acme").await.contains("2 sites, 1 members"));
    let form = "sites=&members=&builds=4";
    assert_eq!(browser.submit("/organizations/acme/limits", form).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(platform.get("/organizations/acme").await.1["limits"]["builds"], 4);
    assert_eq!(platform.send(Method::POST, &format!("/sites/{first}/restore"), json!({})).await.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_says_when_its_sites_are_deleted_and_time_is_not_won_by_asking_again() {
    let platform = Platform::start().await;
    organization(&platform, "acme").await;
    let ada = invited(&platform, "acme", "Ada", "user").await;
    for days in [0, 366] {
        let refused = platform.send(Method::PUT, "/organizations/acme/sandbox", json!({ "days": days })).await;
        assert_eq!(code(&refused), (422, "invalid_input"), "{days}");
    }
    let usual = platform.send(Method::PUT, "/organizations/acme/sandbox", json!({})).await;
    assert_eq!((usual.0, &usual.1["days"]), (StatusCode::OK, &json!(90)));
    let again = platform.send(Method::PUT, "/organizations/acme/sandbox", json!({ "days": 90 })).await;
    assert_eq!(again.1, usual.1);
    assert!(!ada.page("/").await.contains("is a sandbox"), "that is long off");
    let soon = platform.send(Method::PUT, "/organizations/acme/sandbox", json!({ "days": 3 })).await;
    assert!(soon.1["clean_up_at"].as_str() < usual.1["clean_up_at"].as_str(), "{soon:?}");
    assert_eq!(platform.get("/organizations/acme").await.1["sandbox"], soon.1);
    for (path, words) in [("/organizations/acme", "deleted every 3 days"), ("/", "is a sandbox")] {
        let page = ada.page(path).await;
        assert!(page.contains(words), "{path}: {page}");
    }
    assert_eq!(platform.send(Method::DELETE, "/organizations/acme/sandbox", Value::Null).await.0, 204);
    assert_eq!(platform.send(Method::DELETE, "/organizations/acme/sandbox", Value::Null).await.0, 204);
    assert_eq!(platform.get("/organizations/acme").await.1["sandbox"], Value::Null);
}
