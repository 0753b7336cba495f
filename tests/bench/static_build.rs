//! A site of many files that needs no generator: from the push to the end of its build.

use crate::{process, tree};
use journeys::bench::{Better, Goal, Row, side_by_side};
use journeys::{Platform, Site};
use serde_json::json;
use std::path::Path;
use tokio::process::Command;

pub(crate) const ROWS: &[&str] = &["static_build_20k"];

const FILES: usize = 20_000;
/// How many times the time by hand it may take.
const MOST: f64 = 1.3;

pub(crate) async fn measure() -> Vec<Row> {
    let platform = Platform::start().await;
    let folder = platform.folder().join("tree");
    tree::write(&folder, FILES);
    let (ours, by_hand) = side_by_side(
        "static_build_20k",
        async |round| build(&platform, &folder, round).await,
        async |round| by_hand(&platform, round).await,
    )
    .await;
    vec![
        Row::new("static_build_20k", "s", Better::Lower, ours)
            .against("git clone --depth 1, tar", by_hand)
            .shall(Goal::Ratio(1.0 / MOST)),
    ]
}

fn name(round: usize) -> String {
    format!("large-{round}")
}

/// From the delivery of the push to the end of the build. Nothing of the repository was there before.
async fn build(platform: &Platform, folder: &Path, round: usize) -> f64 {
    let site: Site<'_> = platform.site(&name(round), json!({ "engine": "static" })).await;
    site.repository.write(folder);
    let delivery = site.repository.push("main", []);
    let started = std::time::Instant::now();
    let _taken = platform.deliver(&delivery).await.expect(202);
    let end = site.finished(1).await;
    let taken = started.elapsed().as_secs_f64();
    assert_eq!(end.data["outcome"], "success", "{end}");
    // What comes after it, the way to the readers, is not to disturb what is measured next.
    site.promoted(1).await;
    taken
}

/// The same repository, cloned and packed.
async fn by_hand(platform: &Platform, round: usize) -> f64 {
    let clone = platform.folder().join(format!("by-hand-{round}"));
    let url = format!("file://{}/repositories/{}.git", platform.folder().display(), name(round));
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--depth", "1", &url]).arg(&clone);
    let cloned = process::run(git).await;
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(&clone).args(["--exclude", ".git", "-cf"]).arg(clone.with_extension("tar")).arg(".");
    cloned.seconds + process::run(tar).await.seconds
}
