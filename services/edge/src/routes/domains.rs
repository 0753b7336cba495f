//! Names that are other people's, and the sites that they show once they are verified.

use super::Routes;
use events::event::Certified;
use events::routing::HostName;
use events::{DomainEvent, Sealed, SiteId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A name that is a site's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    site: SiteId,
    /// Nothing is shown before it is proven whose it is.
    verified: bool,
    redirect_to: Option<HostName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<Arc<Certificate>>,
}

/// What a name proves itself by.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Certificate {
    /// As PEM.
    pub(crate) chain: String,
    /// As PEM, sealed with the key of edges.
    pub(crate) key: Sealed,
    /// In seconds of Unix time.
    pub(crate) expires_s: i64,
}

/// What a verified name does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain<'t> {
    /// It shows what the site shows live.
    Shows(SiteId),
    /// It leads to another name of its site.
    Leads(&'t HostName),
}

impl Routes {
    /// What a name does that is given in lower case and without its port; none if it is nobody's that is here.
    pub(crate) fn domain(&self, name: &str) -> Option<Domain<'_>> {
        let named = self.verified(name)?;
        // Whoever is led goes no further, and nobody is led to where nothing is shown.
        let leads = |to: &&HostName| {
            self.verified(to.as_str()).is_some_and(|other| other.site == named.site && other.redirect_to.is_none())
        };
        Some(named.redirect_to.as_ref().filter(leads).map_or(Domain::Shows(named.site), Domain::Leads))
    }

    /// What a name proves itself by, if it is verified and has a certificate.
    pub(crate) fn certificate(&self, name: &str) -> Option<&Arc<Certificate>> {
        self.verified(name)?.certificate.as_ref()
    }

    /// What is answered behind the token of a challenge, of a name that is somebody's here.
    pub(crate) fn responder(&self, name: &str) -> Option<&str> {
        self.verified(name)?;
        self.responder.as_deref()
    }

    fn verified(&self, name: &str) -> Option<&Named> {
        let named = self.domains.get(name).filter(|named| named.verified)?;
        self.sites.get(&named.site).is_some_and(|site| !site.deleted).then_some(named)
    }

    pub(super) fn apply_domain(&mut self, name: &str, fact: &DomainEvent) {
        match fact {
            DomainEvent::Added { site, redirect_to, .. } => {
                let named = Named { site: *site, verified: false, redirect_to: redirect_to.clone(), certificate: None };
                self.domains.insert(name.into(), named);
            }
            DomainEvent::Changed { redirect_to, .. } => {
                if let Some(named) = self.domains.get_mut(&name.into()) {
                    named.redirect_to.clone_from(redirect_to);
                }
            }
            DomainEvent::Verified { .. } => {
                if let Some(named) = self.domains.get_mut(&name.into()) {
                    named.verified = true;
                }
            }
            DomainEvent::CertificateOrdered { responder, .. } => {
                // It is empty where the authority could not be asked.
                if !responder.is_empty() {
                    self.responder = Some(responder.clone());
                }
            }
            DomainEvent::CertificateIssued(Certified { chain, key, expires_at, .. }) => {
                if let Some(named) = self.domains.get_mut(&name.into()) {
                    let (chain, key, expires_s) = (chain.clone(), key.clone(), expires_at.unix_timestamp());
                    named.certificate = Some(Arc::new(Certificate { chain, key, expires_s }));
                }
            }
            DomainEvent::Removed { .. } => drop(self.domains.remove(&name.into())),
            DomainEvent::CheckRequested { .. }
            | DomainEvent::CheckFailed { .. }
            | DomainEvent::CertificateFailed { .. }
            | DomainEvent::Failed { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn site(number: u128) -> SiteId {
        SiteId(Uuid::from_u128(number))
    }

    fn added(number: u128, to: Option<&str>) -> DomainEvent {
        let redirect_to = to.map(|to| to.parse().unwrap());
        DomainEvent::Added { site: site(number), proof: Uuid::nil(), redirect_to }
    }

    fn routes(facts: &[(&str, DomainEvent)]) -> Routes {
        let site = |deleted| json!({ "deleted": deleted, "erased": false, "name": "docs", "slots": {} });
        let ids = [1, 2, 3].map(|number| Uuid::from_u128(number).to_string());
        let sites = json!({ &ids[0]: site(false), &ids[1]: site(false), &ids[2]: site(true) });
        let mut routes: Routes = serde_json::from_value(json!({ "hosts": {}, "sites": sites })).unwrap();
        facts.iter().for_each(|(name, fact)| routes.apply_domain(name, fact));
        routes
    }

    fn verified(number: u128) -> DomainEvent {
        DomainEvent::Verified { site: site(number) }
    }

    #[test]
    fn a_name_shows_its_site_once_it_is_verified_and_as_long_as_both_are_there() {
        let name = "www.example";
        assert_eq!(routes(&[(name, added(1, None))]).domain(name), None);
        let there = routes(&[(name, added(1, None)), (name, verified(1))]);
        assert_eq!((there.domain(name), there.domain("example")), (Some(Domain::Shows(site(1))), None));
        let gone =
            routes(&[(name, added(1, None)), (name, verified(1)), (name, DomainEvent::Removed { site: site(1) })]);
        assert_eq!(gone.domain(name), None);
        assert_eq!(routes(&[(name, added(3, None)), (name, verified(3))]).domain(name), None, "its site is deleted");
    }

    #[test]
    fn a_name_leads_to_another_of_its_site_that_is_verified_and_leads_no_further() {
        let (www, apex): (&str, HostName) = ("www.example", "a.example".parse().unwrap());
        let both = |of: u128, to: Option<&str>| {
            routes(&[
                (www, added(1, Some("a.example"))),
                (www, verified(1)),
                ("a.example", added(of, to)),
                ("a.example", verified(of)),
            ])
        };
        assert_eq!(both(1, None).domain(www), Some(Domain::Leads(&apex)));
        assert_eq!(both(2, None).domain(www), Some(Domain::Shows(site(1))), "it is another’s");
        assert_eq!(both(1, Some(www)).domain(www), Some(Domain::Shows(site(1))), "nobody is led in circles");
        let alone = routes(&[(www, added(1, Some("a.example"))), (www, verified(1)), ("a.example", added(1, None))]);
        assert_eq!(alone.domain(www), Some(Domain::Shows(site(1))), "nothing is shown there yet");
        let mut changed = both(1, None);
        changed.apply_domain(www, &DomainEvent::Changed { site: site(1), redirect_to: None });
        assert_eq!(changed.domain(www), Some(Domain::Shows(site(1))));
    }

    #[test]
    fn a_change_of_names_makes_the_later_table_of_the_earlier_one() {
        let earlier = routes(&[("www.example", added(1, None)), ("a.example", added(1, None))]);
        let mut later = earlier.clone();
        later.apply_domain("www.example", &verified(1));
        later.apply_domain("a.example", &DomainEvent::Removed { site: site(1) });
        let changes = serde_json::to_string(&later.changes_since(&earlier)).unwrap();
        let mut again = earlier;
        again.change(serde_json::from_str(&changes).unwrap());
        assert_eq!(again, later);
    }
}
