//! What a build is given of its site, opened when its attempt begins.

use crate::launch::Launcher;
use crate::variables::Variables;
use events::build::Job;
use events::site::Active;
use events::variable::Variable;
use events::{Context, Site, VariableName};
use runtime::{Failure, Owner};

/// What a build has of its site.
pub(crate) struct Given {
    /// What the site is called.
    pub(crate) name: String,
    /// None if they cannot be read any more.
    pub(crate) variables: Option<Variables>,
}

impl Launcher {
    /// What the site of a job gives this build of it.
    pub(crate) async fn given(&self, job: &Job) -> Result<Given, Failure> {
        let site = match self.log.load::<Site>(&job.site.to_string()).await?.state {
            Site::Active(active) => active,
            Site::Unknown | Site::Deleted(_) | Site::Erased(_) => {
                return Ok(Given { name: job.site.to_string(), variables: Some(Variables::default()) });
            }
        };
        let variables = self.open(job, &site).await?;
        Ok(Given { name: site.name.to_string(), variables })
    }

    async fn open(&self, job: &Job, site: &Active) -> Result<Option<Variables>, Failure> {
        let key = match meant(job, site).next() {
            Some(_) => self.vault.key(Owner::Builds(job.site)).await?,
            None => return Ok(Some(Variables::default())),
        };
        let Some(key) = key else { return Ok(None) };
        Ok(meant(job, site).map(|(name, variable)| Some((name.as_str(), key.open(&variable.value)?))).collect())
    }
}

/// The variables that are for this build.
fn meant<'a>(job: &Job, site: &'a Active) -> impl Iterator<Item = (&'a VariableName, &'a Variable)> {
    let context = Context::of(&job.alias);
    site.variables.iter().filter(move |(_, variable)| variable.contexts.contains(&context))
}
