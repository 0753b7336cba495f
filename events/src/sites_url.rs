//! The public addresses of sites, their aliases and their deploys, as the edge serves them.

use crate::{AliasName, DeployId, SiteName};

/// How the public addresses of sites are formed: `<scheme>://<label>.<base domain>[:<port>]/`.
#[derive(Debug, Clone)]
pub struct SitesUrl {
    /// `https` or `http`.
    pub scheme: String,
    /// The domain below which every site has its label.
    pub base_domain: String,
    /// The port, where it is not the scheme's own.
    pub port: Option<u16>,
}

impl SitesUrl {
    /// Where an alias of `site` is read.
    #[must_use]
    pub fn alias(&self, site: &SiteName, alias: &AliasName) -> String {
        self.at(&alias.host_label(site))
    }

    /// Where one immutable deploy of `site` is read.
    #[must_use]
    pub fn deploy(&self, site: &SiteName, deploy: &DeployId) -> String {
        self.at(&format!("{deploy}--{site}"))
    }

    fn at(&self, label: &str) -> String {
        let Self { scheme, base_domain, port } = self;
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        format!("{scheme}://{label}.{base_domain}{port}/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_label_per_alias_and_deploy() {
        let sites = SitesUrl { scheme: "http".into(), base_domain: "localhost".into(), port: Some(8080) };
        let site: SiteName = "docs".parse().unwrap();
        let alias = |name: &str| sites.alias(&site, &name.parse().unwrap());
        assert_eq!(alias("live"), "http://docs.localhost:8080/");
        assert_eq!(alias("preview/fix"), "http://fix--docs.localhost:8080/");
        let deploy = sites.deploy(&site, &"0123456789ab".parse().unwrap());
        assert_eq!(deploy, "http://0123456789ab--docs.localhost:8080/");
    }
}
