//! The edge as a reader sees it, with a real log and a real object store: what it serves, and what it goes on serving
//! when either of them is gone.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails fails its test")]

mod backends;
mod doors;
mod purges;
mod robots;
mod routes;
mod store;
mod tls;
mod world;

use events::event::{HtmlHandling, NotFoundHandling, Serving};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use world::{Edge, World, page};

const HOME: &str = "index.html";

fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn a_promoted_deploy_is_served_in_every_way_a_reader_may_ask() {
    let world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    let files =
        [(HOME, "home"), ("blog/index.html", "blog"), ("blog/404.html", "no such post"), ("a.txt", "0123456789")];
    let files = [&files[..], &[("app.3f2a9c1b.js", "go()")]].concat();
    let deploy = world.put("docs", 1, &files).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", "home").await;

    let home = edge.get("docs", "/").await;
    let etag = header(home.headers(), "etag");
    assert_eq!(header(home.headers(), "x-pagefold-deploy"), deploy.as_str());
    assert_eq!(header(home.headers(), "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(home.headers(), "x-robots-tag"), "");

    assert_eq!(header(home.headers(), "strict-transport-security"), "max-age=31536000");
    let hashed = edge.get("docs", "/app.3f2a9c1b.js").await;
    assert_eq!(header(hashed.headers(), "cache-control"), "public, max-age=31536000, immutable");

    let cached = edge.ask("GET", "docs", "/", &[("if-none-match", &etag)]).await;
    assert_eq!((cached.status(), header(cached.headers(), "etag")), (StatusCode::NOT_MODIFIED, etag));
    let head = edge.ask("HEAD", "docs", "/a.txt", &[]).await;
    assert_eq!((head.status(), header(head.headers(), "content-length").as_str()), (StatusCode::OK, "10"));
    assert_eq!(head.text().await.unwrap(), "");
    let part = edge.ask("GET", "docs", "/a.txt", &[("range", "bytes=2-4")]).await;
    assert_eq!((part.status(), part.text().await.unwrap().as_str()), (StatusCode::PARTIAL_CONTENT, "234"));
    let folder = edge.get("docs", "/blog?q=1").await;
    assert_eq!(
        (folder.status(), header(folder.headers(), "location").as_str()),
        (StatusCode::TEMPORARY_REDIRECT, "/blog/?q=1")
    );
    let missing = edge.get("docs", "/blog/nothing").await;
    assert_eq!((missing.status(), missing.text().await.unwrap().as_str()), (StatusCode::NOT_FOUND, "no such post"));
    edge.refuses("docs", "/nothing", 404, "page_not_found").await;
    edge.refuses("docs", "/%zz", 400, "path_malformed").await;
    edge.refuses("nobody", "/", 404, "site_not_found").await;
    assert_eq!(edge.ask("POST", "docs", "/", &[]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(edge.over_http2("docs", "/").await, "home");
}

#[tokio::test]
async fn previews_and_deploys_have_their_own_hosts_and_a_deleted_site_has_none() {
    let world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    let first = world.put("docs", 1, &[(HOME, "first")]).await;
    world.put("docs", 2, &[(HOME, "second")]).await;
    world.promote("docs", "preview/fix", 1).await;
    world.promote("docs", "demo", 2).await;
    edge.until_serves("demo--docs", "/", "second").await;
    edge.until_serves("fix--docs", "/", "first").await;
    edge.refuses("docs", "/", 404, "site_not_found").await;
    let by_id = format!("{first}--docs");
    for (host, caching) in
        [("fix--docs", "public, max-age=0, must-revalidate"), (&by_id, "public, max-age=31536000, immutable")]
    {
        let page = edge.get(host, "/").await;
        assert_eq!(header(page.headers(), "x-robots-tag"), "noindex", "{host}");
        assert_eq!(header(page.headers(), "cache-control"), caching, "{host}");
        assert_eq!(page.text().await.unwrap(), "first");
    }
    edge.refuses("0123456789ab--docs", "/", 404, "site_not_found").await;
    world.delete("docs").await;
    edge.until_refuses("fix--docs", 404, "site_not_found").await;
    edge.refuses(&by_id, "/", 404, "site_not_found").await;
}

#[tokio::test]
async fn a_site_answers_as_its_settings_want_it_at_once_and_after_a_restart() {
    let mut world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    world.put("docs", 1, &[(HOME, "home"), ("blog/index.html", "blog")]).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", "home").await;
    assert_eq!(header(edge.get("docs", "/blog").await.headers(), "location"), "/blog/");
    edge.refuses("docs", "/people/7", 404, "page_not_found").await;
    let serving = Serving {
        html_handling: HtmlHandling::DropTrailingSlash,
        not_found_handling: NotFoundHandling::SinglePageApplication,
        ..Serving::default()
    };
    world.answer("docs", serving).await;
    edge.until_serves("docs", "/people/7", "home").await;
    assert_eq!(header(edge.get("docs", "/blog/?a=b").await.headers(), "location"), "/blog?a=b");
    edge.refuses("docs", "/missing.js", 404, "page_not_found").await;
    edge.stop().await;
    world.kill_log().await;
    let edge = world.edge().await;
    edge.until_serves("docs", "/people/7", "home").await;
    assert_eq!(edge.text("docs", "/blog").await, "blog");
    edge.stop().await;
}

#[tokio::test]
async fn the_rules_of_a_deploy_answer_with_it_and_after_a_restart_without_log_and_store() {
    let mut world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    let redirects = "/old /new 301\n/app/* /index.html 200\n/about /team 301!\n/lang /fr 302 Language=fr\n/bad\n";
    let headers = "/*\n  X-Site: yes\n/secure/*\n  X-Frame-Options: DENY\n  Cache-Control: no-store\n";
    let files = [
        (HOME, "home"),
        ("about.html", "about"),
        ("secure/index.html", "s"),
        ("_redirects", redirects),
        ("_headers", headers),
    ];
    world.put("docs", 1, &files).await;
    world.put("docs", 2, &[(HOME, "plain")]).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/app/any/thing", "home").await;
    let led = edge.get("docs", "/old?a=b").await;
    assert_eq!((led.status().as_u16(), header(led.headers(), "location").as_str()), (301, "/new?a=b"));
    assert_eq!(edge.get("docs", "/about").await.status().as_u16(), 301);
    assert_eq!(edge.ask("GET", "docs", "/lang", &[("accept-language", "fr-CA")]).await.status().as_u16(), 302);
    edge.refuses("docs", "/lang", 404, "page_not_found").await;
    edge.refuses("docs", "/_redirects", 404, "page_not_found").await;
    edge.refuses("docs", "/app/missing.js", 404, "page_not_found").await;
    let secure = edge.get("docs", "/secure/").await;
    for (name, value) in [("x-site", "yes"), ("x-frame-options", "DENY"), ("cache-control", "no-store")] {
        assert_eq!(header(secure.headers(), name), value);
    }
    edge.stop().await;
    world.kill_log().await;
    world.stop_store().await;
    let edge = world.edge().await;
    let led = edge.get("docs", "/old").await;
    assert_eq!((led.status().as_u16(), header(led.headers(), "location").as_str()), (301, "/new"));
    edge.stop().await;
    world.start_log().await;
}

#[tokio::test]
async fn texts_are_sent_in_the_encoding_that_is_liked_once_that_is_made() {
    let world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    let words = "words and words ".repeat(1_000);
    world.put("docs", 1, &[(HOME, &words), ("photo.jpg", &words)]).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", &words).await;
    let mut tags = Vec::new();
    for encoding in ["gzip", "br", "zstd"] {
        let asked = [("accept-encoding", encoding)];
        let answer =
            edge.until_answers("docs", "/", &asked, |answer| header(answer, "content-encoding") == encoding).await;
        let (etag, length) = (header(answer.headers(), "etag"), header(answer.headers(), "content-length"));
        assert_eq!(header(answer.headers(), "vary"), "accept-encoding");
        let body = answer.bytes().await.unwrap();
        assert!(body.len() * 10 < words.len() && body.len().to_string() == length, "{encoding}: {}", body.len());
        let cached = edge.ask("GET", "docs", "/", &[("accept-encoding", encoding), ("if-none-match", &etag)]).await;
        assert_eq!(
            (cached.status(), header(cached.headers(), "vary").as_str()),
            (StatusCode::NOT_MODIFIED, "accept-encoding")
        );
        tags.push(etag);
    }
    tags.push(header(edge.get("docs", "/").await.headers(), "etag"));
    tags.dedup();
    assert_eq!(tags.len(), 4, "each has its own: {tags:?}");
    for asked in ["gzip;q=0, br;q=0, zstd;q=0", "identity, br;q=0.5"] {
        let plain = edge.ask("GET", "docs", "/", &[("accept-encoding", asked)]).await;
        assert_eq!(
            (header(plain.headers(), "content-encoding").as_str(), plain.text().await.unwrap()),
            ("", words.clone())
        );
    }
    let part = edge.ask("GET", "docs", "/", &[("accept-encoding", "br"), ("range", "bytes=0-4")]).await;
    assert_eq!((part.status().as_u16(), part.text().await.unwrap().as_str()), (206, "words"));
    let photo = edge.ask("GET", "docs", "/photo.jpg", &[("accept-encoding", "br")]).await;
    assert_eq!(header(photo.headers(), "vary"), "");
}

#[tokio::test]
async fn a_page_that_is_open_finds_its_assets_after_the_next_deploy() {
    let world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    world.put("docs", 1, &[(HOME, "one"), ("app.3f2a9c1b.js", "old()"), ("gone.html", "gone")]).await;
    world.put("docs", 2, &[(HOME, "two"), ("app.77aa01ff.js", "new()")]).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", "one").await;
    world.promote("docs", "live", 2).await;
    edge.until_serves("docs", "/", "two").await;
    assert_eq!(edge.text("docs", "/app.3f2a9c1b.js").await, "old()");
    edge.refuses("docs", "/gone", 404, "page_not_found").await;
    edge.refuses("docs", "/never.js", 404, "page_not_found").await;
    edge.stop().await;
}

#[tokio::test]
async fn the_former_hosts_of_a_renamed_site_lead_to_the_present_one() {
    let world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    world.put("docs", 1, &[(HOME, "home")]).await;
    world.promote("docs", "live", 1).await;
    world.promote("docs", "preview/fix", 1).await;
    edge.until_serves("fix--docs", "/", "home").await;
    world.rename("docs", "guide").await;
    edge.until_serves("guide", "/", "home").await;
    edge.until_serves("fix--guide", "/", "home").await;
    for (host, present) in [("docs", "guide"), ("fix--docs", "fix--guide")] {
        let moved = edge.get(host, "/a/b?q=1").await;
        assert_eq!(moved.status(), StatusCode::PERMANENT_REDIRECT, "{host}");
        assert_eq!(header(moved.headers(), "location"), format!("//{present}.sites.localhost/a/b?q=1"));
    }
}

#[tokio::test]
async fn a_large_file_is_sent_as_it_arrives_whole_or_in_part() {
    let world = World::start().await;
    let edge = world.edge().await;
    let large: String = (0..300_000).map(|number| format!("{number:09}\n")).collect();
    world.create("docs").await;
    world.put("docs", 1, &[(HOME, "home"), ("large.txt", &large)]).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", "home").await;
    assert!(edge.get("docs", "/large.txt").await.text().await.unwrap() == large);
    let part = edge.ask("GET", "docs", "/large.txt", &[("range", "bytes=-10")]).await;
    assert_eq!(header(part.headers(), "content-range"), "bytes 2999990-2999999/3000000");
    assert_eq!(part.text().await.unwrap(), "000299999\n");
    world.stop_store().await;
    edge.refuses("docs", "/large.txt", 503, "storage_unavailable").await;
}

#[tokio::test]
async fn every_reader_sees_one_deploy_whole_while_promotions_go_on() {
    const PROMOTIONS: u64 = 40;
    let world = World::start().await;
    // Without a cache every answer takes a while, so that many are under way when the table is swapped.
    let edge = Arc::new(world.edge_with(0).await);
    world.create("docs").await;
    world.put("docs", 1, &[(HOME, &page(1))]).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", &page(1)).await;
    let (done, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let readers: Vec<_> =
        (0..8).map(|_| tokio::spawn(read_until(Arc::clone(&edge), Arc::clone(&done), Arc::clone(&answers)))).collect();
    for number in 2..=PROMOTIONS {
        world.put("docs", number, &[(HOME, &page(number))]).await;
        world.promote("docs", "live", number).await;
        edge.until_serves("docs", "/", &page(number)).await;
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(answers.load(Ordering::Relaxed) > PROMOTIONS);
}

async fn read_until(edge: Arc<Edge>, done: Arc<AtomicBool>, answers: Arc<AtomicU64>) {
    while !done.load(Ordering::Relaxed) {
        let answer = edge.get("docs", "/").await;
        assert_eq!(answer.status(), StatusCode::OK);
        let deploy = header(answer.headers(), "x-pagefold-deploy");
        let body = answer.text().await.unwrap();
        assert!(body.starts_with(&deploy), "{deploy} {body}");
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_promotion_that_cannot_be_shown_yet_leaves_the_last_good_deploy() {
    let world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    world.put("docs", 1, &[(HOME, "good")]).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", "good").await;
    world.promote("docs", "live", 2).await;
    // A later fact that is served proves that the promotion has been heard.
    world.create("news").await;
    world.promote("news", "live", 1).await;
    world.put("news", 1, &[(HOME, "news")]).await;
    edge.until_serves("news", "/", "news").await;
    assert_eq!(edge.text("docs", "/").await, "good");
    world.put("docs", 2, &[(HOME, "better")]).await;
    edge.until_serves("docs", "/", "better").await;
}

#[tokio::test]
async fn the_edge_serves_on_when_the_log_is_killed_and_after_a_restart_without_it() {
    let mut world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    world.put("docs", 1, &[(HOME, "home"), ("other.html", "other")]).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", "home").await;
    world.kill_log().await;
    assert_eq!(edge.text("docs", "/").await, "home");
    edge.stop().await;

    let edge = world.edge().await;
    assert_eq!(edge.text("docs", "/").await, "home");
    world.stop_store().await;
    assert_eq!(edge.text("docs", "/").await, "home");
    let other = edge.get("docs", "/other").await;
    assert_eq!(header(other.headers(), "retry-after"), "5");
    edge.refuses("docs", "/other", 503, "storage_unavailable").await;
    edge.stop().await;

    // Without either, the manifest on disk still tells what there is, and what was served is served.
    let edge = world.edge().await;
    assert_eq!(edge.ask("HEAD", "docs", "/other", &[]).await.status(), StatusCode::OK);
    edge.refuses("docs", "/nothing", 404, "page_not_found").await;
    edge.refuses("docs", "/other", 503, "storage_unavailable").await;
    assert_eq!(edge.text("docs", "/").await, "home");

    world.start_log().await;
    world.promote("docs", "demo", 1).await;
    edge.until_serves("demo--docs", "/", "home").await;
    edge.refuses("demo--docs", "/other", 503, "storage_unavailable").await;
}

#[tokio::test]
async fn what_was_served_is_served_after_a_restart_without_the_store_unless_its_disk_is_damaged() {
    let world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    world.put("docs", 1, &[(HOME, "home"), ("a.txt", "first"), ("b.txt", "second")]).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", "home").await;
    let alone = format!("{}--docs", world.put("docs", 2, &[("c.txt", "third")]).await);
    assert_eq!(edge.text(&alone, "/c.txt").await, "third");
    assert_eq!(
        (edge.text("docs", "/a.txt").await, edge.text("docs", "/b.txt").await),
        ("first".into(), "second".into())
    );
    world.until_kept(&["home", "first", "second", "third"]).await;
    edge.stop().await;

    world.stop_store().await;
    std::fs::write(world.kept("second"), "sec").unwrap();
    let edge = world.edge().await;
    assert_eq!(edge.text("docs", "/").await, "home");
    let part = edge.ask("GET", "docs", "/a.txt", &[("range", "bytes=1-2")]).await;
    assert_eq!((part.status(), part.text().await.unwrap().as_str()), (StatusCode::PARTIAL_CONTENT, "ir"));
    assert_eq!(edge.text(&alone, "/c.txt").await, "third", "the host of a deploy that no alias shows");
    edge.refuses("docs", "/b.txt", 503, "storage_unavailable").await;
}

#[tokio::test]
async fn the_first_answer_after_a_restart_knows_what_was_promoted_meanwhile() {
    let world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    world.put("docs", 1, &[(HOME, "older")]).await;
    world.promote("docs", "live", 1).await;
    edge.until_serves("docs", "/", "older").await;
    edge.stop().await;
    world.put("docs", 2, &[(HOME, "newer")]).await;
    world.promote("docs", "live", 2).await;

    let edge = world.edge().await;
    assert_eq!(edge.text("docs", "/").await, "newer");
}

#[tokio::test]
async fn an_edge_that_has_never_heard_the_log_says_that_it_is_starting() {
    let mut world = World::start().await;
    world.create("docs").await;
    world.put("docs", 1, &[(HOME, "home")]).await;
    world.promote("docs", "live", 1).await;
    world.kill_log().await;
    let edge = world.edge().await;
    edge.refuses("docs", "/", 503, "edge_starting").await;
    assert_eq!(edge.health().await, (503, "{\"status\":\"starting\"}\n".to_owned()));
    world.start_log().await;
    edge.until_serves("docs", "/", "home").await;
    assert_eq!(edge.health().await, (200, "{\"status\":\"serving\",\"position\":3}\n".to_owned()));
    edge.refuses("docs", "/.well-known/pagefold/health", 404, "page_not_found").await;
}

#[tokio::test]
async fn a_log_that_ends_before_the_kept_table_is_followed_from_its_start() {
    let mut world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    world.put("docs", 1, &[(HOME, "home")]).await;
    world.promote("docs", "live", 1).await;
    world.promote("docs", "demo", 1).await;
    edge.until_serves("demo--docs", "/", "home").await;
    edge.stop().await;
    world.kill_log().await;
    world.forget_log();
    world.start_log().await;
    world.create("news").await;
    world.put("news", 1, &[(HOME, "news")]).await;
    world.promote("news", "live", 1).await;
    let edge = world.edge().await;
    edge.until_serves("news", "/", "news").await;
    edge.refuses("docs", "/", 404, "site_not_found").await;
}

#[tokio::test]
async fn a_client_that_does_not_ask_is_let_go() {
    let world = World::start().await;
    let edge = &world.edge().await;
    let let_go = ["", "P", "GET / HTTP/1.1\r\nHost:"].map(|beginning| async move {
        let mut client = TcpStream::connect(edge.address).await.unwrap();
        client.write_all(beginning.as_bytes()).await.unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(15), client.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "{beginning:?}");
    });
    futures::future::join_all(let_go).await;
}

#[tokio::test]
async fn a_request_with_two_hosts_or_none_is_refused() {
    let world = World::start().await;
    let edge = &world.edge().await;
    for (target, hosts) in [
        ("/", &["docs.sites.localhost", "news.sites.localhost"][..]),
        ("/", &["docs.sites.localhost", "docs.sites.localhost"]),
        ("/", &[]),
        ("http://news.sites.localhost/", &["docs.sites.localhost"]),
    ] {
        let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        let mut client = TcpStream::connect(edge.address).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("<code>bad_header</code>"), "{request}{answer}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_taken_for_the_whole() {
    let world = World::start().await;
    let edge = world.edge().await;
    let large = "x".repeat(64 * 1024 * 1024);
    world.create("docs").await;
    world.put("docs", 1, &[("large", &large)]).await;
    world.promote("docs", "live", 1).await;
    edge.until_refuses("docs", 404, "page_not_found").await;
    let answer = edge.get("docs", "/large").await;
    assert_eq!(header(answer.headers(), "content-length"), large.len().to_string());
    world.stop_store().await;
    assert!(answer.bytes().await.is_err());
}
