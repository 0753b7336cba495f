//! A site of 20,000 files put into the object store: all of it, again, and after a day's work.

mod others;
mod ours;
mod store;

pub(crate) use ours::asked;

use crate::{process, tree};
use journeys::bench::{Better, Goal, Row, side_by_side};
use journeys::temporary_folder;
use others::Mirror;
use ours::Sync;
use std::path::{Path, PathBuf};
use store::Store;
use tempfile::TempDir;

pub(crate) const ROWS: &[&str] = &[
    "sync_cold",
    "sync_unchanged",
    "sync_changed",
    "sync_memory",
    "sync_cold_aws",
    "sync_unchanged_aws",
    "sync_changed_aws",
];

const FILES: usize = 20_000;
const RCLONE: &str = "rclone sync";
const AWS: &str = "aws s3 sync";
/// How many times faster than rclone each of [`STAGES`] shall be.
const GOALS: [f64; 3] = [8.0, 8.0, 7.0];

/// What is done three times with each client: it has a bucket for each round.
const STAGES: [&str; 3] = ["sync_cold", "sync_unchanged", "sync_changed"];
const STAGES_OF_AWS: [&str; 3] = ["sync_cold_aws", "sync_unchanged_aws", "sync_changed_aws"];

/// The site as it was and as it is after a day's work, as folders and as artifacts; and where it goes.
struct World {
    store: Store,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = temporary_folder();
        for (index, name) in ["before", "after"].into_iter().enumerate() {
            let site = folder.path().join(name);
            tree::write(&site, FILES);
            if index > 0 {
                tree::change(&site, FILES, index);
            }
            tree::pack(&site, &folder.path().join(format!("{name}.tar")));
        }
        Self { store: Store::start(folder.path()).await, folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The state of the site in a stage.
    const fn state(stage: usize) -> &'static str {
        if stage < 2 { "before" } else { "after" }
    }

    async fn ours(&self, stage: usize, round: usize) -> process::Cost {
        let artifact = self.at(&format!("{}.tar", Self::state(stage)));
        Sync { endpoint: &self.store.endpoint, site: round, number: stage, artifact: &artifact }.run().await
    }

    fn mirror<'w>(&'w self, folder: &'w Path, bucket: String) -> Mirror<'w> {
        Mirror { endpoint: &self.store.endpoint, home: self.folder.path(), folder, bucket }
    }

    async fn rclone(&self, stage: usize, round: usize) -> process::Cost {
        self.mirror(&self.at(Self::state(stage)), format!("rclone-{round}")).rclone().await
    }

    async fn aws(&self, stage: usize, round: usize) -> process::Cost {
        let (folder, bucket) = (self.at(Self::state(stage)), format!("aws-{round}"));
        let mirror = self.mirror(&folder, bucket.clone());
        if stage == 0 {
            mirror.aws(&["mb", &format!("s3://{bucket}")]).await;
        }
        mirror.aws_sync().await
    }
}

pub(crate) async fn measure() -> Vec<Row> {
    let world = World::new().await;
    let (mut rows, mut memory) = (Vec::new(), (0.0_f64, 0.0_f64));
    let mut times = [0.0; 3];
    for (stage, name) in STAGES.into_iter().enumerate() {
        let (ours, rclone) = side_by_side(
            name,
            async |round| noted(&mut memory.0, world.ours(stage, round).await),
            async |round| noted(&mut memory.1, world.rclone(stage, round).await),
        )
        .await;
        times[stage] = ours;
        rows.push(Row::new(name, "s", Better::Lower, ours).against(RCLONE, rclone).shall(Goal::Ratio(GOALS[stage])));
    }
    rows.push(Row::new("sync_memory", "MiB", Better::Lower, memory.0).against(RCLONE, memory.1));
    if std::env::args().any(|argument| argument == "--all") {
        rows.extend(beside_aws(&world, times).await);
    }
    world.store.stop().await;
    rows
}

/// The same times beside a slower client, which is measured once: a round of it takes minutes.
async fn beside_aws(world: &World, times: [f64; 3]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (stage, name) in STAGES_OF_AWS.into_iter().enumerate() {
        let aws = world.aws(stage, 0).await.seconds;
        journeys::bench::progress(format_args!("{name}: {aws:.1}"));
        rows.push(Row::new(name, "s", Better::Lower, times[stage]).against(AWS, aws));
    }
    rows
}

/// The time it took; its memory is noted.
fn noted(most: &mut f64, cost: process::Cost) -> f64 {
    *most = most.max(cost.mebibytes);
    cost.seconds
}
