//! `pagefold registrar`: what it asks, and where names have to lead.

use super::Common;
use crate::acme::Acme;
use crate::edges::Edges;
use crate::resolver::Resolver;
use anyhow::Result;
use clap::Args;
use secrecy::SecretString;

/// What has domains proven and certificates issued.
#[derive(Debug, Args)]
pub(crate) struct Registrar {
    #[command(flatten)]
    pub(super) common: Common,
    /// Domain below which every site has its host
    #[arg(long, env = "PAGEFOLD_SITES_DOMAIN", default_value = edge::BASE_DOMAIN)]
    sites_domain: String,
    #[command(flatten)]
    edges: Edges,
    #[command(flatten)]
    resolver: Resolver,
    #[command(flatten)]
    acme: Acme,
    /// What certificates are sealed with for edges, as `pagefold permissions edge-key` prints it
    #[arg(long, env = "PAGEFOLD_EDGE_KEY", hide_env_values = true)]
    edge_key: Option<SecretString>,
}

impl Registrar {
    pub(super) fn config(self) -> Result<registrar::Config> {
        let key = self.edge_key.as_ref().map(doors::Key::read).transpose()?;
        Ok(registrar::Config {
            sites_domain: self.sites_domain,
            edge_addresses: self.edges.edge_addresses,
            resolver: self.resolver.resolver,
            acme: self.acme.config(key)?,
        })
    }
}
