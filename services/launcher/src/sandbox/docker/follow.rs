//! A container from its start to its end.

use super::Docker;
use crate::sandbox::{Error, Exit, blocking, cgroups, deliver};
use crate::spec::ContainerSpec;
use bollard::container::AttachContainerResults;
use bollard::errors::Error as Refused;
use bollard::query_parameters::{
    AttachContainerOptions, InspectContainerOptions, StartContainerOptions, WaitContainerOptions,
};
use futures::StreamExt as _;
use runtime::error::chain;
use tokio::sync::mpsc::Sender;

impl Docker {
    /// Starts the container, passes its output on and waits for its end.
    pub(super) async fn follow(&self, spec: &ContainerSpec, lines: &Sender<String>) -> Result<Exit, Error> {
        let name = spec.name.as_str();
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
        self.weigh(spec).await;
        let mut pending = spec.lines();
        while let Some(chunk) = output.next().await {
            let chunk = chunk.map_err(|source| Error::Docker { action: "read the build's output", source })?;
            deliver(&mut pending, &chunk.into_bytes(), lines).await;
        }
        for line in pending.finish() {
            let _ = lines.send(line).await;
        }
        self.wait(name).await?;
        self.exit_of(name).await
    }

    /// Sets the build's share of the disk, which the engine may not know how to. It counts only where the disk's scheduler looks
    /// at it, so a failure is nothing but told.
    async fn weigh(&self, spec: &ContainerSpec) {
        if !self.weighs || spec.limits.io_weight == 0 {
            return;
        }
        let found = self.client.inspect_container(&spec.name, None::<InspectContainerOptions>).await.ok();
        let running = found.and_then(|found| Some((found.id?, found.state?.pid.filter(|pid| *pid > 0)?)));
        // It may have ended already.
        let Some((id, process)) = running else { return };
        let limits = spec.limits.clone();
        if let Err(error) = blocking("weigh a build", move || cgroups::weigh(process, &id, &limits)).await {
            tracing::debug!(build = spec.build, error = chain(&error), "a build has no weight at the disk");
        }
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
}
