//! Builds in Docker, or in Podman behind the same API. Images are never pulled: the build image is made on purpose.

mod describe;
mod follow;
mod meter;
mod remove;

pub(super) use remove::sweep_all;

use super::cgroups::{self, Cgroups, parent};
use super::share::Share;
use super::{Config, Ended, Error, Exit, blocking, is_root, passed_through};
use crate::spec::{ContainerSpec, Limits, container_name};
use crate::workspace::Identity;
use bollard::errors::Error as Refused;
use bollard::models::{ContainerCreateBody, SystemInfo};
use bollard::query_parameters::CreateContainerOptions;
use meter::Meter;
use remove::{kill, remove};
use runtime::error::chain;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";
/// How long a container engine may take to say that it is there.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// How long a container engine may take to say that a container is dead before nobody waits for that any more.
const KILLING_MAX: Duration = Duration::from_millis(300);

/// A Docker engine that answered and has the build image.
pub struct Docker {
    client: bollard::Docker,
    host: String,
    image: String,
    identity: Option<Identity>,
    env: Vec<(String, String)>,
    installation: String,
    /// Processors of the engine's machine.
    processors: u32,
    /// The control group that containers are made in; the engine's own choice if absent.
    parent: Option<String>,
    /// Whether the groups of containers are ours to give weights to.
    weighs: bool,
}

impl Docker {
    /// Connects, and checks that the image is there.
    pub async fn connect(config: &Config) -> Result<Self, Error> {
        let connecting = async {
            let client = client(config).await?;
            has_image(&client, &config.image).await?;
            let told = client.info().await;
            Ok((client, told.map_err(|source| Error::Docker { action: "ask the engine what it can", source })?))
        };
        let silent = |_elapsed| Err(Error::Silent { host: host_of(config) });
        let (client, told) = tokio::time::timeout(ANSWER_MAX, connecting).await.unwrap_or_else(silent)?;
        let host = host_of(config);
        // Of another machine's groups and disks we know nothing.
        let weighs = host.starts_with("unix:") && is_root();
        tell_what_holds(&told, share(config, weighs).await?);
        let own = blocking("read our own control group", || std::fs::read_to_string("/proc/self/cgroup")).await;
        Ok(Self {
            client,
            parent: own.ok().filter(|_| host.starts_with("unix:")).and_then(|own| parent(&told, &own)),
            weighs,
            host,
            image: config.image.clone(),
            identity: is_root().then_some(config.identity),
            env: passed_through(&config.env_passthrough),
            installation: config.installation.clone(),
            processors: told.ncpu.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1),
        })
    }

    /// Whether it answers and still has the image.
    pub(super) async fn check(&self) -> Result<(), Error> {
        let asked = tokio::time::timeout(ANSWER_MAX, has_image(&self.client, &self.image)).await;
        asked.unwrap_or_else(|_elapsed| Err(Error::Silent { host: self.host.clone() }))
    }

    pub(super) async fn run(
        &self,
        spec: &ContainerSpec,
        lines: &Sender<String>,
        stop: &CancellationToken,
    ) -> Result<Ended, Error> {
        let (workspace, identity) = (spec.workspace.clone(), self.identity);
        let owner = blocking("hand the workspace to the build user", move || {
            if let Some(identity) = identity {
                workspace.give_to(identity)?;
            }
            workspace.owner()
        });
        let Some(owner) = stop.run_until_cancelled(owner).await else { return Ok(Exit::Stopped.into()) };
        let body = self.describe(spec, owner?).await?;
        let Some(created) = self.create(&spec.name, body, stop).await else { return Ok(Exit::Stopped.into()) };
        created?;
        let meter = Meter::default();
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => Ok(Exit::Stopped),
            ended = self.follow(spec, lines) => ended,
            never = meter.read(&self.client, &spec.name) => match never {},
        };
        self.clear(&spec.name).await;
        ended.map(|exit| Ended { exit, used: meter.used() })
    }

    /// Creates the container; nothing if `stop` fired before. What the engine then makes all the same is removed when it
    /// has: a request cannot be taken back.
    async fn create(
        &self,
        name: &str,
        body: ContainerCreateBody,
        stop: &CancellationToken,
    ) -> Option<Result<(), Error>> {
        let options = CreateContainerOptions { name: Some(name.to_owned()), ..Default::default() };
        let client = self.client.clone();
        let mut creating = tokio::spawn(async move { client.create_container(Some(options), body).await });
        let failed = |source| Error::Docker { action: "create the container", source };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            created = &mut creating => return Some(match created {
                Ok(created) => created.map(drop).map_err(failed),
                Err(panicked) => Err(failed(Refused::IOError { err: panicked.into() })),
            }),
        }
        let (client, name) = (self.client.clone(), name.to_owned());
        tokio::spawn(async move {
            // Whether or not it was made, as far as we were told.
            let _ = creating.await;
            if let Err(error) = remove(&client, &name).await {
                tracing::warn!(name, error = chain(&error), "a container is left to the next sweep");
            }
        });
        None
    }

    /// Kills the container of a build that is over, and has it removed beside whatever comes next: an engine takes its time
    /// for that, and one that falls silent must not hold the build. What it still has then goes by the next sweep.
    async fn clear(&self, name: &str) {
        let killing = tokio::time::timeout(KILLING_MAX, kill(&self.client, name));
        if killing.await.is_err() {
            tracing::warn!(name, host = self.host, "the container engine does not say that a container is dead");
        }
        let (client, name) = (self.client.clone(), name.to_owned());
        tokio::spawn(async move {
            if let Err(error) = remove(&client, &name).await {
                tracing::warn!(name, error = chain(&error), "a container is left to the next sweep");
            }
        });
    }

    /// Removes what an earlier attempt at the build left.
    pub(super) async fn sweep(&self, build: &str) -> Result<(), Error> {
        remove(&self.client, &container_name(build)).await
    }
}

/// A client of an engine that answers.
async fn client(config: &Config) -> Result<bollard::Docker, Error> {
    let failed = |source| Error::Docker { action: "reach an engine", source };
    let client = bollard::Docker::connect_with_host(&host_of(config)).map_err(failed)?;
    client.negotiate_version().await.map_err(failed)
}

fn host_of(config: &Config) -> String {
    config.docker_host.clone().unwrap_or_else(|| DEFAULT_HOST.to_owned())
}

async fn has_image(client: &bollard::Docker, image: &str) -> Result<(), Error> {
    match client.inspect_image(image).await {
        Ok(_) => Ok(()),
        Err(Refused::DockerResponseServerError { status_code: 404, .. }) => {
            Err(Error::ImageMissing { image: image.to_owned() })
        }
        Err(source) => Err(Error::Docker { action: "look for the build image", source }),
    }
}

/// What keeps builds from taking the disk from others, if their groups' weights are ours to set.
async fn share(config: &Config, weighs: bool) -> Result<Share, Error> {
    if !weighs {
        return Ok(Share::Unknown);
    }
    let (name, work) = (cgroups::name(&config.installation, "probe"), config.work.clone());
    let tried = blocking("try out control groups", move || {
        let groups = Cgroups::create(&name, &Limits::default());
        let share = Share::at(&work, &groups);
        groups.remove();
        Ok(share)
    });
    tried.await
}

/// Says once which limits of builds the engine can keep.
fn tell_what_holds(told: &SystemInfo, share: Share) {
    let can = [
        ("io", Some(share == Share::Weight)),
        ("memory", told.memory_limit),
        ("pids", told.pids_limit),
        ("cpu shares", told.cpu_shares),
        ("cpu quota", told.cpu_cfs_quota),
    ];
    let names = |wanted: bool| {
        let those = can.iter().filter(move |(_, can)| can.unwrap_or(false) == wanted);
        those.map(|(name, _)| *name).collect::<Vec<_>>()
    };
    let (held, missing) = (names(true), names(false));
    let disk = share.word();
    tracing::info!(
        ?held,
        ?missing,
        disk,
        "builds are limited by the container engine, and stand back by nice and ionice"
    );
}
