//! Sites with a repository of their own: begun from a template, cloned and pushed with git, edited in the browser and published.

use crate::dashboard::Browser;
use crate::platform::{Platform, REPOSITORIES_TOKEN, TOKEN, code};
use events::build::{self, Job};
use events::{Actor, AliasName, Build, BuildId, Cause, Event, Lane, RepositoryEvent, RepositoryUrl, SiteEngine};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;
use tokio::process::Command;

async fn from_template(platform: &Platform, name: &str, template: &str) -> Value {
    let (status, site) = platform.send(Method::POST, "/sites", json!({ "name": name, "template": template })).await;
    assert_eq!(status, StatusCode::CREATED, "{site}");
    site
}

async fn git(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@mail.test"]).args(arguments);
    command.current_dir(folder).env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.output().await.unwrap()
}

async fn git_does(folder: &Path, arguments: &[&str]) {
    let output = git(folder, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The address of a repository, for whoever has this token.
fn address(platform: &Platform, token: &str, name: &str) -> String {
    format!("http://x:{token}@{}/git/{name}.git", platform.host())
}

async fn last_push(platform: &Platform) -> (String, String, String) {
    let last = platform.log.fact(platform.log.last_sequence().await.unwrap()).await.unwrap().unwrap();
    let Event::Repository(RepositoryEvent::PushReceived { branch, commit, summary, .. }) = last.event else {
        panic!("{last:?} is no push")
    };
    (branch.to_string(), commit.to_string(), format!("{summary} by {}", last.envelope.actor))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_from_a_template_is_cloned_and_pushed_with_a_token() {
    let platform = Platform::start().await;
    for (name, template, engine, file) in [
        ("plain", "plain", "static", "index.html"),
        ("eleven", "11ty", "node.js", "package.json"),
        ("hugo", "hugo", "hugo", "content/_index.md"),
    ] {
        let site = from_template(&platform, name, template).await;
        assert_eq!((&site["engine"], &site["branch"]), (&json!(engine), &json!("main")));
        assert_eq!(site["repository"], format!("pagefold:{}", site["id"].as_str().unwrap()));
        let (_, source) = platform.get(&format!("/sites/{name}/source")).await;
        assert!(source["files"].as_array().unwrap().iter().any(|known| known["path"] == file), "{source}");
    }
    let folder = tempfile::tempdir().unwrap();
    git_does(folder.path(), &["clone", "--quiet", &address(&platform, TOKEN, "plain"), "site"]).await;
    let clone = folder.path().join("site");
    std::fs::write(clone.join("news.html"), "<p>News</p>").unwrap();
    git_does(&clone, &["add", "."]).await;
    git_does(&clone, &["commit", "--quiet", "-m", "Tell the news"]).await;
    git_does(&clone, &["push", "--quiet", "origin", "main"]).await;
    let (branch, commit, told) = last_push(&platform).await;
    assert_eq!((branch.as_str(), told.as_str()), ("main", "Tell the news by token:tester"));
    let (_, file) = platform.get("/sites/plain/source/news.html").await;
    assert_eq!((&file["text"], &file["commit"]), (&json!("<p>News</p>"), &json!(commit)));
    let stated = platform.log.last_sequence().await.unwrap();
    git_does(&clone, &["push", "--quiet", "origin", "main"]).await;
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated, "nothing new is nothing to tell");

    let launcher = address(&platform, REPOSITORIES_TOKEN, "plain");
    git_does(folder.path(), &["clone", "--quiet", &launcher, "built"]).await;
    std::fs::write(clone.join("more.html"), "more").unwrap();
    git_does(&clone, &["add", "."]).await;
    git_does(&clone, &["commit", "--quiet", "-m", "More"]).await;
    for token in [REPOSITORIES_TOKEN, "wrong"] {
        let refused = git(&clone, &["push", "--quiet", &address(&platform, token, "plain"), "main"]).await;
        assert!(!refused.status.success(), "{token} pushes nothing");
    }
    assert!(!git(folder.path(), &["clone", &address(&platform, "wrong", "plain"), "no"]).await.status.success());
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_becomes_a_branch_and_is_published_unless_somebody_was_faster() {
    let platform = Platform::start().await;
    from_template(&platform, "docs", "plain").await;
    let about = platform.get("/sites/docs/source/about.html").await.1;
    let begun = about["commit"].clone();
    let save = async |path: &str, text: &str, branch: &str, commit: &Value| {
        let body = json!({ "text": text, "branch": branch, "commit": commit });
        platform.send(Method::PUT, &format!("/sites/docs/source/{path}"), body).await
    };
    let (status, edited) = save("about.html", "<h1>We</h1>\n", "about-us", &begun).await;
    assert_eq!(status, StatusCode::OK, "{edited}");
    let (branch, commit, told) = last_push(&platform).await;
    assert_eq!((branch.as_str(), told.as_str()), ("about-us", "Edit about.html by token:tester"));
    assert_eq!(edited["commit"], commit);
    let stated = platform.log.last_sequence().await.unwrap();
    assert_eq!(save("about.html", "<h1>We</h1>\n", "about-us", &edited["commit"]).await.1, edited);
    assert_eq!(code(&save("about.html", "<h1>I</h1>\n", "about-us", &begun).await), (409, "branch_moved"));
    assert_eq!(code(&save("..%2Fetc%2Fpasswd", "x", "other", &begun).await).0, 422);
    for path in [".git/config", "about.html/more.html"] {
        assert_eq!(code(&save(path, "x", "other", &begun).await), (422, "invalid_input"), "{path}");
    }
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
    let (_, one) = save("blog/one.html", "1", "blog", &begun).await;
    assert_eq!(code(&save("blog", "2", "blog", &one["commit"]).await), (422, "invalid_input"), "a folder stays one");
    assert_eq!(save("blog/two.html", "2", "blog", &one["commit"]).await.0, StatusCode::OK);

    // Somebody changes another file of the live branch meanwhile, so that it takes a merge.
    let (_, news) = save("news.html", "News\n", "main", &begun).await;
    let publish = json!({ "branch": "about-us", "commit": edited["commit"] });
    let (status, live) = platform.send(Method::POST, "/sites/docs/publish", publish.clone()).await;
    assert_eq!((status, &live["branch"]), (StatusCode::OK, &json!("main")), "{live}");
    assert_ne!(live["commit"], news["commit"]);
    for (path, text) in [("about.html", "<h1>We</h1>\n"), ("news.html", "News\n")] {
        assert_eq!(platform.get(&format!("/sites/docs/source/{path}")).await.1["text"], text);
    }
    let again = platform.send(Method::POST, "/sites/docs/publish", publish).await;
    assert_eq!(code(&again), (404, "branch_not_found"), "what was published is gone");

    let (_, mine) = save("about.html", "<h1>Mine</h1>\n", "mine", &live["commit"]).await;
    save("about.html", "<h1>Theirs</h1>\n", "main", &live["commit"]).await;
    let publish = json!({ "branch": "mine", "commit": mine["commit"] });
    let conflict = platform.send(Method::POST, "/sites/docs/publish", publish).await;
    assert_eq!(code(&conflict), (409, "merge_conflict"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_into_an_editor_is_there_again_when_it_cannot_be_saved() {
    let platform = Platform::start().await;
    from_template(&platform, "docs", "plain").await;
    let browser = Browser::sign_in(&platform).await;
    let begun = platform.get("/sites/docs/source/about.html").await.1;
    let commit = begun["commit"].as_str().unwrap().to_owned();
    let body = json!({ "text": "Theirs", "branch": "main", "commit": commit });
    platform.send(Method::PUT, "/sites/docs/source/about.html", body).await;
    let stated = platform.log.last_sequence().await.unwrap();
    let form = |branch: &str, path: &str, commit: &str| {
        format!("path={path}&text=Mine+%26+more&message=My+words&commit={commit}&branch={branch}")
    };
    for (branch, path, commit, status, code, at) in [
        ("main", "about.html", commit.as_str(), 409, "branch_moved", "id=\"branch-error\""),
        ("a..b", "about.html", commit.as_str(), 422, "invalid_input", "id=\"branch-error\""),
        ("edit-1", "about.html/x.html", commit.as_str(), 422, "invalid_input", "id=\"path-error\""),
        ("edit-1", "about.html", &"0".repeat(40), 422, "invalid_input", "role=\"alert\""),
    ] {
        let refused = browser.submit("/sites/docs/source/edit", &form(branch, path, commit)).await;
        assert_eq!(refused.status().as_u16(), status, "{branch} {path}");
        let page = refused.text().await.unwrap();
        for shown in ["\nMine &amp; more</textarea>", "value=\"My words\"", &format!("value=\"{branch}\""), code, at] {
            assert!(page.contains(shown), "{branch} {path}: {shown} in {page}");
        }
    }
    let other = browser.submit("/sites/docs/source/edit", &form("edit-1", "about.html", &commit)).await;
    assert_eq!(other.status(), StatusCode::SEE_OTHER, "on a branch of its own it is saved");
    assert!(platform.log.last_sequence().await.unwrap() > stated);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_saves_is_led_to_the_build_and_its_preview_and_what_is_no_change_is_no_commit() {
    let platform = Platform::start().await;
    let site = from_template(&platform, "docs", "plain").await;
    let browser = Browser::sign_in(&platform).await;
    let begun = platform.get("/sites/docs/source/about.html").await.1;
    let (text, commit) = (begun["text"].as_str().unwrap(), begun["commit"].as_str().unwrap());
    let stated = platform.log.last_sequence().await.unwrap();
    let encoded: String = form_urlencoded(text);
    for branch in ["main", "edit-1"] {
        let form = format!("path=about.html&text={encoded}&message=&commit={commit}&branch={branch}");
        let same = browser.submit("/sites/docs/source/edit", &form).await;
        assert_eq!(same.status(), StatusCode::OK, "{branch}");
        assert!(same.text().await.unwrap().contains("nothing was saved"), "{branch}");
    }
    assert_eq!(platform.log.last_sequence().await.unwrap(), stated);
    let form = format!("path=about.html&text=New&message=&commit={commit}&branch=edit-1");
    let saved = browser.submit("/sites/docs/source/edit", &form).await;
    let location = saved.headers()["location"].to_str().unwrap().to_owned();
    let page = browser.page(&location).await;
    assert!(page.contains("<h2>Saved</h2>") && page.contains("Its build is queued in a moment"), "{page}");
    assert!(page.contains("It will be shown at <a href=\"http://edit-1--docs"), "{page}");
    let site = events::SiteId(site["id"].as_str().unwrap().parse().unwrap());
    let build = queued_for_last_push(&platform, site).await;
    let page = browser.page(&location).await;
    assert!(page.contains(&format!("It is built by <a href=\"/builds/{build}\">")), "{page}");
    assert!(page.contains(&format!("data-refresh=\"{site}\"")), "the page follows the build: {page}");
}

/// The build of the push that the log was told of last, as the scheduler queues it.
async fn queued_for_last_push(platform: &Platform, site: events::SiteId) -> BuildId {
    let source_sequence = platform.log.last_sequence().await.unwrap();
    let (branch, commit, _) = last_push(platform).await;
    let branch: events::Branch = branch.parse().unwrap();
    let job = Job {
        site,
        number: 2,
        source_sequence,
        repository: RepositoryUrl::own(site),
        alias: AliasName::Preview(branch.clone()),
        branch,
        commit: Some(commit.parse().unwrap()),
        engine: SiteEngine::Static,
        lane: Lane::High,
        summary: "Edit about.html".to_owned(),
        upload: None,
        recipe: Default::default(),
        pull_request: None,
        cache_from: None,
    };
    let id = BuildId(uuid::Uuid::new_v4());
    let (cause, command) = (Cause::new(Actor::service("scheduler")), build::Command::Queue(job));
    let scheduler = platform.service("scheduler").await;
    let said = scheduler.execute::<Build>(&id.to_string(), &command, &cause).await.unwrap();
    platform.projected(&said).await;
    id
}

fn form_urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_edit_and_publish_without_a_script_and_other_sites_files_are_not_there() {
    let platform = Platform::start().await;
    let site = from_template(&platform, "docs", "plain").await;
    platform.create_site("elsewhere").await;
    let browser = Browser::sign_in(&platform).await;
    assert!(browser.page("/sites/docs/source").await.contains("about.html"));
    let editor = browser.page("/sites/docs/source/edit?branch=main&path=about.html").await;
    assert!(editor.contains("&lt;h1&gt;About&lt;/h1&gt;") && editor.contains("edit-"), "{editor}");
    let commit = platform.get("/sites/docs/source").await.1["commit"].as_str().unwrap().to_owned();
    let form = format!("path=news.md&text=%23+News+%3Cscript%3E&message=Say&commit={commit}&branch=edit-1");
    let shown = browser.submit("/sites/docs/source/preview", &form).await.text().await.unwrap();
    assert!(
        shown.contains("<h3>News &lt;script&gt;</h3>") && shown.contains("\n# News &lt;script&gt;</textarea>"),
        "{shown}"
    );
    assert_eq!(platform.get("/sites/docs/source").await.1["commit"], commit, "nothing is saved by it");
    let form = format!("path=about.html&text=Hello%0D%0Ayou&message=&commit={commit}&branch=edit-1");
    let saved = browser.submit("/sites/docs/source/edit", &form).await;
    let location = saved.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with("/sites/docs/source?branch=edit%2D1&saved="), "{location}");
    let edited = platform.get("/sites/docs/source/about.html?branch=edit-1").await.1;
    assert_eq!(edited["text"], "Hello\nyou", "lines end as they did");
    let form = format!("branch=edit-1&commit={}", edited["commit"].as_str().unwrap());
    assert_eq!(browser.submit("/sites/docs/source/publish", &form).await.headers()["location"], "/sites/docs");
    assert_eq!(platform.get("/sites/docs/source/about.html").await.1["text"], "Hello\nyou");

    assert_eq!(code(&platform.get("/sites/elsewhere/source").await), (409, "repository_elsewhere"));
    let stolen = json!({ "repository": site["repository"] });
    let (status, problem, _) = platform.patch("/sites/elsewhere", None, stolen.clone()).await;
    assert_eq!(code(&(status, problem)), (422, "invalid_input"), "a site is not built from another's repository");
    let new = json!({ "name": "thief", "repository": site["repository"] });
    assert_eq!(code(&platform.send(Method::POST, "/sites", new).await), (422, "invalid_input"));
    let wanted = json!({ "name": "reader", "scopes": ["read"], "organization": "default" });
    let token = platform.send(Method::POST, "/tokens", wanted).await.1["token"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    git_does(folder.path(), &["clone", "--quiet", &address(&platform, &token, "docs"), "site"]).await;
    let clone = folder.path().join("site");
    git_does(&clone, &["commit", "--quiet", "--allow-empty", "-m", "No"]).await;
    assert!(!git(&clone, &["push", "--quiet", "origin", "main"]).await.status.success(), "whoever reads does not push");
}
