//! A site whose readers shall see no change for a while.

use journeys::Platform;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_push_to_a_locked_site_is_built_and_kept_and_shown_when_somebody_says_so() {
    let platform = Platform::shared().await;
    let site = platform.site("held", json!({})).await;
    site.publish(1, [("index.html", "before")]).await;
    let api = platform.api();
    let _ = api.send(Method::PUT, "/sites/held/lock", &json!({ "reason": "election" })).await.expect(200);

    for (number, text) in [(2, "meanwhile"), (3, "later")] {
        site.push("main", [("index.html", text)]).await;
        site.until("deploy.synced", |fact| fact.is("deploy.synced", number)).await;
    }
    let (first, second) = (site.deploy(1).await, site.deploy(2).await);
    site.serves("/", "before").await;
    assert_eq!(site.point("live", &second.id, None).await.expect(409).code(), "site_locked");

    let _ = api.send(Method::DELETE, "/sites/held/lock", &json!({})).await.expect(204);
    site.serves("/", "before").await;
    let _ = site.point("live", &second.id, Some(&first.id)).await.expect(200);
    site.serves("/", "meanwhile").await;
    site.publish(4, [("index.html", "after")]).await;
    site.serves("/", "after").await;
    let shown: Vec<_> = site.facts().into_iter().filter(|fact| fact.name() == "alias.promoted").collect();
    let shown: Vec<_> = shown.iter().map(|fact| fact.data["deploy"].as_str().unwrap()).collect();
    let last = site.deploy(4).await;
    let expected = [&*first.id, &*second.id, &*last.id];
    assert_eq!(shown, expected, "nothing that was built meanwhile was shown by itself");
}
