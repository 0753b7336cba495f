//! The secret that webhooks of one site are signed with.

use super::Created;
use super::active::active;
use super::execute::commit;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use events::authority::Command;
use events::{Site, site};
use projections::sites::SiteRow;

/// A secret that was made, and where what it signs is sent.
pub(crate) struct WebhookSecret {
    pub(crate) url: String,
    pub(crate) secret: String,
}

/// Makes a new secret for a site's webhooks. The one before it stays good until the next.
pub(crate) async fn rotate_webhook_secret(
    app: &Shared,
    place: &Place,
    caller: Caller,
) -> Result<WebhookSecret, Problem> {
    let id = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::RotateWebhookSecret, About::Site(id)).await?;
    let salt = caller.new_id(format_args!("webhook-secret/{id}"));
    let command = site::Command::RotateWebhookSecret { salt };
    commit(app, app.log.transaction(cause).with::<Site>(id, command)).await?;
    Ok(WebhookSecret { url: app.webhook_url_of(id), secret: app.key.webhook_secret(salt) })
}

/// Makes the first secret for the webhooks of a site that was just created, for whoever has created it.
pub(crate) async fn begin_webhook(app: &Shared, created: &Created, caller: Caller) -> Result<(), Problem> {
    let about = About::Organization(created.organization.id);
    let cause = permit(app, &caller, Command::CreateSite, about).await?;
    let command =
        site::Command::RotateWebhookSecret { salt: caller.new_id(format_args!("first-secret/{}", created.site)) };
    commit(app, app.log.transaction(cause).with::<Site>(created.site, command)).await.map(drop)
}

/// The secret that was made with a site, for whoever has created it and as long as nothing was signed with it.
pub(crate) async fn first_webhook_secret(
    app: &Shared,
    site: &SiteRow,
    caller: &Caller,
) -> Result<Option<String>, Problem> {
    if site.created_by != caller.actor || site.webhook_pinged_at.is_some() {
        return Ok(None);
    }
    let salts = active(app, site.id).await?.webhook_salts;
    let first = if let [salt] = salts[..] { Some(salt) } else { None };
    Ok(first.map(|salt| app.key.webhook_secret(salt)))
}
