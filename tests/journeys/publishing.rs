//! From a push to a page, and what a reader can ask of it.

use crate::sources::{PACKAGE, gated_push};
use journeys::{Answer, Gate, Host, Message, Messages, Platform};
use serde_json::json;

#[tokio::test]
async fn a_push_becomes_a_page() {
    let platform = Platform::shared().await;
    let site = platform.site("first", json!({})).await;
    let pushed = site.push("main", [("index.html", "<h1>hello</h1>")]).await;
    let promoted = site.promoted(1).await;
    assert_eq!(promoted.correlation, pushed.event, "the whole story has one name");
    assert_eq!((promoted.data["alias"].as_str(), promoted.data["reason"].as_str()), (Some("live"), Some("built")));
    let page = site.serves("/", "<h1>hello</h1>").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");

    site.until("deploy.mirrored", |_| true).await;
    let story: Vec<String> = site.facts().iter().map(|fact| fact.name().to_owned()).collect();
    for step in ["build.queued", "build.dispatched", "build.started", "build.finished", "deploy.synced"] {
        assert_eq!(story.iter().filter(|name| *name == step).count(), 1, "{step} in {story:?}");
    }
    let deploy = site.deploy(1).await;
    assert_eq!((deploy.files, deploy.uploaded_files), (1, 1));
    let build = site.builds().await.remove(0);
    assert_eq!((build.state.as_str(), build.commit), ("success", Some(pushed.commit)));
}

#[tokio::test]
async fn a_build_log_is_followed_while_it_is_written_and_resumed_anywhere() {
    let platform = Platform::shared().await;
    let (site, gate) = (platform.site("followed", json!({ "engine": "node.js" })).await, Gate::closed().await);
    let lines = "for (let line = 0; line < 2000; line++) console.log(`line ${line} of the second half`)";
    let script = gate.script(&format!("{lines}; writeFileSync('_site/index.html', 'x')"));
    site.push("main", [PACKAGE, ("build.js", &script)]).await;
    let build = site.queued(1).await;

    let mut following = platform.api().follow_log(&build, None).await;
    let mut told = vec![following.next().await.unwrap()];
    while !text(&told).contains("at the gate") {
        told.push(following.next().await.unwrap());
    }
    assert!(!text(&told).contains("second half"), "the first half is told while the build runs");
    gate.open();
    told.extend(rest(&mut following).await);
    let end = told.pop().unwrap();
    assert_eq!((end.event.as_str(), end.data.as_str()), ("end", "success"));
    assert!(text(&told).contains("line 1999 of the second half\n"));

    let middle = told.len() / 2;
    let mut resumed = rest(&mut platform.api().follow_log(&build, Some(&told[middle].id)).await).await;
    assert_eq!(resumed.pop().unwrap(), end);
    assert_eq!(text(&resumed), text(&told[middle + 1..]), "nothing is missing and nothing is told twice");
    assert_eq!(text(&told), platform.api().log(&build).await);
    site.until("build.log_archived", |fact| fact.subject == build).await;
    assert_eq!(text(&told), platform.api().log(&build).await, "the archive tells the same");
}

#[tokio::test]
async fn a_page_is_sent_as_far_as_a_reader_needs_it() {
    let platform = Platform::shared().await;
    let site = platform.site("asked", json!({})).await;
    let files = [("index.html", "0123456789"), ("404.html", "nothing here"), ("blog/404.html", "no such post")];
    site.publish(1, files).await;
    let whole = site.serves("/", "0123456789").await;
    let live = site.live();

    let head = ask(&live, "HEAD", "/", &[]).await.expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), ("10", 0));
    let tag = whole.header("etag");
    let known = ask(&live, "GET", "/", &[("if-none-match", tag)]).await.expect(304);
    assert_eq!((known.header("etag"), known.body.len()), (tag, 0));
    let part = ask(&live, "GET", "/", &[("range", "bytes=2-4")]).await.expect(206);
    assert_eq!((part.header("content-range"), part.text().as_str()), ("bytes 2-4/10", "234"));
    let _ = ask(&live, "GET", "/", &[("range", "bytes=10-")]).await.expect(416);

    assert_eq!(live.get("/a/b").await.expect(404).text(), "nothing here");
    assert_eq!(live.get("/blog/2026/none").await.expect(404).text(), "no such post");
}

#[tokio::test]
async fn every_branch_has_a_preview_and_every_deploy_its_own_host() {
    let platform = Platform::shared().await;
    let site = platform.site("branches", json!({ "demo_branch": "next" })).await;
    site.publish(1, [("index.html", "first on main")]).await;
    site.push("next", [("index.html", "on next")]).await;
    assert_eq!(site.promoted(2).await.data["alias"], "demo");
    site.push("fix/typo", [("index.html", "on fix/typo")]).await;
    assert_eq!(site.promoted(3).await.data["alias"], "preview/fix/typo");
    site.push("plain", [("index.html", "on plain")]).await;
    site.promoted(4).await;

    let live = site.serves("/", "first on main").await;
    assert_eq!(live.header("x-robots-tag"), "");
    let demo = site.host("demo").serves("/", "on next").await;
    let plain = site.host("plain").serves("/", "on plain").await;
    assert_eq!((demo.header("x-robots-tag"), plain.header("x-robots-tag")), ("noindex", "noindex"));
    let aliases = site.aliases().await;
    assert_eq!(aliases.iter().map(|alias| alias.number).collect::<Vec<_>>(), [2, 1, 3, 4], "{aliases:?}");

    let first = site.deploy(1).await;
    site.push("main", [("index.html", "second on main")]).await;
    site.serves("/", "second on main").await;
    let kept = site.host(&first.id).serves("/", "first on main").await;
    assert!(kept.header("cache-control").contains("immutable"), "{:?}", kept.headers);
    assert_eq!(kept.header("x-robots-tag"), "noindex");
}

#[tokio::test]
async fn a_build_that_runs_twice_at_once_shows_the_newer_source() {
    let platform = Platform::shared().await;
    let site = platform.site("overtaken", json!({ "engine": "node.js" })).await;
    let (slow, quick) = (Gate::closed().await, Gate::closed().await);
    gated_push(&site, "main", &slow, "older").await;
    slow.reached_by(1).await;
    quick.open();
    gated_push(&site, "main", &quick, "newer").await;
    site.promoted(2).await;
    site.serves("/", "newer").await;

    slow.open();
    site.until("deploy.synced", |fact| fact.is("deploy.synced", 1)).await;
    // A third push goes the same way behind the first, so the first has been decided on by then.
    gated_push(&site, "main", &quick, "newest").await;
    site.promoted(3).await;
    let promoted = |number: u64| site.facts().iter().any(|fact| fact.is("alias.promoted", number));
    assert!(promoted(2) && !promoted(1), "the older build ended late and was not shown");
}

async fn ask(host: &Host, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = host.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::to(request).await.unwrap()
}

async fn rest(messages: &mut Messages) -> Vec<Message> {
    let mut rest = Vec::new();
    while let Some(message) = messages.next().await {
        let is_end = message.event == "end";
        rest.push(message);
        if is_end {
            break;
        }
    }
    rest
}

/// An event stands for whole lines, without the last newline.
fn text(told: &[Message]) -> String {
    told.iter().map(|message| format!("{}\n", message.data)).collect()
}
