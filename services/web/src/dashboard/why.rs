//! Who is behind a deploy, and why it was made.

use super::super::people::{self, Names};
use crate::app::App;
use events::Actor;
use events::event::Author;
use maud::{Markup, html};
use projections::builds::TriggerKind;
use projections::deploys::{DeployRow, Why};

/// The person of this installation who wrote a commit.
pub(super) fn person(author: &Author) -> Option<Actor> {
    if let Author::Person(id) = author { Some(Actor::user(*id)) } else { None }
}

/// Who wrote a commit, for people.
pub(super) fn written_by(author: &Author, names: &Names) -> String {
    match author {
        Author::Name(name) => name.clone(),
        Author::Person(id) => names.of(&Actor::user(*id)),
    }
}

/// What those are called whom `deploys` and others tell of.
pub(super) async fn names(app: &App, deploys: &[DeployRow], others: Vec<Actor>) -> Names {
    let told = deploys.iter().filter_map(|deploy| deploy.why.as_ref()).flat_map(|why| {
        let author = why.author.as_ref().and_then(person);
        why.requested_by.clone().map(Actor).into_iter().chain(author)
    });
    let actors: Vec<Actor> = told.chain(others).collect();
    people::actors(app, actors.iter()).await
}

/// Who wrote what a deploy shows; who asked for it if that is not known.
pub(super) fn who(why: &Why, names: &Names) -> Option<String> {
    let author = why.author.as_ref().map(|author| written_by(author, names));
    author.or_else(|| why.requested_by.as_ref().map(|actor| names.of(&Actor(actor.clone()))))
}

/// What a deploy is about, and what began it.
pub(super) fn why(why: &Why, names: &Names) -> Markup {
    let asked = why.requested_by.as_ref().map(|actor| names.of(&Actor(actor.clone())));
    html! {
        (why.summary) " "
        span.faint { @match why.trigger {
            Some(TriggerKind::Push) => "pushed",
            Some(TriggerKind::PullRequest) => "pull request",
            Some(TriggerKind::Schedule) => "scheduled",
            Some(TriggerKind::Request) => { "asked for" @if let Some(asked) = asked { " by " (asked) } },
            None => {}
        } }
    }
}
