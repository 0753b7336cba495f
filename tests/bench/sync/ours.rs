//! The syncer's work as a process of its own, as a client of the store is one: it is begun for each sync, and what it
//! needs of memory is its own.

use super::store;
use crate::process;
use events::{BuildId, DeployId, SiteId};
use std::path::Path;
use syncer::perform::{Wanted, sync};
use tokio::process::Command;
use uuid::Uuid;

/// How this executable is asked for the work.
const ASKED: &str = "--sync";

/// One sync: of an artifact, as the deploy of this number of a site whose deploys of the numbers before are known.
pub(super) struct Sync<'w> {
    pub(super) endpoint: &'w str,
    pub(super) site: usize,
    pub(super) number: usize,
    pub(super) artifact: &'w Path,
}

impl Sync<'_> {
    pub(super) async fn run(&self) -> process::Cost {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([ASKED, self.endpoint, &self.site.to_string(), &self.number.to_string()]).arg(self.artifact);
        process::run(command).await
    }
}

/// Does what this process was asked for, if it was; it then is nothing else.
pub(crate) async fn asked() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [asked, endpoint, site, number, artifact] = &arguments[..] else { return false };
    if asked != ASKED {
        return false;
    }
    let (site, number): (u128, u128) = (site.parse().unwrap(), number.parse().unwrap());
    let known: Vec<DeployId> = (0..number).rev().map(|number| id(build(site, number))).collect();
    let build = build(site, number);
    let deploy = Wanted {
        id: id(build),
        site: SiteId(Uuid::from_u128(site)),
        build,
        dialect: events::event::RulesDialect::Netlify,
    };
    sync(&store::storage(endpoint.clone()), deploy, Path::new(artifact), &known).await.unwrap();
    true
}

fn build(site: u128, number: u128) -> BuildId {
    BuildId(Uuid::from_u128((site << 64) | number))
}

fn id(build: BuildId) -> DeployId {
    DeployId::of(build)
}
