//! Builds in Docker, or in Podman behind the same API. Images are never pulled: the build image is made on purpose.

use super::{Config, Error, Exit, OPEN_FILES, blocking, deliver, is_root, passed_through};
use crate::lines::Lines;
use crate::spec::{ContainerSpec, HOME, LABEL, SITE, container_name};
use crate::workspace::Identity;
use bollard::container::AttachContainerResults;
use bollard::errors::Error as Refused;
use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, ResourcesUlimits};
use bollard::query_parameters::{
    AttachContainerOptions, CreateContainerOptions, InspectContainerOptions, KillContainerOptions,
    RemoveContainerOptions, StartContainerOptions, WaitContainerOptions,
};
use futures::StreamExt as _;
use std::collections::HashMap;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";
/// Processes of the build user over all its containers; the bound of one container is its pids limit.
const USER_PROCESSES: i64 = 8192;

/// Runs the command with both outputs as one: the API sends two, and their order would be lost.
const MERGED: [&str; 4] = ["sh", "-c", "exec \"$@\" 2>&1", "merged"];

/// A Docker engine that answered and has the build image.
pub struct Docker {
    client: bollard::Docker,
    image: String,
    identity: Option<Identity>,
    env: Vec<(String, String)>,
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
        Ok(Self { client, image: config.image.clone(), identity, env: passed_through(&config.env_passthrough) })
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
        let body = self.describe(spec, owner.await?)?;
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

    fn describe(&self, spec: &ContainerSpec, owner: Identity) -> Result<ContainerCreateBody, Error> {
        let env = spec.env.iter().chain(self.env.iter().map(|(name, value)| (name, value)));
        Ok(ContainerCreateBody {
            image: Some(self.image.clone()),
            cmd: Some(spec.command.clone()),
            entrypoint: Some(MERGED.map(str::to_owned).to_vec()),
            env: Some(env.map(|(name, value)| format!("{name}={value}")).collect()),
            user: Some(format!("{}:{}", owner.uid, owner.gid)),
            working_dir: Some(SITE.to_owned()),
            labels: Some(HashMap::from([(LABEL.to_owned(), spec.build.clone())])),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            host_config: Some(host_config(spec)?),
            ..Default::default()
        })
    }
}

fn host_config(spec: &ContainerSpec) -> Result<HostConfig, Error> {
    let limits = &spec.limits;
    let memory = signed(limits.memory_bytes);
    Ok(HostConfig {
        network_mode: Some(if limits.network { "bridge" } else { "none" }.to_owned()),
        mounts: Some(vec![bind(spec.workspace.site(), SITE)?, bind(spec.workspace.home(), HOME)?]),
        readonly_rootfs: Some(true),
        tmpfs: Some(HashMap::from([(
            "/tmp".to_owned(),
            format!("rw,exec,nosuid,nodev,mode=1777,size={}", limits.tmp_bytes),
        )])),
        shm_size: Some(signed(limits.tmp_bytes)),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        memory: Some(memory),
        memory_swap: Some(memory),
        pids_limit: Some(i64::from(limits.pids)),
        ulimits: Some(vec![
            ulimit("nofile", signed(OPEN_FILES)),
            ulimit("nproc", USER_PROCESSES),
            ulimit("fsize", signed(limits.file_bytes)),
            ulimit("core", 0),
        ]),
        ..Default::default()
    })
}

fn bind(source: std::path::PathBuf, target: &str) -> Result<Mount, Error> {
    let source = source.canonicalize().map_err(|source| Error::Io { action: "find the workspace", source })?;
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
