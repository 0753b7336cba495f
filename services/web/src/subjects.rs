//! What facts are about, as people call it: which site, which organization, who.

use crate::people::{self, Names};
use crate::problem::Problem;
use crate::view::View;
use events::Aggregate as _;
use events::{Actor, Organization, OrganizationId, OrganizationName, SiteId, User, UserId};
use projections::sites::SiteRow;
use projections::timeline::FactRow;
use std::collections::{BTreeSet, HashMap};

/// The field of a payload that names a person, and that which names an organization.
const USER: &str = "user";
const ORGANIZATION: &str = "organization";

/// What some facts are about. They are in sight, and so is what they name.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    sites: HashMap<SiteId, SiteRow>,
    organizations: HashMap<OrganizationId, OrganizationName>,
    names: Names,
}

impl Subjects {
    pub(crate) async fn of(view: &View, facts: impl Iterator<Item = &FactRow> + Clone) -> Result<Self, Problem> {
        let mut subjects = Self::named(view, facts.clone()).await?;
        let told = facts.clone().map(|fact| fact.actor.clone()).chain(facts.filter_map(user).map(Actor::user));
        let actors: Vec<Actor> = told.collect();
        subjects.names = people::actors(view, actors.iter()).await;
        Ok(subjects)
    }

    /// The same without what people are called, for lists that tell of people by their ids.
    pub(crate) async fn named(view: &View, facts: impl Iterator<Item = &FactRow> + Clone) -> Result<Self, Problem> {
        let sites: BTreeSet<SiteId> = facts.clone().filter_map(|fact| fact.site).collect();
        let organizations: BTreeSet<OrganizationId> = facts.filter_map(organization).collect();
        let sites = view.model.sites_with(&Vec::from_iter(sites)).await?;
        let organizations = view.model.organizations_with(&Vec::from_iter(organizations)).await?;
        Ok(Self {
            sites: sites.into_iter().map(|site| (site.id, site)).collect(),
            organizations: organizations.into_iter().map(|row| (row.id, row.name)).collect(),
            names: Names::default(),
        })
    }

    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    /// The site that a fact is about.
    pub(crate) fn site(&self, fact: &FactRow) -> Option<&SiteRow> {
        self.sites.get(&fact.site?)
    }

    /// What the organization is called that a fact is about, or that the site is of.
    pub(crate) fn organization(&self, fact: &FactRow) -> Option<&OrganizationName> {
        let own = organization(fact).and_then(|id| self.organizations.get(&id));
        own.or_else(|| self.site(fact)?.organization_name.as_ref())
    }

    /// What the person is called whom a fact is about; nothing if they have not come yet.
    pub(crate) fn person(&self, fact: &FactRow) -> Option<String> {
        self.names.known(user(fact)?)
    }

    /// All of it, from the nearest on; nothing where the fact says it itself.
    pub(crate) fn words(&self, fact: &FactRow) -> Option<String> {
        let of = match self.site(fact) {
            Some(site) => Some(site.name.to_string()),
            None => self.organization(fact).map(ToString::to_string),
        };
        let words: Vec<String> = self.person(fact).into_iter().chain(of).collect();
        (!words.is_empty()).then(|| words.join(" · "))
    }
}

/// The person whom a fact is about, who need not be who stated it.
fn user(fact: &FactRow) -> Option<UserId> {
    if fact.aggregate == User::KIND {
        return fact.subject.parse().ok();
    }
    fact.data.get(USER)?.as_str()?.parse().ok()
}

fn organization(fact: &FactRow) -> Option<OrganizationId> {
    if fact.aggregate == Organization::KIND {
        return fact.subject.parse().ok();
    }
    fact.data.get(ORGANIZATION)?.as_str()?.parse().ok()
}
