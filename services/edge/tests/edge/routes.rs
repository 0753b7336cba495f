//! Routes as a reader meets them: before a site's own pages, and on hosts that have no site.

use crate::header;
use crate::world::{Edge, World, id};
use events::routing::{Leads, Reach, RedirectStatus, Segments};
use reqwest::StatusCode;

fn redirect(to: &str, status: u16, segments: Segments) -> Leads {
    Leads::Redirect { to: to.parse().unwrap(), status: RedirectStatus::try_from(status).unwrap(), segments }
}

async fn led(edge: &Edge, host: &str, path: &str) -> (u16, String) {
    let answer = edge.get(host, path).await;
    (answer.status().as_u16(), header(answer.headers(), "location"))
}

#[tokio::test]
async fn routes_answer_before_the_site_for_retired_hosts_and_after_a_restart_without_the_log() {
    let mut world = World::start().await;
    let mut edge = world.edge().await;
    for (site, number) in [("docs", 1), ("news", 2)] {
        world.create(site).await;
        world
            .put(site, number, &[("index.html", site), ("today/index.html", "today"), ("_redirects", "/a /ruled 302")])
            .await;
        world.promote(site, "live", number).await;
        edge.until_serves(site, "/", site).await;
    }
    assert_eq!(led(&edge, "docs", "/a").await, (302, "/ruled".to_owned()));
    edge.refuses("retired.example", "/a", 404, "site_not_found").await;

    let docs = "docs.sites.localhost";
    let moved = redirect("https://example.org/y", 308, Segments::Preserve);
    world.lead(docs, "/a", Reach::Prefix, moved.clone()).await;
    world.lead(docs, "/gone", Reach::Exact, Leads::Gone { page: None }).await;
    world.lead(docs, "/today", Reach::Prefix, Leads::Site { site: id("news") }).await;
    world.lead("retired.example", "/", Reach::Prefix, redirect("https://new.example", 301, Segments::Ignore)).await;
    edge.until_answers("retired.example", "/any/thing", &[], |headers| headers.contains_key("location")).await;

    for is_again in [false, true] {
        assert_eq!(led(&edge, "docs", "/a").await, (308, "https://example.org/y".to_owned()));
        assert_eq!(led(&edge, "docs", "/a/b/?c=d").await, (308, "https://example.org/y/b/?c=d".to_owned()));
        assert_eq!(led(&edge, "docs", "/about").await.0, 404, "only whole segments");
        assert_eq!(led(&edge, "RETIRED.example.:80", "/x?token=1").await, (301, "https://new.example".to_owned()));
        edge.refuses("docs", "/gone", 410, "page_gone").await;
        assert_eq!(edge.ask("POST", "docs", "/gone", &[]).await.status(), StatusCode::GONE);
        edge.refuses("docs", "/gone/below", 404, "page_not_found").await;
        assert_eq!(
            (edge.text("docs", "/today/").await, led(&edge, "docs", "/today").await.1),
            ("today".to_owned(), "/today/".to_owned())
        );
        assert_eq!(edge.ask("POST", "docs", "/today/", &[]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(edge.text("docs", "/").await, "docs", "the rest of the host is its site's");
        edge.refuses("docs", "/a/%zz", 400, "path_malformed").await;
        if is_again {
            return edge.stop().await;
        }
        edge.stop().await;
        world.kill_log().await;
        edge = world.edge().await;
    }
}

#[tokio::test]
async fn a_removed_route_gives_the_path_back() {
    let world = World::start().await;
    let edge = world.edge().await;
    let leads = redirect("https://new.example", 302, Segments::Ignore);
    let root = world.lead("retired.example", "/", Reach::Prefix, leads).await;
    let page = world.lead("retired.example", "/page", Reach::Exact, Leads::Gone { page: None }).await;
    edge.until_answers("retired.example", "/x", &[], |headers| headers.contains_key("location")).await;
    edge.refuses("retired.example", "/page", 410, "page_gone").await;
    world.unlead(&page).await;
    edge.until_answers("retired.example", "/page", &[], |headers| headers.contains_key("location")).await;
    world.unlead(&root).await;
    edge.until_refuses("retired.example", 404, "site_not_found").await;
}

#[tokio::test]
async fn what_is_gone_is_told_by_a_page_of_the_site_whose_host_it_is() {
    let world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    world.put("docs", 1, &[("index.html", "home"), ("moved out.html", "it is over"), ("bye/index.html", "bye")]).await;
    world.promote("docs", "live", 1).await;
    let (docs, gone) = ("docs.sites.localhost", |page: &str| Leads::Gone { page: Some(page.parse().unwrap()) });
    world.lead(docs, "/file", Reach::Exact, gone("/moved%20out.html")).await;
    world.lead(docs, "/address", Reach::Prefix, gone("/bye/")).await;
    world.lead("retired.example", "/", Reach::Prefix, gone("/bye/")).await;
    world.lead(docs, "/none", Reach::Exact, gone("/nowhere")).await;
    edge.until_refuses("docs", 200, "home").await;
    for (path, page) in [("/file", "it is over"), ("/address/below", "bye")] {
        let told = edge.get("docs", path).await;
        assert_eq!((told.status(), told.text().await.unwrap().as_str()), (StatusCode::GONE, page), "{path}");
        assert_eq!(edge.ask("POST", "docs", path, &[]).await.status(), StatusCode::GONE);
        let head = edge.ask("HEAD", "docs", path, &[]).await;
        assert_eq!(
            (head.status(), header(head.headers(), "content-length")),
            (StatusCode::GONE, page.len().to_string())
        );
    }
    edge.refuses("docs", "/none", 410, "page_gone").await;
    edge.refuses("retired.example", "/any", 410, "page_gone").await;
    edge.stop().await;
}
