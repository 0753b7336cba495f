//! Pull requests: what is to be taken in is looked at before, and whoever wrote it gets nothing of the site.

use journeys::{Delivery, Host, Platform, Repository, Site, eventually};
use reqwest::Method;
use serde_json::{Value, json};

/// Number 12 of the site's repository, whose head is what `head` was pushed as.
fn told(site: &Site<'_>, action: &str, head: &Repository, pushed: &Delivery) -> Delivery {
    let branch = "docs/better";
    let body = json!({
        "action": action, "number": 12,
        "pull_request": {
            "title": "Say it better",
            "head": { "ref": branch, "sha": pushed.commit, "repo": { "clone_url": head.url() } },
        },
        "repository": { "full_name": "stories/site", "clone_url": site.repository.url() },
    });
    Delivery { commit: pushed.commit.clone(), ..Delivery::of("pull_request", body.to_string()) }
}

fn preview(site: &Site<'_>, branch: &str) -> Host {
    site.host(&branch.parse::<events::Branch>().unwrap().host_prefix())
}

async fn newest(platform: &Platform, site: &str, state: &str) -> Value {
    let look = async || {
        let builds: Value = platform.api().get(&format!("/sites/{site}/builds")).await;
        let newest = builds["items"][0].clone();
        (newest["state"] == state).then_some(newest)
    };
    eventually(&format!("a build that is {state}"), look).await
}

#[tokio::test]
async fn a_fork_is_looked_at_when_a_member_says_so_and_is_given_nothing() {
    let platform = Platform::shared().await;
    let site = platform.site("pulled", json!({})).await;
    let api = platform.api();
    let secret = json!({ "value": "s3cr3t-value-0123456789" });
    let _ = api.send(Method::PUT, "/sites/pulled/variables/API_KEY", &secret).await.expect(204);
    let tells = json!({ "command": "mkdir -p _site; printf %s \"$API_KEY\" | wc -c > _site/length; cp *.html _site/" });
    let _ = api.send(Method::PATCH, "/sites/pulled", &tells).await.expect(200);
    site.publish(1, [("index.html", "ours")]).await;
    site.serves("/length", "23").await;

    let fork = platform.repository("pulled-by-mallory");
    let pushed = fork.push("docs/better", [("index.html", "theirs")]);
    let opened = told(&site, "opened", &fork, &pushed);
    let _ = platform.deliver(&opened).await.expect(202);
    let waits = newest(&platform, "pulled", "skipped").await;
    assert_eq!((&waits["trigger"]["kind"], &waits["branch"]), (&json!("pull_request"), &json!("pull/12")), "{waits}");
    assert_eq!(waits["pull_request"], json!({ "number": 12, "fork": fork.url() }));
    assert!(waits["reason"].as_str().unwrap().contains("approves"), "{waits}");

    let page = format!("{}/builds/{}", platform.web(), waits["id"].as_str().unwrap());
    let page = reqwest::Client::new().get(page).bearer_auth(platform.token()).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("Approve and build") && page.contains("#12 from "), "{page}");

    let retry = format!("/builds/{}/retry", waits["id"].as_str().unwrap());
    let _ = api.send(Method::POST, &retry, &json!({})).await.expect(201);
    preview(&site, "pull/12").serves("/", "theirs").await;
    preview(&site, "pull/12").serves("/length", "0").await;
    site.serves("/", "ours").await;

    let _ = platform.deliver(&told(&site, "closed", &fork, &pushed)).await.expect(202);
    site.until("alias.removed", |fact| fact.data["alias"] == "preview/pull/12").await;
    let _ = preview(&site, "pull/12").is_gone().await;
}

#[tokio::test]
async fn a_pull_request_of_an_own_branch_is_built_once_and_its_preview_ends_with_it() {
    let platform = Platform::shared().await;
    let site = platform.site("pulled-own", json!({})).await;
    site.publish(1, [("index.html", "ours")]).await;
    // The host tells of the pull request and never of the push.
    let pushed = site.repository.push("docs/better", [("index.html", "better")]);
    let _ = platform.deliver(&told(&site, "opened", &site.repository, &pushed)).await.expect(202);
    preview(&site, "docs/better").serves("/", "better").await;
    let _ = platform.deliver(&pushed).await.expect(202);
    let _ = platform.deliver(&told(&site, "closed", &site.repository, &pushed)).await.expect(202);
    site.until("alias.removed", |fact| fact.data["alias"] == "preview/docs/better").await;
    let _ = preview(&site, "docs/better").is_gone().await;
    let queued = site.facts().into_iter().filter(|fact| fact.name() == "build.queued").count();
    assert_eq!(queued, 2, "the first build of the site's branch, and one of the other");
    site.serves("/", "ours").await;
}
