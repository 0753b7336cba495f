//! The secret that webhooks of one site are signed with.

use super::execute::commit;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use events::authority::Command;
use events::{Site, site};

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
