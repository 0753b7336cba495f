//! What the people of a domain have to set where its records are kept. Pure.

use events::domain::{proof_name, proof_text};
use events::routing::HostName;
use events::{SiteName, SitesUrl};
use serde::Serialize;
use std::net::IpAddr;
use utoipa::ToSchema;
use uuid::Uuid;

/// A record to be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DomainRecord)]
pub(crate) struct Record {
    /// `TXT`, `CNAME`, `A`, `AAAA`, or `ALIAS`: whatever the keeper of the records calls one that follows the addresses of a name.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// The name that it is of.
    pub(crate) name: String,
    /// What it says.
    pub(crate) value: String,
}

/// How names lead to the edges.
#[derive(Debug, Clone)]
pub(crate) struct Edges<'a> {
    pub(crate) sites: &'a SitesUrl,
    /// Where the edges answer, as far as an operator has said it.
    pub(crate) addresses: &'a [IpAddr],
}

impl Edges<'_> {
    /// One record that proves whose a name is, and those by which it leads here: the name of the site's own host, or, for a name
    /// that can have no CNAME, addresses.
    pub(crate) fn records(&self, name: &HostName, proof: Uuid, site: &SiteName) -> Vec<Record> {
        let proof = Record { kind: "TXT", name: proof_name(name), value: proof_text(proof) };
        let domain = self.sites.base_domain.trim_matches('.').to_ascii_lowercase();
        let leads = |kind, value| Record { kind, name: name.to_string(), value };
        let host = format!("{site}.{domain}");
        let leading = match (name.is_apex(), self.addresses) {
            (false, _) => vec![leads("CNAME", host)],
            (true, []) => vec![leads("ALIAS", host)],
            (true, addresses) => {
                let kind = |address: &IpAddr| if address.is_ipv4() { "A" } else { "AAAA" };
                addresses.iter().map(|address| leads(kind(address), address.to_string())).collect()
            }
        };
        std::iter::once(proof).chain(leading).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, addresses: &[IpAddr]) -> Vec<(&'static str, String, String)> {
        let sites = SitesUrl { scheme: "https".into(), base_domain: "Pages.test.".into(), port: None };
        let edges = Edges { sites: &sites, addresses };
        let records = edges.records(&name.parse().unwrap(), Uuid::from_u128(7), &"docs".parse().unwrap());
        records.into_iter().map(|Record { kind, name, value }| (kind, name, value)).collect()
    }

    #[test]
    fn a_name_is_proven_and_leads_to_the_host_of_its_site() {
        let records = told("www.example.org", &["192.0.2.1".parse().unwrap()]);
        let proof = "pagefold=00000000000000000000000000000007".to_owned();
        assert_eq!(
            records,
            [
                ("TXT", "_pagefold.www.example.org".to_owned(), proof),
                ("CNAME", "www.example.org".to_owned(), "docs.pages.test".to_owned()),
            ]
        );
    }

    #[test]
    fn an_apex_leads_to_addresses_since_it_can_have_no_cname() {
        let addresses = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        let kinds = |addresses: &[IpAddr]| -> Vec<(&str, String)> {
            told("example.org", addresses).into_iter().map(|(kind, _, value)| (kind, value)).skip(1).collect()
        };
        assert_eq!(kinds(&addresses), [("A", "192.0.2.1".to_owned()), ("AAAA", "2001:db8::1".to_owned())]);
        assert_eq!(kinds(&[]), [("ALIAS", "docs.pages.test".to_owned())]);
    }
}
