//! The way to a command leads through here: nothing is asked of the log without a cause, and none is given to whoever may not
//! ask.

use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use events::authority::{self, Command, Denial, Members, State};
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
    let members = match organization.filter(|_| caller.holder.user.is_some()) {
        Some(organization) => members(app, organization).await?,
        None => Members::new(),
    };
    let state = match (about, organization) {
        (About::Site(site), Some(organization)) => State::Site(site, organization, &members),
        (_, Some(organization)) => State::Organization(organization, &members),
        (About::Own, None) => State::Own,
        (_, None) => State::Platform,
    };
    match authority::authorize(&caller.holder, command, &state) {
        Ok(()) => Ok(Cause::new(caller.actor.clone())),
        Err(Denial::Hidden) => Err(missing()),
        Err(Denial::Forbidden(rank)) => Err(Problem::Forbidden(rank)),
    }
}

async fn members(app: &Shared, organization: OrganizationId) -> Result<Members, Problem> {
    Ok(match app.log.load::<Organization>(&organization.to_string()).await?.state {
        Organization::Active(active) => active.members,
        Organization::Unknown => Members::new(),
    })
}

impl About {
    const fn missing(self) -> Refusal {
        match self {
            Self::Site(_) => Refusal::SiteNotFound,
            Self::Platform | Self::Own | Self::Organization(_) => Refusal::OrganizationNotFound,
        }
    }
}
