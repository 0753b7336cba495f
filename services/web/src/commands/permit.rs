//! The way to a command leads through here: nothing is asked of the log without a cause, and none is given to whoever may not
//! ask.

use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use events::authority::{self, Command, Denial, Standing, State};
use events::{Cause, Organization, OrganizationId, Refusal, SiteId};

/// What a command is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum About {
    Platform,
    /// What is the caller's own.
    Own,
    Organization(OrganizationId),
    Site(SiteId),
}

/// The cause of what follows, if the caller may give this command. It is decided by what the log knows now.
pub(crate) async fn permit(app: &Shared, caller: &Caller, command: Command, about: About) -> Result<Cause, Problem> {
    let missing = || Problem::Refused(about.missing());
    let organization = match about {
        About::Platform | About::Own => None,
        About::Organization(organization) => Some(organization),
        About::Site(site) => Some(app.owner_of(site).await?.ok_or_else(missing)?),
    };
    let (standing, reason) = match organization.filter(|_| caller.holder.user.is_some()) {
        Some(organization) => standing(app, organization).await?,
        None => Default::default(),
    };
    let state = match (about, organization) {
        (About::Site(site), Some(organization)) => State::Site(site, organization, &standing),
        (_, Some(organization)) => State::Organization(organization, &standing),
        (About::Own, None) => State::Own,
        (_, None) => State::Platform,
    };
    match authority::authorize(&caller.holder, command, &state) {
        Ok(()) => Ok(Cause::new(caller.actor.clone())),
        Err(Denial::Hidden) => Err(missing()),
        Err(Denial::Forbidden(rank)) => Err(Problem::Forbidden(rank)),
        Err(Denial::Suspended) => Err(Refusal::OrganizationSuspended { reason }.into()),
    }
}

/// Where an organization stands, and why it is suspended if it is.
async fn standing(app: &Shared, organization: OrganizationId) -> Result<(Standing, String), Problem> {
    let active = match app.log.load::<Organization>(&organization.to_string()).await?.state {
        Organization::Active(active) => active,
        Organization::Unknown => return Ok(Default::default()),
    };
    let standing = Standing { members: active.members, is_suspended: active.suspended.is_some() };
    Ok((standing, active.suspended.unwrap_or_default()))
}

impl About {
    const fn missing(self) -> Refusal {
        match self {
            Self::Site(_) => Refusal::SiteNotFound,
            Self::Platform | Self::Own | Self::Organization(_) => Refusal::OrganizationNotFound,
        }
    }
}
