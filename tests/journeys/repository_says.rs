//! What a repository says of its own builds, in its `pages.json`, and what they keep.

use journeys::{Platform, Site};
use serde_json::{Value, json};

/// Tells how much history it has, and what the build before it has left.
fn package() -> String {
    let pages = "mkdir -p _site/drafts && echo page > _site/index.html && echo a > _site/drafts/a.html && echo o > _site/drafts/open.html \
        && git rev-list --count HEAD > _site/history.txt && (cat $PAGEFOLD_CACHE/left || echo nothing) > _site/found.txt \
        && echo $COMMIT > $PAGEFOLD_CACHE/left";
    json!({ "name": "told", "version": "1.0.0", "scripts": { "pages": pages } }).to_string()
}

fn sandboxes() -> Vec<&'static str> {
    if std::env::var("PAGEFOLD_TEST_DOCKER").is_ok_and(|value| value == "0") {
        println!("SKIPPED: docker, because PAGEFOLD_TEST_DOCKER is 0");
        return vec!["bubblewrap"];
    }
    vec!["bubblewrap", "docker"]
}

#[tokio::test]
async fn a_site_is_built_and_served_as_its_pages_json_says() {
    for sandbox in sandboxes() {
        let platform = Platform::start_with(&["--sandbox", sandbox]).await;
        let site = platform.site("told", json!({ "engine": "node.js" })).await;
        let said = json!({
            "fullClone": true,
            "headers": [
                { "/index.html": { "cache-control": "no-cache" } },
                { "/*": { "cache-control": "max-age=60", "x-told": "yes" } },
                { "/a*b": { "cache-control": "no-cache" } },
            ],
            "excludePaths": ["/drafts/*"],
            "includePaths": ["/drafts/open.html"],
            "cache": false,
        });
        site.push("main", [("readme.md", "first")]).await;
        site.publish(2, [("package.json", &*package()), ("pages.json", &*said.to_string())]).await;
        let live = site.live();
        let home = live.serves("/", "page").await;
        assert_eq!((home.header("cache-control"), home.header("x-told")), ("no-cache", ""));
        let open = live.serves("/drafts/open", "o").await;
        assert_eq!((open.header("cache-control"), open.header("x-told")), ("max-age=60", "yes"));
        assert_eq!(live.get("/drafts/a").await.status, 404);
        assert_eq!(live.get("/pages.json").await.status, 404);
        assert_ne!(live.get("/history.txt").await.text().trim(), "1", "{sandbox}");
        let log = platform.api().log(&site.queued(2).await).await;
        assert!(log.contains("[pagefold] no cache: `pages.json` wants none\n"), "{log}");
        assert!(log.contains("[pagefold] not used: pages.json:1 /a*b: "), "{log}");
        platform.read_model_has_caught_up().await;
        let rules: Value = platform.api().get("/sites/told/rules").await;
        assert_eq!((&rules["headers_total"], &rules["headers"][0]["file"]), (&json!(2), &json!("pages.json")));
        assert_eq!(rules["diagnostics"][0]["file"], "pages.json");
    }
}

async fn log(platform: &Platform, site: &Site<'_>, number: u64) -> String {
    platform.api().log(&site.queued(number).await).await
}

#[tokio::test]
async fn a_cache_is_used_until_a_build_is_asked_for_without_it() {
    for sandbox in sandboxes() {
        let platform = Platform::start_with(&["--sandbox", sandbox]).await;
        let site = platform.site("kept", json!({ "engine": "node.js" })).await;
        site.publish(1, [("package.json", &*package())]).await;
        site.serves("/found.txt", "nothing").await;
        site.publish(2, [("readme.md", "x")]).await;
        let kept = log(&platform, &site, 2).await;
        assert!(kept.contains("[pagefold] cache restored, 1 MB from build 2\n"), "{sandbox}: {kept}");
        platform.read_model_has_caught_up().await;
        let home = tempfile::tempdir().unwrap();
        let user = |arguments: &[&str], input: &str| {
            let done = platform.as_user(home.path(), arguments, input);
            assert!(done.status.success(), "{done:?}");
            String::from_utf8(done.stdout).unwrap()
        };
        user(&["login", platform.web()], &format!("{}\n", platform.token()));
        let asked = user(&["retry", &site.queued(2).await, "--clear-cache"], "");
        let asked = asked.split_whitespace().next().unwrap().to_owned();
        site.promoted(3).await;
        site.serves("/found.txt", "nothing").await;
        let cleared = log(&platform, &site, 3).await;
        assert!(cleared.contains("[pagefold] no cache: it was cleared\n"), "{sandbox}: {cleared}");
        platform.read_model_has_caught_up().await;
        let told: Value = platform.api().get(&format!("/builds/{asked}")).await;
        assert_eq!((&told["clear_cache"], &told["resources"]["cache_bytes"]), (&json!(true), &Value::Null));
    }
}
