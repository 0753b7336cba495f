//! Builds that somebody asks for, and cancels.

use super::execute::{ask, soon};
use super::permit::{About, permit};
use super::uploads;
use crate::app::Shared;
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use events::authority::Command;
use events::{Branch, Build, BuildId, Cause, CommitId, Refusal, Site, build};

/// What of a site's repository shall be built.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The branch; the live one if absent.
    pub(crate) branch: Option<Branch>,
    /// The commit; the newest of the branch if absent.
    pub(crate) commit: Option<CommitId>,
}

/// What becomes of all that builds of a site have kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    Use,
    /// It is good for no build any more.
    Clear,
}

/// Answers the build that will be queued.
pub(crate) async fn request_build(
    app: &Shared,
    place: &Place,
    source: Source,
    caller: Caller,
) -> Result<BuildId, Problem> {
    let site = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::RequestBuild, About::Site(site)).await?;
    let Site::Active(active) = app.log.load::<Site>(&site.to_string()).await?.state else {
        return Err(Refusal::SiteNotFound.into());
    };
    let branch = source.branch.unwrap_or(active.settings.branch);
    let commit = source.commit.as_ref().map(CommitId::as_str).unwrap_or_default();
    let id = BuildId(caller.new_id(format_args!("build/{site}/{branch}/{commit}")));
    let command = build::Command::Request {
        site,
        branch,
        commit: source.commit,
        upload: None,
        pull_request: None,
        clear_cache: false,
    };
    ask::<Build>(app, &id.to_string(), &command, &cause).await?;
    Ok(id)
}

/// Builds the same commit of the same branch once more, by the settings of today; answers the build that will be queued. Whoever has
/// what comes from a fork built approves it by that, and it is given nothing of the site again.
pub(crate) async fn retry_build(app: &Shared, id: BuildId, cache: Cache, caller: Caller) -> Result<BuildId, Problem> {
    let former = app.model.build(id).await?.ok_or(Problem::Refused(Refusal::BuildNotFound))?;
    let cause = permit(app, &caller, Command::RequestBuild, About::Site(former.site))
        .await
        .map_err(|problem| problem.instead(&Refusal::SiteNotFound, Refusal::BuildNotFound))?;
    let Site::Active(_) = app.log.load::<Site>(&former.site.to_string()).await?.state else {
        return Err(Refusal::SiteNotFound.into());
    };
    let next = BuildId(caller.new_id(format_args!("build/{id}/retry")));
    let upload = uploads::named_by(app, former.site, former.commit.as_ref()).await?;
    let (site, branch, commit, pull_request) = (former.site, former.branch, former.commit, former.pull_request);
    let clear_cache = cache == Cache::Clear;
    let command = build::Command::Request { site, branch, commit, upload, pull_request, clear_cache };
    ask::<Build>(app, &next.to_string(), &command, &cause).await?;
    Ok(next)
}

/// The cancellation joins the build's story, if the read model knows it.
pub(crate) async fn cancel_build(app: &Shared, id: BuildId, caller: Caller) -> Result<(), Problem> {
    let site = app.log.load::<Build>(&id.to_string()).await?.state.site();
    let site = site.ok_or(Problem::Refused(Refusal::BuildNotFound))?;
    let cause = permit(app, &caller, Command::CancelBuild, About::Site(site))
        .await
        .map_err(|problem| problem.instead(&Refusal::SiteNotFound, Refusal::BuildNotFound))?;
    let known = soon(app.model.build(id)).await.flatten();
    let command = build::Command::Cancel { reason: "canceled by hand".to_owned(), superseded_by: None };
    let cause = Cause { correlation: known.map(|build| build.correlation), ..cause };
    ask::<Build>(app, &id.to_string(), &command, &cause).await
}
