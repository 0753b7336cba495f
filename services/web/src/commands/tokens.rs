//! Tokens that people make for programs.

use super::execute::{ask, shown, soon};
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::{Caller, Who};
use crate::issued;
use crate::problem::Problem;
use events::authority::{Command, Scope};
use events::event::TokenGrant;
use events::{Cause, Digest, OrganizationId, Refusal, SiteId, Token, TokenId, TokenName, UserId, token};
use runtime::clock;
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// A token to be made.
pub(crate) struct NewToken {
    pub(crate) name: TokenName,
    pub(crate) scopes: BTreeSet<Scope>,
    pub(crate) organization: Option<OrganizationId>,
    pub(crate) site: Option<SiteId>,
    pub(crate) expires_at: Option<OffsetDateTime>,
}

/// A token that was made: the only time that it can be read.
pub(crate) struct Made {
    pub(crate) id: TokenId,
    pub(crate) token: String,
}

/// Makes a token with a part of its maker's authority. What bounds the token that asks, and when it ends, bounds it too.
pub(crate) async fn create_token(app: &Shared, new: NewToken, caller: Caller) -> Result<Made, Problem> {
    if new.scopes.is_empty() {
        return Err(Problem::InvalidInput(
            "`scopes` must have one or more of `read`, `deploy` and `manage`".to_owned(),
        ));
    }
    if new.expires_at.is_some_and(|end| end <= clock::now()) {
        return Err(Problem::InvalidInput("`expires_at` must be in the future".to_owned()));
    }
    let bounds = caller.holder.bounds;
    let (site, named) = (new.site.or(bounds.site), new.organization.or(bounds.organization));
    let owner = match site {
        Some(site) => Some(app.owner_of(site).await?.ok_or(Refusal::SiteNotFound)?),
        None => None,
    };
    let about = site.map(About::Site).or(named.map(About::Organization)).unwrap_or(About::Own);
    let cause = permit(app, &caller, Command::CreateToken, about).await?;
    if let (Some(owner), Some(named)) = (owner, named)
        && owner != named
    {
        return Err(Problem::InvalidInput("`site` is not one of `organization`".to_owned()));
    }
    let id = TokenId(caller.new_id(format_args!("token/{}", new.name)));
    let token = issued::new(id);
    let grant = TokenGrant {
        name: new.name,
        scopes: new.scopes,
        organization: owner.or(named),
        site,
        maker: caller.holder.user,
        digest: Digest::of(token.as_bytes()),
        expires_at: match &caller.who {
            Who::Token(own) => earlier(new.expires_at, app.grant(*own).await?.and_then(|own| own.expires_at)),
            Who::Operator(_) | Who::User(_) => new.expires_at,
        },
    };
    ask::<Token>(app, &id.to_string(), &token::Command::Create(grant), &cause).await?;
    Ok(Made { id, token })
}

/// The earlier of two ends, of which none is never.
fn earlier(one: Option<OffsetDateTime>, other: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    one.into_iter().chain(other).min()
}

/// Ends a token, and all that were made with it: one's own, one of an organization whose people one cares for, or any as an admin.
/// If it is interrupted, asking again completes it.
pub(crate) async fn revoke_token(app: &Shared, id: TokenId, caller: Caller) -> Result<(), Problem> {
    let known = match app.log.load::<Token>(&id.to_string()).await?.state {
        Token::Valid(TokenGrant { name, maker, organization, .. }) => Known { id, name, maker, organization },
        Token::Revoked => match soon(app.model.token(id)).await.flatten() {
            Some(row) => Known { id, name: row.name, maker: row.maker, organization: row.organization },
            None => return Ok(()),
        },
        Token::Unknown => return Err(Refusal::TokenNotFound.into()),
    };
    let is_own = known.maker.is_some() && known.maker == caller.holder.user;
    let about = match known.organization {
        _ if is_own => About::Own,
        Some(organization) => About::Organization(organization),
        None => About::Platform,
    };
    let cause = permit(app, &caller, Command::RevokeToken, about)
        .await
        .map_err(|problem| problem.instead(&Refusal::OrganizationNotFound, Refusal::TokenNotFound))?;
    ask::<Token>(app, &id.to_string(), &token::Command::Revoke, &cause).await?;
    app.uses.forget(id).await?;
    revoke_descendants(app, known, &cause).await
}

/// A token as far as it matters to whoever ends it.
struct Known {
    id: TokenId,
    name: TokenName,
    maker: Option<UserId>,
    organization: Option<OrganizationId>,
}

/// Nobody makes more of them any more: what made them is revoked.
async fn revoke_descendants(app: &Shared, first: Known, cause: &Cause) -> Result<(), Problem> {
    let mut makers = vec![(first.id, first.name)];
    while let Some((id, name)) = makers.pop() {
        shown(app, app.log.last_sequence().await?).await;
        for made in app.model.tokens_made_by(id, &name).await? {
            ask::<Token>(app, &made.id.to_string(), &token::Command::Revoke, cause).await?;
            app.uses.forget(made.id).await?;
            makers.push((made.id, made.name));
        }
    }
    Ok(())
}
