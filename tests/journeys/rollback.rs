//! What a redeploy sends, and how a site goes back to what it was.

use journeys::Platform;
use serde_json::json;

#[tokio::test]
async fn a_redeploy_uploads_what_has_changed_and_no_more() {
    let platform = Platform::shared().await;
    let site = platform.site("changed", json!({})).await;
    let pages: Vec<String> = (0..30).map(|page| format!("page-{page}.html")).collect();
    site.publish(1, pages.iter().map(|path| (path.as_str(), path.as_str()))).await;
    site.publish(2, []).await;
    site.publish(3, [("page-7.html", "rewritten")]).await;

    let (first, same, changed) = (site.deploy(1).await, site.deploy(2).await, site.deploy(3).await);
    assert_eq!((first.files, first.uploaded_files), (30, 30));
    assert_eq!((same.files, same.uploaded_files, same.uploaded_bytes), (30, 0, 0));
    assert_eq!((changed.files, changed.uploaded_files, changed.uploaded_bytes), (30, 1, 9));
    assert_eq!(first.content, same.content, "equal content has an equal digest");
    assert_ne!(first.content, changed.content);
    site.serves("/page-7", "rewritten").await;
    site.serves("/page-8", "page-8.html").await;
}

#[tokio::test]
async fn a_site_goes_back_to_a_former_deploy_and_only_from_the_one_that_was_seen() {
    let platform = Platform::shared().await;
    let site = platform.site("returned", json!({})).await;
    site.publish(1, [("index.html", "first")]).await;
    site.publish(2, [("index.html", "second")]).await;
    let (first, second) = (site.deploy(1).await, site.deploy(2).await);

    let _ = site.point("live", &first.id, Some(&second.id)).await.expect(200);
    site.serves("/", "first").await;
    let moved = site.point("live", &second.id, Some(&second.id)).await.expect(409);
    assert_eq!(moved.code(), "alias_moved");
    let alias = site.aliases().await.remove(0);
    assert_eq!((alias.deploy, alias.reason.as_str()), (first.id.clone(), "chosen"));

    let facts = site.facts();
    let chosen = facts.iter().find(|fact| fact.data["reason"] == "chosen").unwrap();
    assert_eq!((chosen.name(), chosen.actor.as_str()), ("alias.promoted", "token:operator"));
    assert_eq!(chosen.data["previous"], second.id.as_str());

    site.publish(3, [("index.html", "third")]).await;
    site.serves("/", "third").await;
    assert_eq!(site.point("live", "000000000000", None).await.expect(404).code(), "deploy_not_found");
}
