//! Files of a published site, as fast as they are served.

mod nginx;
mod readers;

use crate::tree;
use journeys::bench::{Better, Goal, Row, side_by_side};
use journeys::{Platform, Site};
use nginx::Nginx;
use serde_json::json;
use std::path::{Path, PathBuf};

pub(crate) const ROWS: &[&str] = &["edge_static"];

const FILES: usize = 2000;

pub(crate) async fn measure() -> Vec<Row> {
    let platform = Platform::start().await;
    // Every file at its own path, as nginx has it.
    let own_paths = json!({ "engine": "static", "html_handling": "none" });
    let site = platform.site("large", own_paths).await;
    let folder = publish(&platform, &site).await;
    let nginx = Nginx::start(platform.folder(), &folder).await;
    let (edge, host) = (platform.ready().edge.clone(), format!("large.{}", platform.ready().sites_domain));
    let script = readers::script(platform.folder(), &tree::all(&folder), &host);
    let (ours, reference) = side_by_side(
        "edge_static",
        async |_| readers::answers(&edge, &script).await,
        async |_| readers::answers(&nginx.url, &script).await,
    )
    .await;
    nginx.stop().await;
    vec![Row::new("edge_static", "answers/s", Better::Higher, ours).against("nginx", reference).shall(Goal::Ratio(1.1))]
}

/// Publishes a site of many files; answers the folder that has the same.
async fn publish(platform: &Platform, site: &Site<'_>) -> PathBuf {
    let folder = platform.folder().join("tree");
    tree::write(&folder, FILES);
    site.repository.write(&folder);
    let delivery = site.repository.push("main", []);
    let _taken = platform.deliver(&delivery).await.expect(202);
    site.promoted(1).await;
    for path in tree::all(&folder).into_iter().take(1) {
        served(site, &path).await;
    }
    folder
}

async fn served(site: &Site<'_>, path: &Path) {
    let (path, live) = (format!("/{}", path.display()), site.live());
    journeys::eventually("the site to be served", async || (live.get(&path).await.status == 200).then_some(())).await;
}
