//! What robots are told, by what a host shows.

use crate::header;
use crate::world::{World, deploy};

#[tokio::test]
async fn robots_read_the_sites_own_file_where_it_is_live_and_stay_away_elsewhere() {
    let world = World::start().await;
    let edge = world.edge().await;
    world.create("docs").await;
    let own = "User-agent: *\nAllow: /\n";
    world.put("docs", 1, &[("index.html", "home"), ("robots.txt", own)]).await;
    world.promote("docs", "live", 1).await;
    world.promote("docs", "preview/next", 1).await;
    edge.until_serves("docs", "/", "home").await;
    edge.until_serves("next--docs", "/", "home").await;
    assert_eq!(edge.text("docs", "/robots.txt").await, own);
    for host in ["next--docs".to_owned(), format!("{}--docs", deploy(1))] {
        let told = edge.get(&host, "/robots.txt").await;
        assert_eq!(header(told.headers(), "x-robots-tag"), "noindex");
        assert_eq!(told.text().await.unwrap(), "User-agent: *\nDisallow: /\n", "{host}");
        let head = edge.ask("HEAD", &host, "/robots.txt", &[]).await;
        assert_eq!(header(head.headers(), "content-length"), "26");
        assert_eq!(edge.text(&host, "/").await, "home");
    }
    edge.stop().await;
}
