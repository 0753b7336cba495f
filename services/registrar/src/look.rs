//! One thing that is done about a name, and what came of it as a fact.

use crate::acme::{Authority, Issued};
use crate::check::{Wanted, judge};
use crate::desk::{Job, Task};
use crate::dns::Names;
use crate::{Config, NAME};
use events::domain::{Claim, Command};
use events::event::Certified;
use events::{Cause, Domain, Recorded, Site};
use runtime::{Error, ExecuteError, Log, telemetry};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The rest when the log cannot be asked. It counts for nothing.
const LOG_AGAIN: Duration = Duration::from_secs(1);
/// How long one look may take.
const LOOK_MAX: Duration = Duration::from_secs(20);
/// The same of an authority.
const ISSUE_MAX: Duration = Duration::from_secs(180);

/// What looking takes.
pub(crate) struct Office {
    pub(crate) log: Log,
    config: Config,
    authority: Option<Authority>,
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

/// What the authority gives for a name.
async fn certified(authority: &Authority, job: &Job) -> Result<Box<Certified>, String> {
    let name = job.name.as_str();
    let Issued { chain, key, expires_at, renew_at } = match timeout(ISSUE_MAX, authority.issue(name)).await {
        Ok(issued) => issued?,
        Err(_) => return Err("the authority took too long".to_owned()),
    };
    let key = authority.key().seal(name, &key);
    Ok(Box::new(Certified { site: job.site, chain, key, expires_at, renew_at }))
}

impl Office {
    pub(crate) fn new(log: Log, config: Config) -> Self {
        let sites_domain = config.sites_domain.trim_matches('.').to_ascii_lowercase();
        let authority = config.acme.clone().map(Authority::new);
        Self { log, config: Config { sites_domain, ..config }, authority }
    }

    /// Whether certificates are issued here.
    pub(crate) const fn certifies(&self) -> bool {
        self.authority.is_some()
    }

    async fn done(&self, job: &Job) -> Result<u64, Error> {
        let Some(fact) = self.log.fact(job.fact).await? else { return self.log.last_sequence().await };
        let Some(command) = self.command(job).await? else { return self.log.last_sequence().await };
        let said = match (self.said(job, &command, &fact).await?, &self.authority) {
            (Some(ordered), Some(authority)) if job.task == Task::Certify => {
                let given = certified(authority, job).await;
                telemetry::metrics::certificate_ordered(given.is_err().then_some("unissued"));
                self.said(job, &Command::Receive { site: job.site, given }, &ordered).await?
            }
            (said, _) => said,
        };
        match said {
            Some(Recorded { sequence, .. }) => Ok(sequence),
            None => self.log.last_sequence().await,
        }
    }

    /// Says it because of a fact; the last of the facts that came of it.
    async fn said(&self, job: &Job, command: &Command, fact: &Recorded) -> Result<Option<Recorded>, Error> {
        let cause = Cause::from_fact(fact, NAME);
        match self.log.execute::<Domain>(job.name.as_str(), command, &cause).await {
            Ok(mut recorded) => Ok(recorded.pop()),
            Err(ExecuteError::Refused(refusal)) => {
                tracing::debug!(%refusal, name = %job.name, "a domain went on to something else");
                Ok(None)
            }
            Err(ExecuteError::Failed(error)) => Err(error),
        }
    }

    /// What there is to say about the name; nothing if it is not the site's any more.
    async fn command(&self, job: &Job) -> Result<Option<Command>, Error> {
        let state = self.log.load::<Domain>(job.name.as_str()).await?.state;
        let Some(claim) = state.claim().filter(|claim| claim.site == job.site) else { return Ok(None) };
        match job.task {
            Task::Certify => {
                let Some(authority) = &self.authority else { return Ok(None) };
                // Until the authority has said who we are to it, nothing can be asked for.
                let responder = authority.responder().await;
                let responder = responder.inspect_err(|error| tracing::warn!(error, "no certificate can be asked for"));
                Ok(Some(Command::Order { site: job.site, responder: responder.unwrap_or_default() }))
            }
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
