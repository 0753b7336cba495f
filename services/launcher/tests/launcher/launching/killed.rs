//! A launcher in a process of its own, to be killed.

use super::world::{self, Silent, World};
use launcher::Config;
use runtime::Log;
use std::process::{Child, Command, Stdio};

/// What it is told by.
const TOLD: [&str; 4] = ["KILLED_DATA", "KILLED_NATS", "KILLED_URL", "KILLED_SANDBOX"];

/// Not a test of its own: what others kill.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs until it is killed"]
async fn a_launcher_that_is_killed() {
    let [data, nats, url, kind] = TOLD.map(|name| std::env::var(name).unwrap());
    let log = Log::new(world::connect(&url, nats.as_ref(), "launcher").await);
    let config = Config { slots: 2, ..world::config(data.into(), kind.parse().unwrap()) };
    let _launched = world::launch(config, log, Silent::listen().await.address).await;
    std::future::pending::<()>().await;
}

/// Starts it on the world's log and folder.
pub(crate) fn start(world: &World, kind: &str) -> Child {
    let (data, nats) = (world.data(), world.nats());
    let told = [data.to_str().unwrap(), nats.to_str().unwrap(), &world.server.url(), kind].map(str::to_owned);
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "launching::killed::a_launcher_that_is_killed", "--ignored", "--nocapture"])
        .envs(TOLD.into_iter().zip(told))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}
