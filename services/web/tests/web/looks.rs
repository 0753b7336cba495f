//! What pages offer by who looks: nobody is shown a button that will be refused.

use crate::people::{invited, me, organization, site};
use crate::platform::Platform;
use reqwest::{Method, StatusCode};
use serde_json::json;

/// Where the forms of a page send what is typed into them, but for signing out.
fn sent_to(page: &str) -> Vec<String> {
    let forms = page.split("<form").skip(1).map(|rest| rest.split('>').next().unwrap());
    let posts = forms.filter(|form| form.contains("method=\"post\""));
    let actions = posts.map(|form| form.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned());
    actions.filter(|action| action != "/logout").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_is_offered_nothing_to_change_and_sees_what_fields_say() {
    let platform = Platform::start().await;
    organization(&platform, "north").await;
    organization(&platform, "south").await;
    platform.send(Method::POST, "/sites", site("docs", "north")).await;
    let (ada, sue) =
        (invited(&platform, "north", "Ada", "manager").await, invited(&platform, "south", "Sue", "user").await);
    let id = me(&sue).await.1["id"].as_str().unwrap().to_owned();
    let (status, _) = platform.send(Method::PUT, &format!("/users/{id}/role"), json!({ "role": "support" })).await;
    assert_eq!(status, StatusCode::OK);
    // A member may change what members may.
    let membership = format!("/organizations/south/members/{id}");
    assert_eq!(platform.send(Method::DELETE, &membership, json!(null)).await.0, StatusCode::NO_CONTENT);
    platform.level().await;
    for path in ["/sites/docs", "/sites/docs/settings", "/organizations/north"] {
        assert!(!sent_to(&ada.page(path).await).is_empty(), "a manager may change something at {path}");
        let shown = sue.page(path).await;
        assert_eq!(sent_to(&shown), [""; 0], "{path}");
    }
    let settings = sue.page("/sites/docs/settings").await;
    assert!(
        settings.contains("<fieldset class=\"plain\" disabled>") && settings.contains("value=\"docs\""),
        "{settings}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_manager_is_offered_nothing_of_a_managers() {
    let platform = Platform::start().await;
    organization(&platform, "north").await;
    let (ada, ben) =
        (invited(&platform, "north", "Ada", "manager").await, invited(&platform, "north", "Ben", "user").await);
    platform.level().await;
    let invites = |page: &str| sent_to(page).iter().any(|action| action.ends_with("/invitations"));
    assert!(invites(&ada.page("/organizations/north").await));
    let shown = ben.page("/organizations/north").await;
    assert!(shown.contains("Ada") && !invites(&shown), "{shown}");
    assert!(!sent_to(&shown).iter().any(|action| action.contains("/members/")), "{shown}");
}
