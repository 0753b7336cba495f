//! What whoever asks may do at this moment. Roles and tokens are looked up on the log for every request, so that what was taken
//! away is gone at once and everywhere.

use crate::app::App;
use crate::auth::bearer;
use crate::caller::{Caller, Who};
use crate::issued;
use crate::problem::Problem;
use crate::sessions::Visit;
use events::authority::{Bounds, Holder, PlatformRole, Role, Scope};
use events::event::TokenGrant;
use events::{Actor, OrganizationId, Refusal, Site, SiteId, Token, TokenId, User, UserId, user};
use http::{Extensions, HeaderMap, HeaderValue};
use projections::Sight;
use runtime::clock;
use std::net::IpAddr;
use std::sync::PoisonError;

impl App {
    /// Who has presented a token, if it is one.
    pub(crate) async fn holder(&self, presented: &str, client: IpAddr) -> Result<Option<Who>, Problem> {
        if let Some(id) = issued::id(presented)
            && let Some(grant) = self.grant(id).await?
            && issued::is(presented, &grant.digest)
        {
            return Ok(Some(Who::Token(id)));
        }
        self.auth.holder(presented, client)
    }

    /// The cookie for whoever presents a valid token, from where, and with these headers; none if it is not.
    pub(crate) async fn sign_in(
        &self,
        presented: &str,
        client: IpAddr,
        headers: &HeaderMap,
    ) -> Result<Option<HeaderValue>, Problem> {
        match self.holder(presented.trim(), client).await? {
            Some(who) => self.auth.begin(&who, headers).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whoever may read and, with a token in the header or from a page of ours, write.
    pub(crate) async fn asks(&self, extensions: &Extensions, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
        match (bearer(extensions), Visit::of(headers)) {
            (Some(caller), _) => Ok(Some(caller)),
            (None, Some(visit)) => match self.auth.visitor(&visit).await? {
                Some(who) => self.caller(who).await,
                None => Ok(None),
            },
            (None, None) => Ok(None),
        }
    }

    /// What `who` may do now; none if they are nobody any more.
    pub(crate) async fn caller(&self, who: Who) -> Result<Option<Caller>, Problem> {
        match who {
            Who::Operator(name) if self.auth.knows(&name) => {
                let actor = Actor::operator(&name);
                Ok(Some(Caller::new(Who::Operator(name), actor, Holder::OPERATOR)))
            }
            Who::Operator(_) => Ok(None),
            Who::Token(id) => {
                let Some(grant) = self.grant(id).await? else { return Ok(None) };
                self.by_token(id, &grant).await
            }
            Who::User(id) => {
                let Some(role) = self.person(id).await? else { return Ok(None) };
                let holder = Holder::person(id, role.platform);
                Ok(Some(Caller::new(who, Actor::user(id), holder)))
            }
        }
    }

    /// What a token is good for, unless its time is over.
    pub(crate) async fn grant(&self, id: TokenId) -> Result<Option<TokenGrant>, Problem> {
        let Token::Valid(grant) = self.log.load::<Token>(&id.to_string()).await?.state else { return Ok(None) };
        let is_over = grant.expires_at.is_some_and(|end| end <= clock::now());
        Ok((!is_over).then_some(grant))
    }

    async fn by_token(&self, id: TokenId, grant: &TokenGrant) -> Result<Option<Caller>, Problem> {
        let platform = match grant.maker {
            Some(maker) => match self.person(maker).await? {
                Some(role) => role.platform,
                None => return Ok(None),
            },
            None => Some(PlatformRole::Admin),
        };
        let scope = grant.scopes.last().copied().unwrap_or(Scope::Read);
        let bounds = Bounds { scope, organization: grant.organization, site: grant.site };
        let holder = Holder { platform, user: grant.maker, bounds };
        Ok(Some(Caller::new(Who::Token(id), Actor::token(id, &grant.name), holder)))
    }

    /// A person who may sign in; none if there is no such one any more. Whoever is suspended is told why.
    async fn person(&self, id: UserId) -> Result<Option<Known>, Problem> {
        match self.log.load::<User>(&id.to_string()).await?.state {
            User::Active(user::Active { suspended: Some(reason), .. }) => Err(Refusal::UserSuspended { reason }.into()),
            User::Active(active) => Ok(Some(Known { platform: active.role })),
            User::Unknown | User::Erased => Ok(None),
        }
    }

    /// What a caller may know of.
    pub(crate) async fn sight(&self, holder: &Holder) -> Result<Sight, Problem> {
        let own = match (holder.platform, holder.user) {
            (Some(PlatformRole::Admin | PlatformRole::Support), _) => Sight::All,
            (None, Some(user)) => {
                let memberships = self.model.memberships(user).await?;
                let of = |role| {
                    memberships.iter().filter(move |member| member.role >= role).map(|member| member.organization)
                };
                Sight::Organizations { seen: of(Role::User).collect(), managed: of(Role::Manager).collect() }
            }
            (None, None) => Sight::NOTHING,
        };
        let Bounds { organization, site, .. } = holder.bounds;
        if let Some(site) = site {
            let owner = self.owner_of(site).await?;
            let sees = owner
                .is_some_and(|owner| organization.is_none_or(|bound| bound == owner) && own.sees_organization(owner));
            return Ok(if sees { Sight::Site(site) } else { Sight::NOTHING });
        }
        Ok(match organization {
            Some(bound) => own.within(bound),
            None => own,
        })
    }

    /// Whose a site is or was; none if there never was one. A site stays with its organization, so it is asked for once.
    pub(crate) async fn owner_of(&self, site: SiteId) -> Result<Option<OrganizationId>, Problem> {
        if let Some(owner) = self.owners.lock().unwrap_or_else(PoisonError::into_inner).get(&site) {
            return Ok(Some(*owner));
        }
        let owner = self.log.load::<Site>(&site.to_string()).await?.state.organization();
        if let Some(owner) = owner {
            self.owners.lock().unwrap_or_else(PoisonError::into_inner).insert(site, owner);
        }
        Ok(owner)
    }
}

/// A person who may sign in.
struct Known {
    platform: Option<PlatformRole>,
}
