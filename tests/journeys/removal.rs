//! What goes when a branch or a site goes.

use journeys::{Platform, eventually};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn the_preview_of_a_deleted_branch_is_taken_down() {
    let platform = Platform::shared().await;
    let site = platform.site("pruned", json!({})).await;
    site.publish(1, [("index.html", "on main")]).await;
    site.push("draft", [("index.html", "on draft")]).await;
    site.host("draft").serves("/", "on draft").await;

    let _ = platform.deliver(&site.repository.delete_branch("draft")).await.expect(202);
    let removed = site.until("alias.removed", |_| true).await;
    assert_eq!(removed.data["alias"], "preview/draft");
    let _ = site.host("draft").is_gone().await;
    site.serves("/", "on main").await;
    site.push("draft", [("index.html", "drafted again")]).await;
    site.host("draft").serves("/", "drafted again").await;
}

#[tokio::test]
async fn a_preview_is_taken_down_by_hand_until_its_branch_is_pushed_to_and_the_live_site_is_not() {
    let platform = Platform::shared().await;
    let site = platform.site("ended", json!({})).await;
    site.publish(1, [("index.html", "on main")]).await;
    let shown = async |name: &str, count: usize| {
        let so_far = || {
            site.facts().iter().filter(|fact| fact.name() == name && fact.data["alias"] == "preview/a/draft").count()
        };
        site.until(name, |fact| fact.data["alias"] == "preview/a/draft" && so_far() >= count).await
    };
    site.push("a/draft", [("index.html", "on draft")]).await;
    shown("alias.promoted", 1).await;
    let api = platform.api();
    let _ = api.send(Method::DELETE, "/sites/ended/aliases/preview%2Fa%2Fdraft", &json!({})).await.expect(204);
    shown("alias.removed", 1).await;
    site.push("a/draft", [("index.html", "drafted again")]).await;
    shown("alias.promoted", 2).await;
    assert_eq!(platform.operator(&["take-down", "ended", "a/draft"]), "the preview of a/draft is taken down\n");
    shown("alias.removed", 2).await;

    let _ = api.send(Method::DELETE, "/sites/ended/aliases/live", &json!({})).await.expect(422);
    let _ = api.send(Method::DELETE, "/sites/ended/aliases/preview/nope", &json!({})).await.expect(404);
    site.serves("/", "on main").await;
}

#[tokio::test]
async fn a_push_that_is_delivered_after_the_deletion_of_its_branch_shows_nothing() {
    let platform = Platform::shared().await;
    let site = platform.site("late-draft", json!({})).await;
    site.publish(1, [("index.html", "on main")]).await;
    let late = site.repository.push("draft", [("index.html", "on draft")]);
    let _ = platform.deliver(&site.repository.delete_branch("draft")).await.expect(202);
    let _ = platform.deliver(&late).await.expect(202);
    let skipped = site.until("build.finished", |fact| fact.data["branch"] == "draft").await;
    assert_eq!(skipped.data["outcome"], "skipped");
    assert!(skipped.data["reason"].as_str().unwrap().contains("deleted"), "{skipped}");

    // At the same commit, but made anew.
    let _ = platform.deliver(&site.repository.restore_branch("draft", &late.commit)).await.expect(202);
    site.host("draft").serves("/", "on draft").await;
}

#[tokio::test]
async fn a_deleted_site_shows_nothing_and_its_name_is_kept_for_its_organization() {
    let platform = Platform::shared().await;
    let site = platform.site("deleted", json!({})).await;
    site.publish(1, [("index.html", "here today")]).await;
    site.serves("/", "here today").await;
    let deploy = site.deploy(1).await;

    let api = platform.api();
    let _ = api.send(Method::DELETE, "/sites/deleted", &json!({})).await.expect(202);
    let _ = site.live().is_gone().await;
    let _ = site.host(&deploy.id).is_gone().await;
    platform.read_model_has_caught_up().await;
    assert_eq!(api.try_get("/sites/deleted").await.unwrap().expect(404).code(), "site_not_found");
    let again = json!({ "name": "deleted", "repository": site.repository.url() });
    assert_eq!(api.send(Method::POST, "/sites", &again).await.expect(409).code(), "site_name_retired");
    let _ = api.send(Method::DELETE, "/sites/deleted", &json!({})).await.expect(204);
    let _ = api.send(Method::DELETE, &format!("/sites/{}", site.id), &json!({})).await.expect(204);

    // Restored under another name by its id, it shows at once what it showed, and then what was pushed meanwhile.
    let restore = format!("/sites/{}/restore", site.id);
    let restored = api.send(Method::POST, &restore, &json!({ "name": "undeleted" })).await.expect(200);
    assert_eq!(restored.json::<Value>()["name"], "undeleted");
    let host = platform.host("undeleted");
    host.serves("/", "here today").await;
    site.queued(2).await;
    let _ = api.send(Method::DELETE, "/sites/undeleted", &json!({})).await.expect(202);
    let _ = host.is_gone().await;

    // A push is still taken in, but there is nothing to build it for: the next site's build comes without one before it.
    site.push("main", [("index.html", "here tomorrow")]).await;
    let other = platform.site("survivor", json!({})).await;
    other.publish(1, [("index.html", "still here")]).await;
    assert_eq!(site.facts().iter().filter(|fact| fact.name() == "build.queued").count(), 2);
}

#[tokio::test]
async fn deploys_that_a_site_keeps_no_longer_go_with_their_bytes_and_what_is_shown_stays() {
    let platform = Platform::shared().await;
    let site = platform.site("tidied", json!({ "keep_deploys": 1 })).await;
    site.publish(1, [("index.html", "first"), ("same.html", "the same in all")]).await;
    for text in ["second", "third"] {
        site.push("main", [("index.html", text)]).await;
        site.serves("/", text).await;
    }
    let (first, second) = (site.deploy(1).await, site.deploy(2).await);
    platform.read_model_has_caught_up().await;

    // What has just been stored may be about to be shown: it is kept for a moment.
    let api = platform.api();
    let told = eventually("the deploys to be kept no longer", || async {
        let told = api.send(Method::POST, "/admin/collect?dry_run=true&site=tidied", &json!({})).await.expect(200);
        let told = told.json::<Value>();
        (told["deploys"].as_array().unwrap().len() == 2).then_some(told)
    })
    .await;
    assert_eq!(told["deploys"][0]["id"], first.id, "the oldest first");
    assert!(told["bytes"].as_u64().unwrap() > 0, "{told}");
    assert!(site.facts().iter().all(|fact| fact.name() != "deploy.collected"), "it was only told");

    let listed = platform.operator(&["platform", "collect", "--dry-run", "--site", "tidied"]);
    assert!(listed.contains(&first.id) && listed.contains(&second.id), "{listed}");
    let done = api.send(Method::POST, "/admin/collect?site=tidied", &json!({})).await.expect(200).json::<Value>();
    assert_eq!((&done["dry_run"], &done["deploys"], &done["bytes"]), (&json!(false), &told["deploys"], &told["bytes"]));
    for deploy in [&first, &second] {
        let collected = site.until("deploy.collected", |fact| fact.subject == deploy.id).await;
        assert_eq!(collected.data["keeping"]["deploys"], 1);
        let _ = site.host(&deploy.id).is_gone().await;
    }
    let again = api.send(Method::POST, "/admin/collect?dry_run=true&site=tidied", &json!({})).await.expect(200);
    assert_eq!(again.json::<Value>()["deploys"], json!([]));

    // What both had and the third has too is there, and nothing leads back to what is gone.
    site.serves("/", "third").await;
    site.serves("/same", "the same in all").await;
    let back = json!({ "deploy": first.id });
    let refused = api.send(Method::PUT, "/sites/tidied/aliases/live", &back).await.expect(410);
    assert_eq!(refused.code(), "deploy_collected");
    let files = api.try_get(&format!("/deploys/{}/files", first.id)).await.unwrap().expect(410);
    assert_eq!(files.code(), "deploy_collected");
    let gone: Value = api.get(&format!("/deploys/{}", first.id)).await;
    assert!(gone["collected_at"].is_string(), "{gone}");
    site.push("main", [("index.html", "first")]).await;
    site.serves("/", "first").await;
}
