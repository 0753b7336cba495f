//! The installation as an app of GitHub, as options. Its key comes from the environment or a file.

use crate::secret;
use anyhow::{Context, Result};
use clap::Args;
use events::OrganizationId;
use github::{Account, App};
use std::path::PathBuf;

/// By which app GitHub is told.
#[derive(Debug, Clone, Args)]
pub(crate) struct GithubApp {
    /// The id of this installation as an app of GitHub; its private key is in the variable PAGEFOLD_GITHUB_APP_KEY, or a file
    #[arg(long, env = "PAGEFOLD_GITHUB_APP_ID")]
    github_app_id: Option<u64>,
    /// The file with the private key of the app
    #[arg(long, env = "PAGEFOLD_GITHUB_APP_KEY_FILE")]
    github_app_key_file: Option<PathBuf>,
    /// Accounts at GitHub whose repositories it may be used for, each with the id of the organization whose sites may; of all
    /// organizations if there is none
    #[arg(long, env = "PAGEFOLD_GITHUB_APP_ACCOUNTS", value_name = "ACCOUNT[=ORGANIZATION]", value_delimiter = ',', value_parser = account)]
    github_app_accounts: Vec<Account>,
    /// The server that the app is known to
    #[arg(long, env = "PAGEFOLD_GITHUB_APP_URL", default_value = "https://github.com")]
    github_app_url: String,
}

impl GithubApp {
    pub(crate) fn app(&self) -> Result<Option<App>> {
        let Some(id) = self.github_app_id else { return Ok(None) };
        let key = secret::read("PAGEFOLD_GITHUB_APP_KEY", self.github_app_key_file.as_deref())?;
        let accounts = self.github_app_accounts.clone();
        Ok(Some(App::new(&self.github_app_url, id, &key, accounts)?))
    }
}

fn account(text: &str) -> Result<Account> {
    let (name, organization) = match text.split_once('=') {
        Some((name, id)) => {
            let id =
                id.parse::<OrganizationId>().with_context(|| format!("`{id}` is not the id of an organization"))?;
            (name, Some(id))
        }
        None => (text, None),
    };
    anyhow::ensure!(!name.is_empty(), "an account at GitHub has a name");
    Ok(Account { name: name.to_owned(), organization })
}
