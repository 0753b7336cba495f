//! An organization from its first site on: it is its id, and its name moves.

use journeys::Platform;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_renamed_organization_keeps_its_sites_and_leaves_its_name_to_others() {
    let platform = Platform::shared().await;
    let api = platform.api();
    let docs = platform.site("kept", json!({ "organization": "founders" })).await;
    let founders: Value = api.get("/organizations/founders").await;
    let id = founders["id"].as_str().unwrap().to_owned();
    let before = docs.publish(1, [("index.html", "of the founders")]).await;

    let renamed = api.send(Method::PATCH, "/organizations/founders", &json!({ "name": "heirs" })).await;
    assert_eq!(renamed.expect(200).json::<Value>()["id"], id.as_str());
    assert_eq!(api.get::<Value>("/sites/kept").await["organization"], "heirs");
    docs.publish(2, [("index.html", "of the heirs")]).await;
    docs.serves("/", "of the heirs").await;

    let second = platform.site("joined", json!({ "organization": id })).await;
    assert_eq!(api.get::<Value>("/sites/joined").await["organization"], "heirs");
    second.publish(1, [("index.html", "by the id")]).await;
    let _ = platform.site("stranger", json!({ "organization": "founders" })).await;
    let stranger: Value = api.get("/sites/stranger").await;
    assert_eq!(stranger["organization"], "founders");
    assert_ne!(stranger["organization_id"], id.as_str(), "a name that was given up is anybody's");
    let taken = api.send(Method::PATCH, &format!("/organizations/{id}"), &json!({ "name": "founders" })).await;
    assert_eq!(taken.expect(409).code(), "organization_exists");

    for named in ["heirs", id.as_str()] {
        let shown = platform.operator(&["organization", "show", named]);
        assert!(shown.contains(&format!("heirs, {id}")) && shown.contains("joined, kept"), "{shown}");
        assert!(shown.contains("organization renamed from `founders` to `heirs`"), "{shown}");
    }
    let at = before.sequence().to_string();
    let then = platform.operator(&["organization", "show", "founders", "--at", &at]);
    assert!(then.contains(&format!("founders, {id}")) && then.contains("sites    kept\n"), "{then}");
    let never = platform.try_operator(&["organization", "show", "heirs", "--at", &at]);
    assert!(String::from_utf8_lossy(&never.stderr).contains("there was no organization `heirs` then"), "{never:?}");
    let site = platform.operator(&["site", "show", "kept"]);
    assert!(site.contains(&format!("kept, of organization heirs, {id}")), "{site}");
    let told = platform.operator(&["events", "list", "--subject", "handle/founders"]);
    assert_eq!(told.matches("claimed by an organization").count(), 2, "{told}");
    assert_eq!(told.matches("given up by its organization").count(), 1, "{told}");
}
