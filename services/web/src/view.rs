//! The platform as whoever asks may see it. What is not theirs is not there: every question goes through here.

use crate::app::{App, Shared};
use crate::caller::Caller;
use crate::place::{Owner, Place};
use crate::problem::Problem;
use axum::extract::FromRequestParts;
use events::authority::PlatformRole;
use events::routing::{HostName, Leads};
use events::{Build, BuildId, DeployId, Event, InvitationEvent, OrganizationId, Recorded, Refusal, SiteId, TokenEvent};
use http::request::Parts;
use projections::builds::BuildRow;
use projections::deploys::DeployRow;
use projections::organizations::OrganizationRow;
use projections::receivers::ReceiverRow;
use projections::routes::Routes;
use projections::sites::SiteRow;
use projections::timeline::Query;
use projections::{PAGE_MAX, Sight};
use runtime::telemetry;
use std::ops::Deref;

/// The platform, and what may be seen of it.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) app: Shared,
    pub(crate) caller: Caller,
    pub(crate) sight: Sight,
}

impl FromRequestParts<Shared> for View {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned().ok_or(Problem::Unauthorized)?;
        let sight = app.sight(&caller.holder).await?;
        Ok(Self { app: Shared::clone(app), caller, sight })
    }
}

/// A deploy and its site.
pub(crate) struct Found {
    pub(crate) deploy: DeployRow,
    pub(crate) site: SiteRow,
}

impl View {
    /// The site that a question is about, as the read model shows it; one that was deleted is not there.
    pub(crate) async fn site(&self, place: &Place) -> Result<SiteRow, Problem> {
        telemetry::http_about_site(place);
        let site = self.any_site(place).await?.filter(|site| site.deleted_at.is_none());
        site.ok_or(Problem::Refused(Refusal::SiteNotFound))
    }

    /// Whether whoever looks decides who belongs to an organization, and what it is called. Who is shown a page may still be refused.
    pub(crate) fn manages(&self, organization: OrganizationId) -> bool {
        match &self.sight {
            Sight::All => self.caller.holder.platform == Some(PlatformRole::Admin),
            Sight::Organizations { managed, .. } => managed.contains(&organization),
            Sight::Site(..) => false,
        }
    }

    /// The site whose history is asked for, which outlives the site.
    pub(crate) async fn history_of(&self, place: &Place) -> Result<SiteId, Problem> {
        let site = self.any_site(place).await?;
        site.map(|site| site.id).ok_or(Problem::Refused(Refusal::SiteNotFound))
    }

    async fn any_site(&self, place: &Place) -> Result<Option<SiteRow>, Problem> {
        let site = match place {
            Place::Id(id) => self.app.model.site(*id).await?,
            Place::Name(name) => self.app.model.site_called(name).await?,
        };
        Ok(site.filter(|site| self.sight.sees_site(site.id, site.organization)))
    }

    /// A receiver of a site, as a path names both.
    pub(crate) async fn receiver(&self, site: &str, id: &str) -> Result<ReceiverRow, Problem> {
        let (place, missing) = (site.parse().map_err(|_| Problem::NotFound)?, Refusal::ReceiverNotFound);
        let site = self.site(&place).await?;
        let Ok(id) = id.parse() else { return Err(missing.into()) };
        Ok(self.app.model.receiver(site.id, id).await?.ok_or(missing)?)
    }

    /// Whether a site is shown at a host: its own, or one that has a route to it.
    pub(crate) async fn shows_at(&self, site: SiteId, host: &HostName) -> Result<bool, Problem> {
        if self.app.owner_of_host(host).await? == Some(site) {
            return Ok(true);
        }
        let those = Routes { host: Some(host.clone()), owner: None, after: None, limit: PAGE_MAX };
        let routes = self.app.model.routes(&those, &Sight::All).await?;
        Ok(routes.iter().any(|row| row.leads == Leads::Site { site }))
    }

    /// The organization that a question is about, as the read model shows it.
    pub(crate) async fn organization(&self, owner: &Owner) -> Result<OrganizationRow, Problem> {
        let organization = match owner {
            Place::Id(id) => self.app.model.organization(*id).await?,
            Place::Name(name) => self.app.model.organization_named(name).await?,
        };
        let organization = organization.filter(|organization| self.sight.sees_organization(organization.id));
        organization.ok_or(Problem::Refused(Refusal::OrganizationNotFound))
    }

    pub(crate) async fn build(&self, id: BuildId) -> Result<BuildRow, Problem> {
        let build = self.app.model.build(id).await?.ok_or(Problem::Refused(Refusal::BuildNotFound))?;
        let seen = self.sees(build.site).await?;
        Some(build).filter(|_| seen).ok_or(Problem::Refused(Refusal::BuildNotFound))
    }

    /// Whether there is a build and it may be seen, as the log knows it.
    pub(crate) async fn sees_build(&self, id: BuildId) -> Result<(), Problem> {
        let site = self.log.load::<Build>(&id.to_string()).await?.state.site();
        match site {
            Some(site) if self.sees(site).await? => Ok(()),
            Some(_) | None => Err(Refusal::BuildNotFound.into()),
        }
    }

    /// The fact at this place of the log.
    pub(crate) async fn fact(&self, sequence: u64) -> Result<Recorded, Problem> {
        let fact = self.log.fact(sequence).await?.filter(|_| sequence > 0).ok_or(Problem::NotFound)?;
        if self.sees_fact(&fact).await? || self.sees_place(sequence).await? { Ok(fact) } else { Err(Problem::NotFound) }
    }

    /// Whether what is told at this place of the log belongs to a story that may be seen.
    pub(crate) async fn sees_place(&self, sequence: u64) -> Result<bool, Problem> {
        let query =
            Query { after: sequence.saturating_sub(1), before: Some(sequence + 1), limit: 1, ..Query::default() };
        Ok(!self.model.events(&query, &self.sight).await?.is_empty())
    }

    /// A deploy whose site is there, and its site.
    pub(crate) async fn deploy(&self, id: &DeployId) -> Result<Found, Problem> {
        let missing = || Problem::Refused(Refusal::DeployNotFound(id.clone()));
        let deploy = self.app.model.deploy(id).await?.ok_or_else(missing)?;
        let site = self.app.model.site(deploy.site).await?.filter(|site| site.deleted_at.is_none());
        let site = site.filter(|site| self.sight.sees_site(site.id, site.organization)).ok_or_else(missing)?;
        Ok(Found { deploy, site })
    }

    /// Whether a site may be seen, as the log knows whose it is.
    pub(crate) async fn sees(&self, site: SiteId) -> Result<bool, Problem> {
        match &self.sight {
            Sight::All => Ok(true),
            Sight::Site(seen) => Ok(*seen == site),
            Sight::Organizations { .. } => {
                let owner = self.app.owner_of(site).await?;
                Ok(owner.is_some_and(|owner| self.sight.sees_site(site, owner)))
            }
        }
    }

    /// Whether a fact may be seen by itself. A push belongs to whoever builds it, and is seen where their stories are told.
    pub(crate) async fn sees_fact(&self, fact: &Recorded) -> Result<bool, Problem> {
        if self.sight == Sight::All {
            return Ok(true);
        }
        match (fact.site(), &fact.event) {
            (Some(site), _) => self.sees(site).await,
            (None, Event::Organization(_)) => {
                Ok(fact.envelope.subject.parse().is_ok_and(|organization| self.sight.sees_organization(organization)))
            }
            (None, Event::Invitation(stated)) => self.sees_invitation(stated, &fact.envelope.subject).await,
            (None, Event::Token(stated)) => self.sees_token(stated, &fact.envelope.subject).await,
            (None, _) => Ok(false),
        }
    }

    /// Whether the people of the organization that an invitation or a token is of may be known of.
    async fn sees_invitation(&self, fact: &InvitationEvent, subject: &str) -> Result<bool, Problem> {
        let organization = match (fact, subject.parse()) {
            (InvitationEvent::Created(invited), _) => Some(invited.organization),
            (InvitationEvent::Accepted { .. } | InvitationEvent::Withdrawn {}, Ok(id)) => {
                self.model.invitation(id).await?.map(|known| known.organization)
            }
            (InvitationEvent::Accepted { .. } | InvitationEvent::Withdrawn {}, Err(_)) => None,
        };
        Ok(organization.is_some_and(|organization| self.sight.sees_people(organization)))
    }

    async fn sees_token(&self, fact: &TokenEvent, subject: &str) -> Result<bool, Problem> {
        let organization = match (fact, subject.parse()) {
            (TokenEvent::Created(grant), _) => grant.organization,
            (TokenEvent::Revoked {}, Ok(id)) => self.model.token(id).await?.and_then(|known| known.organization),
            (TokenEvent::Revoked {}, Err(_)) => None,
        };
        Ok(organization.is_some_and(|organization| self.sight.sees_people(organization)))
    }
}

/// What everybody may use.
impl Deref for View {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}
