//! Whether a site could be built from a repository, asked before there is one: by git, through the door that checks every connection,
//! within bounds of time, size and number.

mod git;
mod told;

use crate::caller::Caller;
use crate::pace::Pace;
use crate::problem::Problem;
use dialer::{Dialer, Unreached};
use events::{Branch, RepositoryUrl, SiteEngine};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// Repositories that are looked at at once, by whomever.
const AT_ONCE: usize = 4;
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What one caller may ask: as often as somebody who types pauses.
const BURST: u32 = 30;
const WINDOW: Duration = Duration::from_secs(60);
/// Branches that are told.
const BRANCHES_MAX: usize = 50;

/// How repositories are looked at.
pub(crate) struct SourceChecks {
    dialer: Dialer,
    /// Where what is fetched lies meanwhile.
    folder: PathBuf,
    turns: Semaphore,
    pace: Pace,
}

/// What is asked about.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) repository: RepositoryUrl,
    /// The one that will be live.
    pub(crate) branch: Branch,
}

/// What was found.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SourceCheck)]
pub(crate) struct Checked {
    /// Whether everybody may read it; null where only a build can tell.
    #[schema(required)]
    reachable: Option<bool>,
    /// All of it in a sentence or two, for people.
    message: String,
    /// The branch that the repository itself begins with.
    #[schema(required)]
    default_branch: Option<String>,
    /// Whether the branch that was asked about is there.
    #[schema(required)]
    branch_found: Option<bool>,
    /// Its branches, 50 at most.
    branches: Vec<String>,
    /// What it looks made for: `static`, `node.js` or `hugo`.
    #[schema(required, value_type = Option<String>)]
    engine: Option<SiteEngine>,
    /// By what one sees that.
    #[schema(required)]
    engine_because: Option<String>,
}

impl Checked {
    /// Whether a build of it can succeed as far as is known.
    pub(crate) fn is_fine(&self) -> bool {
        self.reachable != Some(false) && self.branch_found != Some(false)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl SourceChecks {
    pub(crate) fn new(dialer: Dialer, folder: PathBuf) -> Self {
        Self { dialer, folder, turns: Semaphore::new(AT_ONCE), pace: Pace::of(BURST, WINDOW) }
    }

    /// Looks at a repository.
    pub(crate) async fn check(&self, caller: &Caller, asked: &Asked) -> Result<Checked, Problem> {
        self.pace.take(&caller.who)?;
        if let Err(refused) = self.dialer.allowed.check(&asked.repository) {
            return Ok(told::unreachable(format!("The address of the repository {refused}.")));
        }
        let _turn = self.turns.try_acquire().map_err(|_| Problem::TooManyRequests(Duration::from_secs(1)))?;
        let url = asked.repository.as_str();
        let looked = async {
            match url.split_once("://") {
                Some(("https", _)) => self.read("https", asked).await,
                Some(("http", _)) => self.read("http", asked).await,
                Some(("ssh" | "git", _)) | None if !url.starts_with('/') => Ok(self.knock(url).await),
                Some(_) | None => {
                    let message = "A folder on the server is looked at when it is built.".to_owned();
                    Ok(told::unknown(message))
                }
            }
        };
        let late = || Ok(told::unreachable("The repository did not answer in time.".to_owned()));
        tokio::time::timeout(PATIENCE, looked).await.unwrap_or_else(|_| late())
    }

    /// Asks for its branches, and for the names at the tip of the one that is meant.
    async fn read(&self, transport: &'static str, asked: &Asked) -> Result<Checked, Problem> {
        let look = git::Look::open(&self.dialer, &self.folder, transport).await?;
        let refs = match look.refs(asked.repository.as_str()).await? {
            Ok(refs) => refs,
            Err(said) => return Ok(told::refused(&said, look.why())),
        };
        if !refs.branches.iter().any(|branch| branch == asked.branch.as_str()) {
            return Ok(told::without_branch(refs, &asked.branch));
        }
        let names = look.names(asked).await?;
        Ok(told::found(refs, &asked.branch, names.as_deref()))
    }

    /// A host of SSH tells nothing to whoever has no key, so all that can be seen is whether it is there.
    async fn knock(&self, url: &str) -> Checked {
        let Some((host, port)) = told::host_and_port(url) else {
            return told::unreachable("The address names no host.".to_owned());
        };
        match self.dialer.connect(&host, port).await {
            Ok(_) => told::answers(),
            Err(why) => told::refused("", Some(why)),
        }
    }
}

impl From<Unreached> for Checked {
    fn from(why: Unreached) -> Self {
        let verb = if why.is_forbidden() { "is not connected to" } else { "cannot be reached" };
        told::unreachable(format!("The repository {verb}: {why}."))
    }
}
