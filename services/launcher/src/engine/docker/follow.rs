//! A container from its start to its end.

use super::Docker;
use crate::engine::{Error, Exit, deliver};
use crate::lines::Lines;
use bollard::container::AttachContainerResults;
use bollard::errors::Error as Refused;
use bollard::query_parameters::{
    AttachContainerOptions, InspectContainerOptions, StartContainerOptions, WaitContainerOptions,
};
use futures::StreamExt as _;
use tokio::sync::mpsc::Sender;

impl Docker {
    /// Starts the container, passes its output on and waits for its end.
    pub(super) async fn follow(&self, name: &str, lines: &Sender<String>) -> Result<Exit, Error> {
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
}
