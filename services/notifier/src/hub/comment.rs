//! The comment on a pull request: one for each site, written anew whenever there is something else to show.

use super::{Author, Repository};
use crate::news::News;
use github::Failed;
use http::Method;
use serde_json::{Value, json};

/// Pages of comments that are looked through for ours.
const PAGES: u32 = 10;
const PAGE: usize = 100;

/// Makes the comment on a pull request say what there is to show.
pub(super) async fn keep(repository: &Repository<'_>, author: &Author, pull: u64, news: &News) -> Result<(), Failed> {
    let (method, path) = match ours(repository, author, pull, news).await? {
        Some(comment) => (Method::PATCH, format!("/issues/comments/{comment}")),
        None => (Method::POST, format!("/issues/{pull}/comments")),
    };
    repository.tell(method, &path, json!({ "body": text(news) })).await.map(drop)
}

/// The comment that was written before, known by its author and a mark that readers do not see.
async fn ours(repository: &Repository<'_>, author: &Author, pull: u64, news: &News) -> Result<Option<u64>, Failed> {
    let mark = mark(news);
    for page in 1..=PAGES {
        let path = format!("/issues/{pull}/comments?per_page={PAGE}&page={page}");
        let found = repository.get(&path).await?;
        let comments = found.as_array().map_or(&[][..], Vec::as_slice);
        let is_ours = |comment: &&Value| {
            author.wrote(comment) && comment["body"].as_str().is_some_and(|body| body.starts_with(&mark))
        };
        if let Some(comment) = comments.iter().find(is_ours) {
            return Ok(comment["id"].as_u64());
        }
        if comments.len() < PAGE {
            break;
        }
    }
    Ok(None)
}

fn mark(news: &News) -> String {
    format!("<!-- pagefold {} -->", news.site.id)
}

fn text(news: &News) -> String {
    let commit = news.build.as_ref().and_then(|build| build.commit.as_ref());
    let commit = commit.map(|commit| format!(" at {}", commit.short())).unwrap_or_default();
    let what = news.shown().map_or_else(|| quoted(&news.sentence), ToOwned::to_owned);
    let mut lines = vec![mark(news), format!("**{}**{commit}: {what}", news.site.name)];
    lines.extend(news.url.as_ref().map(|url| format!("\n[How it was built]({url})")));
    lines.join("\n")
}

/// What others may have written, as text and nothing else.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace(char::is_control, " "))
}
