//! Webhooks that came for nobody, once there is a site for them.

use super::execute::ask;
use super::permit::{About, permit};
use crate::problem::Problem;
use crate::view::View;
use events::authority::Command;
use events::{Build, BuildId, SiteId, build};
use uuid::Uuid;

/// Builds the branch that a stray delivery told of, at its present tip, for every site that it is for by now. What is asked again is
/// answered with the same builds: newer source than was delivered is never replaced by older.
pub(crate) async fn redeliver(view: &View, id: u64) -> Result<Vec<BuildId>, Problem> {
    let stray = view.stray(id).await?;
    if !stray.is_signed {
        return Err(Problem::DeliveryRefused);
    }
    let Some(branch) = stray.note.branch.filter(|_| !stray.sites.is_empty()) else {
        return Err(Problem::DeliveryUnmatched);
    };
    let mut builds = Vec::new();
    for site in stray.sites {
        let cause = permit(&view.app, &view.caller, Command::RequestBuild, About::Site(site.id)).await?;
        let command = build::Command::Request {
            site: site.id,
            branch: branch.clone(),
            commit: None,
            upload: None,
            pull_request: None,
            clear_cache: false,
        };
        let build = build_of(id, site.id);
        ask::<Build>(&view.app, &build.to_string(), &command, &cause).await?;
        builds.push(build);
    }
    Ok(builds)
}

fn build_of(stray: u64, site: SiteId) -> BuildId {
    BuildId(Uuid::new_v5(&site.0, format!("stray/{stray}").as_bytes()))
}
