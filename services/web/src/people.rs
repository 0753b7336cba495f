//! What people are called, for those who may know.

use crate::app::App;
use crate::problem::Problem;
use events::{Actor, Sealed, UserId, envelope::Who};
use futures::{StreamExt, TryStreamExt, stream};
use projections::users::UserRow;
use runtime::Owner;
use std::collections::{BTreeSet, HashMap};

/// Keys that are asked for at once.
const READERS: usize = 16;
/// What is shown of somebody who was forgotten.
pub(crate) const ERASED: &str = "erased";
/// Who has a token that is part of the configuration.
const OPERATOR: &str = "operator";

/// What is known of a person; nothing once they are forgotten.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
}

/// A person as they may be shown.
pub(crate) async fn named(app: &App, id: UserId) -> Result<Known, Problem> {
    match app.model.user(id).await? {
        Some(row) => shown(app, &row).await,
        None => Ok(Known::default()),
    }
}

async fn shown(app: &App, row: &UserRow) -> Result<Known, Problem> {
    if row.erased_at.is_some() {
        return Ok(Known::default());
    }
    let Some(key) = app.vault.key(Owner::Person(row.id)).await? else { return Ok(Known::default()) };
    Ok(Known { name: key.open(&row.name), email: key.open(&row.email) })
}

/// Several people, each once.
pub(crate) async fn all(app: &App, ids: &BTreeSet<UserId>) -> Result<HashMap<UserId, Known>, Problem> {
    let rows = app.model.users_with(&Vec::from_iter(ids.iter().copied())).await?;
    let reading = stream::iter(rows).map(async |row| Ok::<_, Problem>((row.id, shown(app, &row).await?)));
    reading.buffer_unordered(READERS).try_collect().await
}

/// What is sealed for somebody; nothing once they are forgotten.
pub(crate) async fn sealed(app: &App, id: UserId, text: &Sealed) -> Result<Option<String>, Problem> {
    Ok(app.vault.key(Owner::Person(id)).await?.and_then(|key| key.open(text)))
}

/// What actors are called on pages: people by their names, others as the log knows them.
pub(crate) async fn actors<'a>(app: &App, actors: impl Iterator<Item = &'a Actor>) -> Names {
    let ids: BTreeSet<UserId> = actors.filter_map(person).collect();
    if ids.is_empty() {
        return Names::default();
    }
    // A page is shown without names rather than not at all.
    Names(all(app, &ids).await.unwrap_or_default())
}

/// The names of the people among some actors.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<UserId, Known>);

impl Names {
    /// What a person is called, or that they were forgotten; nothing of somebody who was invited and has not come yet.
    pub(crate) fn known(&self, id: UserId) -> Option<String> {
        self.0.get(&id).map(|known| known.name.clone().unwrap_or_else(|| ERASED.to_owned()))
    }

    pub(crate) fn of(&self, actor: &Actor) -> String {
        match (person(actor), actor.who()) {
            (Some(id), _) => self.known(id).unwrap_or_else(|| actor.to_string()),
            (None, Who::Token(_)) => {
                actor.0.split_once('/').map_or_else(|| actor.to_string(), |(name, _)| name.to_owned())
            }
            (None, Who::Operator(OPERATOR)) => OPERATOR.to_owned(),
            (None, Who::Operator(name)) => format!("{name} ({OPERATOR})"),
            (None, Who::Service(name)) => format!("the {name}"),
            (None, Who::Webhook(host)) => format!("a webhook of {host}"),
            (None, Who::User(_) | Who::Unknown) => actor.to_string(),
        }
    }
}

fn person(actor: &Actor) -> Option<UserId> {
    if let Who::User(id) = actor.who() { Some(id) } else { None }
}
