//! A build's log: followed while it is written, resumed where a reader stopped, and read from the archive afterwards.

use crate::dashboard::Browser;
use crate::platform::{Platform, TOKEN};
use bytes::Bytes;
use events::Outcome;
use futures::StreamExt;
use reqwest::Method;
use runtime::build_log::Writer;
use std::time::{Duration, Instant};

/// Reads a response until `text` has come.
async fn until(response: &mut reqwest::Response, seen: &mut String, text: &str) {
    let reading = async {
        while !seen.contains(text) {
            let chunk = response.chunk().await.unwrap();
            seen.push_str(std::str::from_utf8(&chunk.expect("the stream goes on")).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading).await.unwrap_or_else(|_| panic!("no `{text}` in:\n{seen}"));
}

async fn whole(response: reqwest::Response) -> String {
    let reading = response
        .bytes_stream()
        .fold(String::new(), |text, chunk| async move { text + std::str::from_utf8(&chunk.unwrap()).unwrap() });
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("the stream ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_sees_lines_as_they_are_written_and_resumes_where_it_stopped() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let build = platform.running_build(docs, 1).await;
    let launcher = platform.service("launcher").await;
    let mut writer = Writer::open(launcher.connection(), build).await.unwrap();
    writer.line("fetching");
    writer.line("building");
    writer.flush().await.unwrap();

    let log = format!("/builds/{build}/log");
    let follow =
        |id: &str| platform.api(Method::GET, &format!("{log}?follow=1")).header("last-event-id", id.to_owned()).send();
    let mut response = platform.api(Method::GET, &format!("{log}?follow=1")).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut seen = String::new();
    until(&mut response, &mut seen, "data: fetching\ndata: building\n").await;
    assert!(seen.contains("id: 18\n"), "{seen}");
    let mut resumed = follow("9").await.unwrap();
    let mut seen_later = String::new();
    until(&mut resumed, &mut seen_later, "data: building\n").await;
    assert!(!seen_later.contains("fetching"), "{seen_later}");

    writer.line("done");
    writer.flush().await.unwrap();
    until(&mut response, &mut seen, "id: 23\ndata: done\n").await;
    platform.finish(build, Outcome::Success).await;
    until(&mut response, &mut seen, "event: end\ndata: success\n").await;
    let rest = whole(follow("18").await.unwrap()).await;
    assert!(rest.contains("id: 23\ndata: done\n") && !rest.contains("building"), "{rest}");
    assert!(rest.trim_end().ends_with("event: end\ndata: success"), "{rest}");
    let plain = platform.api(Method::GET, &format!("{log}?follow=1&after=9")).header("accept", "text/plain");
    assert_eq!(whole(plain.send().await.unwrap()).await, "building\ndone\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_followers_of_a_build_are_told_the_same_wherever_they_begin() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let build = platform.running_build(docs, 1).await;
    let launcher = platform.service("launcher").await;
    let mut writer = Writer::open(launcher.connection(), build).await.unwrap();
    let mut text = String::new();
    let mut followers = Vec::new();
    for number in 0..400 {
        let line = format!("{number} {}", "x".repeat(2000));
        writer.line(&line);
        text += &(line + "\n");
        if number % 20 == 0 {
            writer.flush().await.unwrap();
            let path = format!("/builds/{build}/log?follow=1&after={}", number / 2);
            let follower = platform.api(Method::GET, &path).header("accept", "text/plain");
            followers.push((number / 2, follower.send().await.unwrap()));
        }
    }
    writer.flush().await.unwrap();
    // One leaves early, which is nothing to the others.
    drop(followers.remove(0));
    platform.finish(build, Outcome::Success).await;
    for (from, follower) in followers {
        assert!(whole(follower).await == text[from..], "a follower from {from} was told something else");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_answers_for_a_log_that_has_left_the_stream() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let build = platform.running_build(docs, 1).await;
    platform.finish(build, Outcome::Failure).await;
    let text = "fetching\nbuilding\nfailed\n";
    platform.storage.platform().put_log(&storage::keys::log(build), Bytes::from_static(text.as_bytes())).await.unwrap();
    let log = format!("/builds/{build}/log");
    let response = platform.api(Method::GET, &log).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.text().await.unwrap(), text);
    let followed = whole(platform.api(Method::GET, &format!("{log}?follow=1&after=9")).send().await.unwrap()).await;
    assert!(followed.contains("id: 25\ndata: building\ndata: failed\n\nevent: end\ndata: failure"), "{followed}");
    let unknown = "/builds/00000000-0000-4000-8000-000000000000/log?follow=1";
    assert_eq!(platform.get(unknown).await.1["code"], "build_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn live_streams_of_a_session_end_soon_after_it_is_left_and_others_go_on() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let build = platform.running_build(docs, 1).await;
    let (left, kept) = (Browser::sign_in(&platform).await.cookie, Browser::sign_in(&platform).await.cookie);
    let log = format!("/api/v1/builds/{build}/log?follow=1");
    let open = async |path: &str, (name, value): (&str, &str), accept: &str| {
        let request = platform.client.get(platform.url(path)).header(name, value).header("accept", accept);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response
    };
    let live = "/api/v1/events/live";
    let events = "text/event-stream";
    let over = [
        open(live, ("cookie", &left), events).await,
        open(&log, ("cookie", &left), events).await,
        open(&log, ("cookie", &left), "text/plain").await,
    ];
    let bearer = format!("Bearer {TOKEN}");
    let mut going = [open(live, ("cookie", &kept), events).await, open(live, ("authorization", &bearer), events).await];
    let browser = Browser { platform: &platform, cookie: left };
    assert_eq!(browser.submit("/logout", "").await.status(), 303);
    let since = Instant::now();
    for response in over {
        whole(response).await;
    }
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    platform.create_site("blog").await;
    for response in &mut going {
        until(response, &mut String::new(), "host.claimed.v1").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn live_streams_are_bounded_and_end_with_the_server() {
    let platform = Platform::start().await;
    let live = || platform.client.get(platform.url("/api/v1/events/live")).bearer_auth(TOKEN).send();
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(live().await.unwrap());
    }
    let refused = live().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.text().await.unwrap().contains("too_many_streams"));
    drop(platform);
    whole(open.pop().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_failed_build_says_what_it_said_last_and_builds_again() {
    let platform = Platform::start().await;
    let docs = platform.create_site("docs").await;
    let build = platform.running_build(docs, 1).await;
    let launcher = platform.service("launcher").await;
    let mut writer = Writer::open(launcher.connection(), build).await.unwrap();
    for line in
        ["[pagefold] npm run pages", "compiling", "\u{1b}[31mError:\u{1b}[0m no <page> here", "[pagefold] failed"]
    {
        writer.line(line);
    }
    writer.flush().await.unwrap();
    let browser = Browser::sign_in(&platform).await;
    let open = browser.page(&format!("/builds/{build}")).await;
    assert!(!open.contains("The last it said") && open.contains(&format!("data-refresh=\"{docs}\"")), "{open}");
    platform.finish(build, Outcome::Failure).await;
    let page = browser.page(&format!("/builds/{build}")).await;
    let excerpt = page.split("aria-label=\"The last lines\">").nth(1).unwrap().split("</pre>").next().unwrap();
    assert_eq!(excerpt, "compiling\n<span class=\"ansi-red\">Error:</span> no &lt;page&gt; here");
    assert!(
        page.contains("The script <code>pages</code> exited with 1.") && page.contains("Look at <code>pages</code>."),
        "{page}"
    );
    assert!(!page.contains("Cancel<"), "{page}");
    let form = format!("branch=main&commit={}", crate::platform::COMMIT);
    let again = browser.submit(&format!("/sites/{docs}/builds"), &form).await;
    let next = again.headers()["location"].to_str().unwrap().to_owned();
    assert!(next.starts_with("/builds/") && next != format!("/builds/{build}"), "{next}");
    assert!(browser.page(&next).await.contains("by tester (operator)"));
}
