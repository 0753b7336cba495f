//! Links that sign somebody in once: how the first person comes in, and whoever lost every other way.

use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::{Caller, Who};
use crate::problem::Problem;
use events::authority::Command;
use events::{Digest, Refusal, User, UserId, user};
use runtime::clock;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long a link is good, unless it is used.
const GOOD_FOR: Duration = Duration::hours(1);

#[derive(Serialize, Deserialize)]
struct Link {
    who: Who,
    expires_s: i64,
}

/// A link that was made: the only time that it can be read.
pub(crate) struct SignInLink {
    pub(crate) url: String,
    pub(crate) expires_at: OffsetDateTime,
}

/// A link that signs in a person, or whoever asks for it.
pub(crate) async fn create_link(app: &Shared, user: Option<UserId>, caller: Caller) -> Result<SignInLink, Problem> {
    let about = if user.is_none() || user == caller.holder.user { About::Own } else { About::Platform };
    permit(app, &caller, Command::CreateSignInLink, about).await?;
    let who = match user {
        Some(user) if matches!(app.log.load::<User>(&user.to_string()).await?.state, User::Active(_)) => {
            Who::User(user)
        }
        Some(_) => return Err(Refusal::UserNotFound.into()),
        None => caller.who.clone(),
    };
    let asked = serde_json::to_string(&who).map_err(|error| Problem::Internal(error.into()))?;
    // With a key of the request it is the same link each time, and is made once: what was used is not there again.
    let id = caller.new_id(format_args!("sign-in-link/{asked}"));
    let secret = if caller.has_key() {
        hex::encode(app.key.derive("sign-in link v1", id.as_bytes()))
    } else {
        format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
    };
    let mut link = Link { who, expires_s: (clock::now() + GOOD_FOR).unix_timestamp() };
    let written = serde_json::to_vec(&link).map_err(|error| Problem::Internal(error.into()))?;
    if !app.links.create(&key(&secret), written).await? {
        let made = app.links.read(&key(&secret)).await?;
        link = made.and_then(|record| serde_json::from_slice(&record.value).ok()).ok_or(Problem::LinkOver)?;
    }
    let expires_at = OffsetDateTime::from_unix_timestamp(link.expires_s).unwrap_or_else(|_| clock::now());
    Ok(SignInLink { url: format!("{}/sign-in/{secret}", app.web_url), expires_at })
}

/// Whom a link signs in; nobody a second time.
pub(crate) async fn follow_link(app: &Shared, secret: &str) -> Result<Option<Who>, Problem> {
    let Some(written) = app.links.take(&key(secret)).await? else { return Ok(None) };
    let Ok(Link { who, expires_s }) = serde_json::from_slice(&written) else { return Ok(None) };
    if clock::now().unix_timestamp() >= expires_s || app.caller(who.clone()).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(who))
}

/// Tells that a person began a session, in the history that auditors read.
pub(crate) async fn told(app: &Shared, who: &Who) -> Result<(), Problem> {
    let Who::User(id) = who else { return Ok(()) };
    let cause = events::Cause::new(events::Actor::user(*id));
    super::execute::ask::<User>(app, &id.to_string(), &user::Command::SignIn, &cause).await
}

/// What a link is kept under.
fn key(secret: &str) -> String {
    format!("link.{}", Digest::of(secret.as_bytes()))
}
