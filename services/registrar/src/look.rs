//! One thing that is done about a name, and what came of it as a fact.

use crate::check::{Wanted, judge};
use crate::desk::{Job, Task};
use crate::dns::Names;
use crate::{Config, NAME};
use events::domain::{Claim, Command};
use events::{Cause, Domain, Recorded, Site};
use runtime::{Error, ExecuteError, Log, telemetry};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The rest when the log cannot be asked. It counts for nothing.
const LOG_AGAIN: Duration = Duration::from_secs(1);
/// How long one look may take.
const LOOK_MAX: Duration = Duration::from_secs(20);

/// What looking takes.
pub(crate) struct Office {
    pub(crate) log: Log,
    config: Config,
}

/// Does it, as often as the log takes, and answers up to where the log must be known before the name is looked at again.
pub(crate) async fn run(office: &Office, job: &Job) -> u64 {
    loop {
        match office.done(job).await {
            Ok(known_until) => return known_until,
            Err(error) => {
                tracing::warn!(error = runtime::error::chain(&error), "a domain waits for the log");
                sleep(LOG_AGAIN).await;
            }
        }
    }
}

impl Office {
    pub(crate) fn new(log: Log, config: Config) -> Self {
        let sites_domain = config.sites_domain.trim_matches('.').to_ascii_lowercase();
        Self { log, config: Config { sites_domain, ..config } }
    }

    async fn done(&self, job: &Job) -> Result<u64, Error> {
        let Some(fact) = self.log.fact(job.fact).await? else { return self.log.last_sequence().await };
        let Some(command) = self.command(job).await? else { return self.log.last_sequence().await };
        let cause = Cause::from_fact(&fact, NAME);
        match self.log.execute::<Domain>(job.name.as_str(), &command, &cause).await {
            Ok(recorded) => match recorded.last() {
                Some(Recorded { sequence, .. }) => Ok(*sequence),
                None => self.log.last_sequence().await,
            },
            Err(ExecuteError::Refused(refusal)) => {
                tracing::debug!(%refusal, name = %job.name, "a domain went on to something else");
                self.log.last_sequence().await
            }
            Err(ExecuteError::Failed(error)) => Err(error),
        }
    }

    /// What there is to say about the name; nothing if it is not the site's any more.
    async fn command(&self, job: &Job) -> Result<Option<Command>, Error> {
        let state = self.log.load::<Domain>(job.name.as_str()).await?.state;
        let Some(claim) = state.claim().filter(|claim| claim.site == job.site) else { return Ok(None) };
        match job.task {
            Task::Release => Ok(Some(Command::Remove { site: job.site })),
            Task::Look => {
                let found = self.found(job, claim).await?;
                telemetry::metrics::domain_checked(found.is_err().then_some("unproven"));
                if let Err(error) = &found {
                    tracing::debug!(name = %job.name, error, "a domain is not proven");
                }
                Ok(Some(Command::Look { site: claim.site, proof: claim.proof, found }))
            }
        }
    }

    /// What the records of the name say of it.
    async fn found(&self, job: &Job, claim: &Claim) -> Result<Result<(), String>, Error> {
        let Site::Active(site) = self.log.load::<Site>(&job.site.to_string()).await?.state else {
            return Ok(Err("its site is deleted".to_owned()));
        };
        let host = format!("{}.{}", site.name, self.config.sites_domain);
        let looking = async {
            let names = Names::new(self.config.resolver).map_err(|error| format!("there is no resolver: {error}"))?;
            let found = names.look(&job.name).await?;
            let mut addresses: std::collections::BTreeSet<_> = self.config.edge_addresses.iter().copied().collect();
            if addresses.is_empty() && found.names.is_empty() {
                addresses = names.addresses(&host).await?;
            }
            judge(&job.name, claim, &found, &Wanted { host, domain: self.config.sites_domain.clone(), addresses })
        };
        Ok(timeout(LOOK_MAX, looking).await.unwrap_or_else(|_| Err("its records were not told in time".to_owned())))
    }
}
