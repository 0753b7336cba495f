//! GitHub: the state of a commit, a check of each build where we are an app, and one comment on each pull request that the commit
//! heads, kept up to date.

mod check;
mod comment;
mod repository;

use crate::news::News;
use crate::tried::{Tried, Why};
use dialer::Http;
use events::CommitId;
use events::receiver::Occasion;
use github::{Api, App, Failed, Place};
use http::Method;
use repository::{Author, Repository};
use serde_json::{Value, json};

/// Longest description of a state, in characters.
const DESCRIPTION_MAX: usize = 140;

/// Tells GitHub by a token, or by the installation's app where there is none.
pub(crate) async fn send(http: &Http, app: Option<&App>, address: &str, token: &str, news: &News) -> Tried {
    let Some(place) = Place::of(address) else {
        return Tried::Never(Why::said("its address is not that of a repository"));
    };
    let told = async {
        let (token, app) = if token.is_empty() {
            let app = app.filter(|app| app.serves(&place, news.site.organization_id));
            let app = app.ok_or_else(|| Failed::said("it has no token, and no app of GitHub may be used for it"))?;
            (app.token(http, &place).await?, Some(app))
        } else {
            (token.to_owned(), None)
        };
        let repository = Repository { api: Api { http, token: &token }, url: place.repository() };
        let author = app.map(|app| Author::App(app.id()));
        let told = told(&repository, author, news).await;
        if let (Some(app), Err(_)) = (app, &told) {
            app.forget(&place);
        }
        told
    };
    match told.await {
        Ok(()) => Tried::Arrived(Some(200)),
        Err(failed) => failed.into(),
    }
}

async fn told(repository: &Repository<'_>, author: Option<Author>, news: &News) -> Result<(), Failed> {
    if news.occasion == Occasion::Test {
        return repository.get("").await.map(drop);
    }
    // A build of a branch's tip has no commit before it has begun.
    let commit = news.build.as_ref().and_then(|build| build.commit.as_ref());
    let (Some(commit), Some(state)) = (commit, state(news.occasion)) else { return Ok(()) };
    repository.tell(Method::POST, &format!("/statuses/{commit}"), status(state, news)).await?;
    if let Some(Author::App(app)) = author {
        check::keep(repository, app, commit, news).await?;
    }
    match news.occasion {
        Occasion::Promoted | Occasion::BuildFailed => {
            let pulls = pulls(repository, commit).await?;
            if pulls.is_empty() {
                return Ok(());
            }
            let author = match author {
                Some(author) => author,
                None => repository.author().await?,
            };
            for pull in pulls {
                comment::keep(repository, &author, pull, news).await?;
            }
            Ok(())
        }
        Occasion::BuildQueued
        | Occasion::BuildStarted
        | Occasion::BuildSucceeded
        | Occasion::BuildCanceled
        | Occasion::Removed
        | Occasion::Locked
        | Occasion::Unlocked
        | Occasion::Test => Ok(()),
    }
}

/// What a commit is said to be; nothing where it is not about one.
const fn state(occasion: Occasion) -> Option<&'static str> {
    match occasion {
        Occasion::BuildQueued | Occasion::BuildStarted => Some("pending"),
        Occasion::BuildSucceeded | Occasion::Promoted => Some("success"),
        Occasion::BuildFailed => Some("failure"),
        Occasion::BuildCanceled => Some("error"),
        Occasion::Removed | Occasion::Locked | Occasion::Unlocked | Occasion::Test => None,
    }
}

fn status(state: &str, news: &News) -> Value {
    let description: String = news.sentence.chars().take(DESCRIPTION_MAX).collect();
    let target = news.shown().or(news.url.as_deref());
    json!({
        "state": state, "description": description, "target_url": target,
        "context": format!("pagefold/{}", news.site.name),
    })
}

/// The pull requests that are open and have this commit at their head.
async fn pulls(repository: &Repository<'_>, commit: &CommitId) -> Result<Vec<u64>, Failed> {
    let found = repository.get(&format!("/commits/{commit}/pulls")).await?;
    let is_headed = |pull: &&Value| pull["state"] == "open" && pull["head"]["sha"].as_str() == Some(commit.as_str());
    Ok(found.as_array().into_iter().flatten().filter(is_headed).filter_map(|pull| pull["number"].as_u64()).collect())
}
