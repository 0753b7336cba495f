//! What a site gives its builds: they have it, and nobody who reads what they print.

use journeys::{Platform, Site};
use serde_json::{Value, json};

const SECRET: &str = "s3cr3t-value-0123456789";

/// Prints a variable in all the ways that a build may, and tells its length in a page.
fn package() -> String {
    let pages = "mkdir _site && printf %s \"$API_KEY\" | wc -c > _site/index.html && echo key $API_KEY && \
        printf %s \"$API_KEY\" | base64 && node -e 'console.log(encodeURIComponent(process.env.API_KEY + \"?\"))' && \
        printf s3cr3t- && sleep 0.3 && printf 'value-0123456789\\n'";
    json!({ "name": "told", "version": "1.0.0", "scripts": { "pages": pages } }).to_string()
}

async fn told(platform: &Platform, site: &Site<'_>, number: u64) -> String {
    platform.api().log(&site.queued(number).await).await
}

#[tokio::test]
async fn a_build_has_its_variables_and_its_log_does_not() {
    let mut sandboxes = vec!["bubblewrap"];
    if std::env::var("PAGEFOLD_TEST_DOCKER").is_ok_and(|value| value == "0") {
        println!("SKIPPED: docker, because PAGEFOLD_TEST_DOCKER is 0");
    } else {
        sandboxes.push("docker");
    }
    for sandbox in sandboxes {
        let platform = Platform::start_with(&["--sandbox", sandbox]).await;
        let site = platform.site("told", json!({ "engine": "node.js" })).await;
        let home = tempfile::tempdir().unwrap();
        let user = |arguments: &[&str], input: &str| {
            let done = platform.as_user(home.path(), arguments, input);
            assert!(done.status.success(), "{done:?}");
            String::from_utf8(done.stdout).unwrap()
        };
        user(&["login", platform.web()], &format!("{}\n", platform.token()));
        user(&["env", "set", "told", "API_KEY", "--context", "live"], &format!("{SECRET}\n"));
        site.publish(1, [("package.json", &*package())]).await;
        site.serves("/", &SECRET.len().to_string()).await;
        let log = told(&platform, &site, 1).await;
        assert!(log.contains("| key [masked API_KEY]\n") && log.matches("[masked API_KEY]").count() == 4, "{log}");
        assert!(!log.contains(SECRET) && !log.contains("value-0123456789\n") && !log.contains("czNjcjN0"), "{log}");

        site.push("draft", [("draft.txt", "x")]).await;
        site.finished(2).await;
        site.host("draft").serves("/", "0").await;
        let listed: Value = serde_json::from_str(&user(&["env", "list", "told", "--json"], "")).unwrap();
        assert_eq!((&listed[0]["name"], &listed[0]["contexts"]), (&json!("API_KEY"), &json!(["live"])));
        user(&["env", "unset", "told", "API_KEY"], "");
        site.publish(3, [("index.txt", "another")]).await;
        site.serves("/", "0").await;
        let facts = platform.facts();
        assert!(facts.iter().any(|fact| fact.name() == "site.variable_removed"));
        assert!(!format!("{facts:?}").contains(SECRET));
    }
}
