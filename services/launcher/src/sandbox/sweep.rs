//! Removes what earlier builds of a launcher left, by whichever sandbox they ran: another life may have had another one.

use super::{Config, Error, blocking, cgroups, docker};
use runtime::error::chain;

/// Removes containers and control groups of the launcher that `config` names, but for the builds that `kept` answers yes to.
/// What cannot be removed now is told, and removed the next time.
pub async fn sweep_all(config: &Config, kept: impl Fn(&str) -> bool) {
    if let Err(error) = docker::sweep_all(config, &kept).await {
        tracing::warn!(error = chain(&error), "containers of earlier builds could not be removed");
    }
    if let Err(error) = control_groups(config, &kept).await {
        tracing::warn!(error = chain(&error), "control groups of earlier builds could not be removed");
    }
}

async fn control_groups(config: &Config, kept: impl Fn(&str) -> bool) -> Result<(), Error> {
    let installation = config.installation.clone();
    let prefix = cgroups::name(&installation, "");
    let list = move || Ok(cgroups::builds(&prefix));
    let builds = blocking("list the control groups of builds", list).await?;
    // Asked after the list was made: a build is in hand before it has a group.
    let left: Vec<String> = builds.into_iter().filter(|build| !kept(build)).collect();
    let sweep = move || {
        left.iter().for_each(|build| cgroups::sweep(&cgroups::name(&installation, build)));
        Ok(())
    };
    blocking("remove the control groups of earlier builds", sweep).await
}
