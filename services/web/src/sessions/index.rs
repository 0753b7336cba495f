//! Which sessions somebody has: a record for each person beside those of the sessions, so that they can be listed and ended.

use super::SESSION_S;
use crate::caller::Who;
use crate::problem::Problem;
use runtime::records::{Record, Records};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Sessions that one person's list has; the oldest are not listed, and end by themselves.
const LISTED_MAX: usize = 50;
/// How often a change is made anew when others change the list at the same time.
const ROUNDS_MAX: usize = 8;

/// A session in somebody's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    /// What it is kept under.
    pub(super) key: String,
    pub(super) begun_s: i64,
}

/// What somebody's list is kept under.
fn key(who: &Who) -> String {
    let who = serde_json::to_vec(who).unwrap_or_default();
    format!("of.{}", hex::encode(Sha256::digest(who)))
}

/// The sessions of somebody, as far as they are remembered; some may be over.
pub(super) async fn read(kept: &Records, who: &Who) -> Result<Vec<Listed>, Problem> {
    let record = kept.read(&key(who)).await?;
    Ok(record.and_then(|record| serde_json::from_slice(&record.value).ok()).unwrap_or_default())
}

/// Adds a session, or keeps the list as fresh as the session is that is in it.
pub(super) async fn note(kept: &Records, who: &Who, session: &Listed) -> Result<(), Problem> {
    let key = key(who);
    for _ in 0..ROUNDS_MAX {
        let record = kept.read(&key).await?;
        let listed = record.as_ref().and_then(|record| serde_json::from_slice(&record.value).ok()).unwrap_or_default();
        let value = serde_json::to_vec(&with(listed, session)).map_err(|error| Problem::Internal(error.into()))?;
        let written = match record {
            Some(Record { revision, .. }) => kept.replace(&key, Record { value, revision }).await?,
            None => kept.create(&key, value).await?,
        };
        if written {
            return Ok(());
        }
    }
    // Whoever begins so many at once has them all; one may not be listed.
    Ok(())
}

/// The list with a session, without what is over by its age.
fn with(mut listed: Vec<Listed>, session: &Listed) -> Vec<Listed> {
    listed.retain(|known| known.key != session.key && known.begun_s + SESSION_S > session.begun_s);
    listed.push(session.clone());
    let surplus = listed.len().saturating_sub(LISTED_MAX);
    listed.split_off(surplus)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: i64) -> Listed {
        Listed { key: number.to_string(), begun_s: number }
    }

    #[test]
    fn a_list_is_bounded_and_forgets_what_is_over() {
        let list = (0..2 * LISTED_MAX as i64).fold(Vec::new(), |list, number| with(list, &session(number)));
        assert_eq!((list.len(), list.first()), (LISTED_MAX, Some(&session(LISTED_MAX as i64))));
        assert_eq!(with(list.clone(), &session(60)).len(), LISTED_MAX, "one that is there is there once");
        assert_eq!(with(list, &session(SESSION_S + 200)), [session(SESSION_S + 200)]);
    }
}
