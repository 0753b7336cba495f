//! Builds in Docker, or in Podman behind the same API. Images are never pulled: the build image is made on purpose.

use super::cgroups::{parent, shares};
use super::{Config, Error, Exit, OPEN_FILES, blocking, deliver, is_root, passed_through, standing_back};
use crate::lines::Lines;
use crate::spec::{ContainerSpec, HOME, LABEL, LAUNCHER_LABEL, Limits, SITE, container_name};
use crate::workspace::Identity;
use bollard::container::AttachContainerResults;
use bollard::errors::Error as Refused;
use bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, ResourcesUlimits, SystemInfo,
};
use bollard::query_parameters::{
    AttachContainerOptions, CreateContainerOptions, InspectContainerOptions, KillContainerOptions,
    ListContainersOptions, RemoveContainerOptions, StartContainerOptions, WaitContainerOptions,
};
use futures::StreamExt as _;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";
/// Processes of the build user over all its containers; the bound of one container is its pids limit.
const USER_PROCESSES: i64 = 8192;
/// The API counts processors in billionths, we in thousandths.
const NANOS_PER_MILLI: i64 = 1_000_000;

/// Runs the command with both outputs as one: the API sends two, and their order would be lost. Takes the words that make it
/// stand back first, their number before them; an image that lacks those programs does without.
const ENTRANCE: &str = r#"
    for program in nice ionice; do command -v "$program" >/dev/null || { shift "$1"; break; }; done
    shift
    exec "$@" 2>&1"#;

/// A Docker engine that answered and has the build image.
pub struct Docker {
    client: bollard::Docker,
    image: String,
    identity: Option<Identity>,
    env: Vec<(String, String)>,
    installation: String,
    /// Processors of the engine's machine.
    processors: u32,
    /// The control group that containers are made in; the engine's own choice if absent.
    parent: Option<String>,
}

impl Docker {
    /// Connects, and checks that the image is there.
    pub async fn connect(config: &Config) -> Result<Self, Error> {
        let host = config.docker_host.as_deref().unwrap_or(DEFAULT_HOST);
        let failed = |source| Error::Docker { action: "reach an engine", source };
        let client = bollard::Docker::connect_with_host(host).map_err(failed)?;
        let client = client.negotiate_version().await.map_err(failed)?;
        match client.inspect_image(&config.image).await {
            Ok(_) => {}
            Err(Refused::DockerResponseServerError { status_code: 404, .. }) => {
                return Err(Error::ImageMissing { image: config.image.clone() });
            }
            Err(source) => return Err(Error::Docker { action: "look for the build image", source }),
        }
        let identity = is_root().then_some(config.identity);
        let told =
            client.info().await.map_err(|source| Error::Docker { action: "ask the engine what it can", source })?;
        tell_what_holds(&told);
        let own = blocking("read our own control group", || std::fs::read_to_string("/proc/self/cgroup")).await;
        Ok(Self {
            client,
            image: config.image.clone(),
            identity,
            env: passed_through(&config.env_passthrough),
            installation: config.installation.clone(),
            // Of another machine's groups we know nothing.
            parent: own.ok().filter(|_| host.starts_with("unix:")).and_then(|own| parent(&told, &own)),
            processors: told.ncpu.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1),
        })
    }

    pub(super) fn installation(&self) -> &str {
        &self.installation
    }

    pub(super) async fn run(
        &self,
        spec: &ContainerSpec,
        lines: &Sender<String>,
        stop: &CancellationToken,
    ) -> Result<Exit, Error> {
        let (workspace, identity) = (spec.workspace.clone(), self.identity);
        let owner = blocking("hand the workspace to the build user", move || {
            if let Some(identity) = identity {
                workspace.give_to(identity)?;
            }
            workspace.owner()
        });
        let Some(owner) = stop.run_until_cancelled(owner).await else { return Ok(Exit::Stopped) };
        let body = self.describe(spec, owner?).await?;
        let options = CreateContainerOptions { name: Some(spec.name.clone()), ..Default::default() };
        self.client
            .create_container(Some(options), body)
            .await
            .map_err(|source| Error::Docker { action: "create the container", source })?;
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => Ok(Exit::Stopped),
            ended = self.follow(&spec.name, lines) => ended,
        };
        let removed = self.remove(&spec.name).await;
        let exit = ended?;
        removed.map(|()| exit)
    }

    pub(super) async fn sweep(&self, build: &str) -> Result<(), Error> {
        self.remove(&container_name(build)).await
    }

    /// Removes the containers of this launcher, but for the builds that `kept` answers yes to.
    pub(super) async fn sweep_all(&self, kept: impl Fn(&str) -> bool) -> Result<(), Error> {
        let ours = format!("{LAUNCHER_LABEL}={}", self.installation);
        let filters = Some(HashMap::from([("label".to_owned(), vec![ours])]));
        let options = ListContainersOptions { all: true, filters, ..Default::default() };
        let listed = self.client.list_containers(Some(options)).await;
        let listed = listed.map_err(|source| Error::Docker { action: "list the containers", source })?;
        // Asked after the list was made: a build is in hand before it has a container.
        for container in listed {
            let build = container.labels.as_ref().and_then(|labels| labels.get(LABEL)).map_or("", String::as_str);
            if let Some(id) = container.id.filter(|_| !kept(build)) {
                tracing::warn!(build, "the container of an earlier build is removed");
                self.remove(&id).await?;
            }
        }
        Ok(())
    }

    /// Starts the container, passes its output on and waits for its end.
    async fn follow(&self, name: &str, lines: &Sender<String>) -> Result<Exit, Error> {
        let attach = AttachContainerOptions { stream: true, stdout: true, stderr: true, ..Default::default() };
        let AttachContainerResults { mut output, input: _input } = self
            .client
            .attach_container(name, Some(attach))
            .await
            .map_err(|source| Error::Docker { action: "attach to the container", source })?;
        self.client
            .start_container(name, None::<StartContainerOptions>)
            .await
            .map_err(|source| Error::Docker { action: "start the container", source })?;
        let mut pending = Lines::default();
        while let Some(chunk) = output.next().await {
            let chunk = chunk.map_err(|source| Error::Docker { action: "read the build's output", source })?;
            deliver(&mut pending, &chunk.into_bytes(), lines).await;
        }
        if let Some(line) = pending.finish() {
            let _ = lines.send(line).await;
        }
        self.wait(name).await?;
        self.exit_of(name).await
    }

    async fn wait(&self, name: &str) -> Result<(), Error> {
        loop {
            match self.client.wait_container(name, None::<WaitContainerOptions>).next().await {
                Some(Ok(_)) | Some(Err(Refused::DockerContainerWaitError { .. })) | None => return Ok(()),
                // Podman answers only when the container has ended, however long that takes.
                Some(Err(Refused::RequestTimeoutError)) => {}
                Some(Err(source)) => return Err(Error::Docker { action: "wait for the container", source }),
            }
        }
    }

    async fn exit_of(&self, name: &str) -> Result<Exit, Error> {
        let found = self
            .client
            .inspect_container(name, None::<InspectContainerOptions>)
            .await
            .map_err(|source| Error::Docker { action: "inspect the container", source })?;
        let state = found.state.unwrap_or_default();
        match (state.exit_code.ok_or(Error::NotRun)?, state.oom_killed) {
            (0, _) => Ok(Exit::Code(0)),
            (_, Some(true)) => Ok(Exit::OutOfMemory),
            (code, _) => Ok(Exit::Code(code)),
        }
    }

    /// Kills the container and removes it. One that is already gone, or going, is fine.
    async fn remove(&self, name: &str) -> Result<(), Error> {
        let _ = self.client.kill_container(name, None::<KillContainerOptions>).await;
        let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
        match self.client.remove_container(name, Some(options)).await {
            Ok(()) | Err(Refused::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
            Err(source) => Err(Error::Docker { action: "remove the container", source }),
        }
    }

    async fn describe(&self, spec: &ContainerSpec, owner: Identity) -> Result<ContainerCreateBody, Error> {
        let env = spec.env.iter().chain(self.env.iter().map(|(name, value)| (name, value)));
        let back = standing_back(&spec.limits);
        let entrance = ["sh", "-c", ENTRANCE, "entrance", &back.len().to_string()].map(str::to_owned).into_iter();
        let labels = [(LABEL, &spec.build), (LAUNCHER_LABEL, &self.installation)];
        let (site, home) = (spec.workspace.site(), spec.workspace.home());
        let mounts = blocking("find the workspace", move || Ok(vec![bind(&site, SITE)?, bind(&home, HOME)?])).await?;
        Ok(ContainerCreateBody {
            image: Some(self.image.clone()),
            cmd: Some(spec.command.clone()),
            entrypoint: Some(entrance.chain(back).collect()),
            env: Some(env.map(|(name, value)| format!("{name}={value}")).collect()),
            user: Some(format!("{}:{}", owner.uid, owner.gid)),
            working_dir: Some(SITE.to_owned()),
            labels: Some(labels.map(|(name, value)| (name.to_owned(), value.clone())).into()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            host_config: Some(HostConfig { mounts: Some(mounts), ..self.host_config(&spec.limits) }),
            ..Default::default()
        })
    }

    fn host_config(&self, limits: &Limits) -> HostConfig {
        let memory = signed(limits.memory_bytes);
        HostConfig {
            network_mode: Some(if limits.network { "bridge" } else { "none" }.to_owned()),
            readonly_rootfs: Some(true),
            tmpfs: Some(HashMap::from([(
                "/tmp".to_owned(),
                format!("rw,exec,nosuid,nodev,mode=1777,size={}", limits.tmp_bytes),
            )])),
            shm_size: Some(signed(limits.tmp_bytes)),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            cgroup_parent: self.parent.clone(),
            memory: Some(memory),
            memory_swap: Some(memory),
            pids_limit: Some(i64::from(limits.pids)),
            cpu_shares: Some(signed(shares(limits.cpu_weight))),
            nano_cpus: Some(i64::from(limits.cpu_millis.min(self.processors * 1000)) * NANOS_PER_MILLI),
            blkio_weight: u16::try_from(limits.io_weight.min(1000)).ok().filter(|weight| *weight >= 10),
            // What the build prints goes to its log; the engine's own copy would grow without a bound.
            log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
            ulimits: Some(vec![
                ulimit("nofile", signed(OPEN_FILES)),
                ulimit("nproc", USER_PROCESSES),
                ulimit("fsize", signed(limits.file_bytes)),
                ulimit("core", 0),
            ]),
            ..Default::default()
        }
    }
}

/// Says once which limits of builds the engine can keep.
fn tell_what_holds(told: &SystemInfo) {
    let can = [
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
    tracing::info!(?held, ?missing, "builds are limited by the engine, and stand back by nice and ionice");
}

fn bind(source: &Path, target: &str) -> io::Result<Mount> {
    let source = source.canonicalize()?;
    Ok(Mount {
        typ: Some(MountType::BIND),
        source: Some(source.to_string_lossy().into_owned()),
        target: Some(target.to_owned()),
        ..Default::default()
    })
}

fn ulimit(name: &str, most: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(most), hard: Some(most) }
}

fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
