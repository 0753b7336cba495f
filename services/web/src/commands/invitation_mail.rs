//! Sends the link of an invitation to whoever is invited. Whoever invites waits for it, a moment at most, and is told what came of it:
//! the link is in no log, so nobody could send it later.

use crate::app::App;
use events::{InvitationId, OrganizationName};
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::time::{Duration, timeout};

/// How long the mail server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an invitation tells.
pub(super) struct Letter<'a> {
    pub(super) id: InvitationId,
    pub(super) to: &'a str,
    pub(super) organization: &'a OrganizationName,
    pub(super) url: &'a str,
    pub(super) expires_at: OffsetDateTime,
}

/// Whether the mail server has it.
pub(super) async fn send(app: &App, letter: &Letter<'_>) -> bool {
    let Some(mailer) = &app.mailer else { return false };
    let id = letter.id.to_string();
    let subject = format!("Invitation to {}", letter.organization);
    let mail = mailer::Letter { id: &id, to: letter.to, subject: &subject, text: text(letter) };
    let why = match timeout(PATIENCE, mailer.send(&mail)).await {
        Ok(Ok(())) => return true,
        Ok(Err(unsent)) => unsent.to_string(),
        Err(_) => "the mail server did not answer in time".to_owned(),
    };
    tracing::warn!(invitation = %letter.id, why, "an invitation was not sent by mail");
    false
}

fn text(Letter { organization, url, expires_at, .. }: &Letter<'_>) -> String {
    let until = expires_at.format(format_description!("[year]-[month]-[day] [hour]:[minute]")).unwrap_or_default();
    format!(
        "You are invited to `{organization}` at Pagefold, where its sites are built and shown.\n\n\
         To join, open this link. It is good once, until {until} UTC:\n\n{url}\n\n\
         If you do not know why you get this, do nothing.\n"
    )
}
