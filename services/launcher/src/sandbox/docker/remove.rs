//! The end of containers: of one, and of all that a launcher left.

use super::{ANSWER_MAX, client};
use crate::sandbox::{Config, Error};
use crate::spec::{LABEL, LAUNCHER_LABEL};
use bollard::Docker as Client;
use bollard::errors::Error as Refused;
use bollard::query_parameters::{KillContainerOptions, ListContainersOptions, RemoveContainerOptions};
use std::collections::HashMap;
use std::time::Duration;

/// How often a container that somebody else removes is looked at, and how often at most before it is left to him.
const GOING_PAUSE: Duration = Duration::from_millis(100);
const GOING_TRIES: u32 = 50;

/// Kills the container, unless it is dead or gone.
pub(super) async fn kill(client: &Client, name: &str) {
    // What was not killed now is when it is removed.
    let _ = client.kill_container(name, None::<KillContainerOptions>).await;
}

/// Kills the container and removes it. One that is already gone is fine, and one that is going is waited for: its name is
/// taken until then.
pub(super) async fn remove(client: &Client, name: &str) -> Result<(), Error> {
    kill(client, name).await;
    for _ in 0..GOING_TRIES {
        let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
        match client.remove_container(name, Some(options)).await {
            Ok(()) | Err(Refused::DockerResponseServerError { status_code: 404, .. }) => return Ok(()),
            Err(Refused::DockerResponseServerError { status_code: 409, .. }) => tokio::time::sleep(GOING_PAUSE).await,
            Err(source) => return Err(Error::Docker { action: "remove the container", source }),
        }
    }
    Ok(())
}

/// Removes the containers of a launcher, but for the builds that `kept` answers yes to. Where no engine answers, there is
/// nobody to ask: builds may run by another one.
pub(in crate::sandbox) async fn sweep_all(config: &Config, kept: impl Fn(&str) -> bool) -> Result<(), Error> {
    let Ok(Ok(client)) = tokio::time::timeout(ANSWER_MAX, client(config)).await else { return Ok(()) };
    let ours = format!("{LAUNCHER_LABEL}={}", config.installation);
    let filters = Some(HashMap::from([("label".to_owned(), vec![ours])]));
    let options = ListContainersOptions { all: true, filters, ..Default::default() };
    let listed = client.list_containers(Some(options)).await;
    let listed = listed.map_err(|source| Error::Docker { action: "list the containers", source })?;
    // Asked after the list was made: a build is in hand before it has a container.
    for container in listed {
        let build = container.labels.as_ref().and_then(|labels| labels.get(LABEL)).map_or("", String::as_str);
        if let Some(id) = container.id.filter(|_| !kept(build)) {
            tracing::warn!(build, "the container of an earlier build is removed");
            remove(&client, &id).await?;
        }
    }
    Ok(())
}
