//! What a build is given of its site, opened when its attempt begins.

use crate::launch::Launcher;
use crate::source::{Credentials, Login};
use crate::variables::Variables;
use events::build::Job;
use events::credential::{self, DeployKey, SourceToken};
use events::site::Active;
use events::variable::Variable;
use events::{Context, PullRequest, Sealed, Site, VariableName};
use runtime::{Failure, Owner};

/// What a build has of its site.
pub(crate) struct Given {
    /// What the site is called.
    pub(crate) name: String,
    /// None if they cannot be read any more.
    pub(crate) variables: Option<Variables>,
    /// What its repository is read by; none if that cannot be read any more.
    pub(crate) credentials: Option<Credentials>,
}

impl Given {
    /// What whoever has no right to anything of the site is given: a build for nobody, and one of a fork.
    fn nothing(name: String) -> Self {
        Self { name, variables: Some(Variables::default()), credentials: Some(Credentials::default()) }
    }
}

impl Launcher {
    /// What the site of a job gives this build of it.
    pub(crate) async fn given(&self, job: &Job) -> Result<Given, Failure> {
        let site = match self.log.load::<Site>(&job.site.to_string()).await?.state {
            Site::Active(active) => active,
            Site::Unknown | Site::Deleted(_) | Site::Erased(_) => {
                return Ok(Given::nothing(job.site.to_string()));
            }
        };
        if job.pull_request.as_ref().is_some_and(PullRequest::is_of_fork) {
            return Ok(Given::nothing(site.name.to_string()));
        }
        let key = if meant(job, &site).next().is_some() || site.credentials != credential::Credentials::default() {
            self.vault.key(Owner::Builds(job.site)).await?
        } else {
            None
        };
        let open = |sealed: &Sealed| key.as_ref()?.open(sealed);
        let variables = meant(job, &site).map(|(name, variable)| Some((name.as_str(), open(&variable.value)?)));
        Ok(Given { variables: variables.collect(), credentials: credentials(job, &site, open), name: site.name.into() })
    }
}

/// What the repository of this build is read by. A build of one that the site had before is not given what is for another.
fn credentials(job: &Job, site: &Active, open: impl Fn(&Sealed) -> Option<String>) -> Option<Credentials> {
    if job.repository != site.settings.repository {
        return Some(Credentials::default());
    }
    let credential::Credentials { key, token } = &site.credentials;
    let key = match key {
        Some(DeployKey { private_key, .. }) => Some(open(private_key)?.into()),
        None => None,
    };
    let login = match token {
        Some(SourceToken { username, token }) => {
            Some(Login { username: username.as_ref().map(ToString::to_string), token: open(token)?.into() })
        }
        None => None,
    };
    Some(Credentials { key, login })
}

/// The variables that are for this build.
fn meant<'a>(job: &Job, site: &'a Active) -> impl Iterator<Item = (&'a VariableName, &'a Variable)> {
    let context = Context::of(&job.alias);
    site.variables.iter().filter(move |(_, variable)| variable.contexts.contains(&context))
}
