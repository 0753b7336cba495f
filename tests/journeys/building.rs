//! How source becomes pages, and what a build may see.

use crate::sources::PACKAGE;
use journeys::{OPERATORS_SECRET, Platform};
use serde_json::{Value, json};

#[tokio::test]
async fn a_node_site_is_built_by_its_script_with_its_locked_packages() {
    let platform = Platform::shared().await;
    let site = platform.site("scripted", json!({ "engine": "node.js" })).await;
    let package = json!({
        "name": "story", "version": "1.0.0", "dependencies": { "greeting": "file:greeting" },
        "scripts": { "pages": "node build.js" },
    });
    let lock = json!({
        "name": "story", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": { "name": "story", "version": "1.0.0", "dependencies": { "greeting": "file:greeting" } },
            "greeting": { "version": "1.0.0" },
            "node_modules/greeting": { "resolved": "greeting", "link": true },
        },
    });
    let files = [
        ("package.json", package.to_string()),
        ("package-lock.json", lock.to_string()),
        ("greeting/package.json", r#"{ "name": "greeting", "version": "1.0.0" }"#.to_owned()),
        ("greeting/index.js", "module.exports = (name) => `hello ${name}`;".to_owned()),
        (
            "build.js",
            "require('fs').mkdirSync('_site');\n\
             require('fs').writeFileSync('_site/index.html', require('greeting')(process.env.BRANCH));"
                .to_owned(),
        ),
    ];
    site.publish(1, files.iter().map(|(path, text)| (*path, text.as_str()))).await;
    site.serves("/", "hello main").await;
    let log = platform.api().log(&site.queued(1).await).await;
    assert!(log.contains("npm ci") && log.contains("npm run pages"), "{log}");
    let build = site.queued(1).await;
    platform.read_model_has_caught_up().await;
    let told: Value = platform.api().get(&format!("/builds/{build}")).await;
    let steps: Vec<_> =
        told["steps"].as_array().unwrap().iter().map(|step| (&step["name"], &step["exit_code"])).collect();
    let expected = ["clone", "setup", "build", "publish"].map(|name| (json!(name), json!(0)));
    assert_eq!(steps, expected.each_ref().map(|(name, code)| (name, code)), "{told}");
    let took = &told["resources"];
    assert!(took["memory_peak_bytes"].as_u64() > Some(1 << 20) && took["cpu_seconds"].as_f64() > Some(0.0), "{took}");
    let shown = platform.operator(&["show", &build]);
    assert!(shown.contains("\n  publish  ") && shown.contains(" of memory, "), "{shown}");
}

#[tokio::test]
async fn a_hugo_site_is_rendered() {
    let platform = Platform::shared().await;
    let site = platform.site("rendered", json!({ "engine": "hugo" })).await;
    let files = [
        (
            "config.toml",
            "title = 'A small almanac'\nbaseURL = '/'\ndisableKinds = ['taxonomy', 'term', 'RSS', 'sitemap']\n",
        ),
        ("layouts/index.html", "<h1>{{ .Site.Title }}</h1>{{ .Content }}"),
        ("content/_index.md", "---\n---\nOne *page* for every day.\n"),
    ];
    site.publish(1, files).await;
    site.serves("/", "<h1>A small almanac</h1>").await;
    site.serves("/", "<em>page</em>").await;
}

#[tokio::test]
async fn a_build_that_fails_says_why_and_changes_nothing() {
    let platform = Platform::shared().await;
    let site = platform.site("broken", json!({ "engine": "node.js" })).await;
    let good = "require('fs').mkdirSync('_site'); require('fs').writeFileSync('_site/index.html', 'good')";
    site.publish(1, [PACKAGE, ("build.js", good)]).await;
    site.push("main", [("build.js", "console.error('the oven is cold'); process.exit(3)")]).await;
    let finished = site.finished(2).await;
    assert_eq!((finished.data["outcome"].as_str(), &finished.data["artifact"]), (Some("failure"), &Value::Null));
    assert_eq!(finished.data["reason"], "npm run pages failed with exit code 3: the oven is cold.");
    let log = platform.api().log(&finished.subject).await;
    assert!(log.contains("the oven is cold\n") && log.contains("npm run pages failed"), "{log}");
    site.serves("/", "good").await;
    assert_eq!(site.deploys().await.len(), 1);

    site.push("main", [("package.json", r#"{ "name": "broken", "scripts": {} }"#)]).await;
    let build = site.finished(3).await.subject;
    platform.read_model_has_caught_up().await;
    let told: Value = platform.api().get(&format!("/builds/{build}")).await;
    assert_eq!(told["reason"], "package.json has no script named pages, federalist or build.");
    assert!(told["hint"].as_str().unwrap().contains("Add a script named pages"), "{told}");
}

#[tokio::test]
async fn a_build_sees_no_secret_of_the_platform() {
    let platform = Platform::shared().await;
    let site = platform.site("curious", json!({ "engine": "node.js" })).await;
    let pages = "{ env; cat /proc/*/environ /proc/*/cmdline; ls -R / 2>&1 | head -c 1000000; \
         cat $(find / -name '*.json' -path '*data*' -not -path '/proc/*'); true; } > seen.txt 2>&1; \
         tr '\\\\0' '\\\\n' < seen.txt | head -c 6000000; mkdir -p _site; echo done > _site/index.html";
    let package = json!({ "name": "curious", "scripts": { "pages": pages.replace("\\\\", "\\") } }).to_string();
    site.publish(1, [("package.json", package.as_str())]).await;
    let log = platform.api().log(&site.queued(1).await).await;
    assert!(log.contains("HOME=/home/build") && log.contains("SITE=curious"), "the build has looked: {log}");

    let secrets = secrets(&platform);
    assert!(secrets.len() > 15, "the platform has {} secrets", secrets.len());
    for (place, secret) in secrets {
        assert!(!log.contains(&secret), "a secret of {place} is in the log");
    }
}

/// The operator's own secret, and every long random word in the files that hold secrets, each with where it is from.
fn secrets(platform: &Platform) -> Vec<(String, String)> {
    let data = platform.data();
    let passwords = std::fs::read_dir(data.join("postgres/passwords")).unwrap();
    let files = ["ready.json", "secrets.json", "nats/passwords.json"].map(|name| data.join(name));
    let files = files.into_iter().chain(passwords.map(|entry| entry.unwrap().path()));
    let mut secrets = vec![("the environment".to_owned(), OPERATORS_SECRET.1.to_owned())];
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let words = text.split(|character: char| !character.is_ascii_alphanumeric());
        secrets.extend(words.filter(|word| word.len() >= 24).map(|word| (file.display().to_string(), word.to_owned())));
    }
    secrets
}
