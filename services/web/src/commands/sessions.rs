//! Whose sessions somebody looks after: their own, at whichever door they stand.

use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::{Caller, Who};
use crate::problem::Problem;
use events::authority::Command;

/// Who is signed in by the sessions that are the caller's. A token of a person reaches those of the person if it has all of their
/// authority: one for less would learn where they sign in, and end it.
pub(crate) async fn holder_of_sessions(app: &Shared, caller: &Caller) -> Result<Who, Problem> {
    match (&caller.who, caller.holder.user) {
        (Who::Token(_), Some(user)) => {
            permit(app, caller, Command::ChangeIdentities, About::Own).await?;
            Ok(Who::User(user))
        }
        (who, _) => Ok(who.clone()),
    }
}
