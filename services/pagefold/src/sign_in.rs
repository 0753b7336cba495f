//! Who vouches for people, as options. Secrets come from the environment or a file, and never from the command line.

use crate::secret;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

/// Providers that people sign in with, and whom they let in.
#[derive(Debug, Clone, Args)]
pub(crate) struct SignIn {
    /// A provider of OpenID Connect, by its issuer; its secret for this server is in the variable PAGEFOLD_OIDC_CLIENT_SECRET, or
    /// a file
    #[arg(long, env = "PAGEFOLD_OIDC_ISSUER", requires = "oidc_client_id")]
    oidc_issuer: Option<String>,
    /// What the provider calls this server
    #[arg(long, env = "PAGEFOLD_OIDC_CLIENT_ID", requires = "oidc_issuer")]
    oidc_client_id: Option<String>,
    /// The file with the provider's secret for this server
    #[arg(long, env = "PAGEFOLD_OIDC_CLIENT_SECRET_FILE")]
    oidc_client_secret_file: Option<PathBuf>,
    /// What people call the provider
    #[arg(long, env = "PAGEFOLD_OIDC_NAME", default_value = "OpenID Connect")]
    oidc_name: String,
    /// The client id of this server as an OAuth app of GitHub; its secret is in the variable PAGEFOLD_GITHUB_CLIENT_SECRET, or a
    /// file
    #[arg(long, env = "PAGEFOLD_GITHUB_CLIENT_ID")]
    github_client_id: Option<String>,
    /// The file with GitHub's secret for this server
    #[arg(long, env = "PAGEFOLD_GITHUB_CLIENT_SECRET_FILE")]
    github_client_secret_file: Option<PathBuf>,
    /// Where people sign in at GitHub
    #[arg(long, env = "PAGEFOLD_GITHUB_URL", default_value = "https://github.com")]
    github_url: String,
    /// Where the API of GitHub is
    #[arg(long, env = "PAGEFOLD_GITHUB_API_URL", default_value = "https://api.github.com")]
    github_api_url: String,
    /// Domains, such as `example.gov`: whoever has a verified address of mail there needs no invitation
    #[arg(long, env = "PAGEFOLD_SIGN_IN_DOMAINS", value_delimiter = ',')]
    sign_in_domains: Vec<String>,
}

impl SignIn {
    pub(crate) fn config(&self) -> Result<web::SignIn> {
        let openid = match (&self.oidc_issuer, &self.oidc_client_id) {
            (Some(issuer), Some(client_id)) => Some(web::OpenId {
                issuer: issuer.clone(),
                client_id: client_id.clone(),
                client_secret: secret::read("PAGEFOLD_OIDC_CLIENT_SECRET", self.oidc_client_secret_file.as_deref())?,
                name: self.oidc_name.clone(),
            }),
            _ => None,
        };
        let github = match &self.github_client_id {
            Some(client_id) => Some(web::GitHub {
                url: self.github_url.trim_end_matches('/').to_owned(),
                api_url: self.github_api_url.trim_end_matches('/').to_owned(),
                client_id: client_id.clone(),
                client_secret: secret::read(
                    "PAGEFOLD_GITHUB_CLIENT_SECRET",
                    self.github_client_secret_file.as_deref(),
                )?,
            }),
            None => None,
        };
        Ok(web::SignIn { openid, github, domains: self.sign_in_domains.clone() })
    }
}
