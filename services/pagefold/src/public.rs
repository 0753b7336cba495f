//! Where people find the platform: addresses that links are made of.

use clap::Args;
use events::SitesUrl;

/// Public addresses.
#[derive(Debug, Clone, Args)]
pub(crate) struct Public {
    /// Public address of the dashboard and the API, as browsers and repositories reach it; for web the address it listens on if
    /// absent
    #[arg(long, env = "PAGEFOLD_WEB_URL", default_value = "")]
    pub(crate) web_url: String,
    /// Scheme of the sites' public addresses
    #[arg(long, env = "PAGEFOLD_SITES_SCHEME", default_value = "https")]
    sites_scheme: String,
    /// Domain below which every site has its host
    #[arg(long, env = "PAGEFOLD_SITES_DOMAIN", default_value = edge::BASE_DOMAIN)]
    sites_domain: String,
    /// Port of the sites' public addresses, if it is not the scheme's own
    #[arg(long, env = "PAGEFOLD_SITES_PORT")]
    sites_port: Option<u16>,
}

impl Public {
    pub(crate) fn sites_url(&self) -> SitesUrl {
        let (scheme, base_domain) = (self.sites_scheme.clone(), self.sites_domain.clone());
        SitesUrl { scheme, base_domain, port: self.sites_port }
    }
}
