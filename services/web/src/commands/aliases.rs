//! Promotions that somebody asks for, forwards or back.

use super::execute::ask;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use events::alias::{self, Claim};
use events::authority::Command;
use events::{Alias, AliasName, Deploy, DeployId, Refusal, Site, subject};

/// What an alias shall show from now on.
#[derive(Debug)]
pub(crate) struct Promotion {
    pub(crate) alias: AliasName,
    pub(crate) deploy: DeployId,
    /// What it shows now, one of these as far as the caller knows; none if that does not matter to them.
    pub(crate) expected: Option<Vec<DeployId>>,
}

/// Moves an alias to a deploy of its site, forwards or back, if it still shows what the caller expects. Answers the number
/// of the build that made the deploy.
pub(crate) async fn promote(
    app: &Shared,
    place: &Place,
    promotion: &Promotion,
    caller: Caller,
) -> Result<u64, Problem> {
    let Promotion { alias, deploy, expected } = promotion;
    let site = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::PointAlias, About::Site(site)).await?;
    if !matches!(app.log.load::<Site>(&site.to_string()).await?.state, Site::Active(_)) {
        return Err(Refusal::SiteNotFound.into());
    }
    let (number, source_sequence) = match app.log.load::<Deploy>(deploy.as_str()).await?.state {
        Deploy::Synced { site: owner, number, source_sequence } if owner == site => (number, source_sequence),
        Deploy::Collected { site: owner } if owner == site => return Err(Refusal::DeployCollected.into()),
        Deploy::Synced { .. } | Deploy::Collected { .. } | Deploy::Unknown => {
            return Err(Refusal::DeployNotFound(deploy.clone()).into());
        }
    };
    let id = subject::alias_id(site, alias);
    let expected = match expected.as_deref() {
        None => None,
        Some([one]) => Some(one.clone()),
        Some(several) => {
            let shown = app.log.load::<Alias>(&id).await?.state.deploy;
            shown.filter(|shown| several.contains(shown)).or_else(|| several.first().cloned())
        }
    };
    let claim = Claim::Chosen { expected };
    let (alias, deploy) = (alias.clone(), deploy.clone());
    let command = alias::Command::Promote { site, alias, deploy, number, source_sequence, claim };
    ask::<Alias>(app, &id, &command, &cause).await?;
    Ok(number)
}

/// Takes a preview down. It comes back with the next push of its branch. What the site's own readers see is none.
pub(crate) async fn take_down(app: &Shared, place: &Place, alias: AliasName, caller: Caller) -> Result<(), Problem> {
    let site = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::PointAlias, About::Site(site)).await?;
    if !matches!(alias, AliasName::Preview(_)) {
        return Err(Problem::InvalidInput(format!(
            "`{alias}` is no preview, and is not taken down: show another deploy"
        )));
    }
    if !matches!(app.log.load::<Site>(&site.to_string()).await?.state, Site::Active(_)) {
        return Err(Refusal::SiteNotFound.into());
    }
    let id = subject::alias_id(site, &alias);
    ask::<Alias>(app, &id, &alias::Command::Remove { site, alias }, &cause).await?;
    Ok(())
}
