//! The repositories that somebody may push to, and the webhooks of one.

use crate::api::{Api, Failed, Place};
use http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

/// Repositories of one answer.
const PAGE: usize = 100;
/// Answers that are looked through for a name.
const SEARCHED: u32 = 10;
/// Repositories that a search finds at most.
const FOUND_MAX: usize = 100;
/// Answers that are looked through for a webhook of ours.
const HOOK_PAGES: u32 = 3;

/// A repository that somebody may push to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Whose it is and what it is called: `acme/docs`.
    pub name: String,
    /// Where it is cloned from.
    pub url: String,
    /// The branch that a clone shows.
    pub branch: String,
}

/// Some of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Those that were pushed to last come first.
    pub repositories: Vec<Repository>,
    /// The page with more; there is none if absent.
    pub next: Option<u32>,
}

/// Where a repository shall tell of pushes, and by what it signs that.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Where.
    pub url: String,
    /// By what.
    pub secret: SecretString,
}

/// The public repositories that may be pushed to: one page of them, or those that have a text in their names.
///
/// # Errors
/// [`Failed`] if GitHub does not tell.
pub async fn pushable(api: Api<'_>, server: &str, search: &str, page: u32) -> Result<Found, Failed> {
    let search = search.trim().to_lowercase();
    if search.is_empty() {
        let (repositories, is_last) = listed(api, server, page).await?;
        return Ok(Found { repositories, next: (!is_last).then_some(page + 1) });
    }
    let mut found = Found::default();
    for page in 1..=SEARCHED {
        let (repositories, is_last) = listed(api, server, page).await?;
        found.repositories.extend(repositories.into_iter().filter(|known| known.name.to_lowercase().contains(&search)));
        if is_last || found.repositories.len() >= FOUND_MAX {
            break;
        }
    }
    found.repositories.truncate(FOUND_MAX);
    Ok(found)
}

async fn listed(api: Api<'_>, server: &str, page: u32) -> Result<(Vec<Repository>, bool), Failed> {
    let url = format!("{server}/user/repos?visibility=public&sort=pushed&per_page={PAGE}&page={page}");
    let answer = api.get(&url).await?;
    let rows = answer.as_array().map_or(&[][..], Vec::as_slice);
    let may_push = |row: &&Value| row["permissions"]["push"] == true && row["private"] != true;
    Ok((rows.iter().filter(may_push).filter_map(read).collect(), rows.len() < PAGE))
}

/// The repository at a place.
///
/// # Errors
/// [`Failed`] if there is none for whoever asks, or GitHub does not tell.
pub async fn look_up(api: Api<'_>, place: &Place) -> Result<Repository, Failed> {
    read(&api.get(&place.repository()).await?).ok_or_else(|| Failed::said("GitHub tells of no repository"))
}

fn read(row: &Value) -> Option<Repository> {
    let text = |field: &str| row[field].as_str().map(ToOwned::to_owned);
    Some(Repository { name: text("full_name")?, url: text("clone_url")?, branch: text("default_branch")? })
}

/// Makes a repository tell of pushes; one that does so already is told the secret anew.
///
/// # Errors
/// [`Failed`] if whoever asks may not, or GitHub does not say so.
pub async fn install(api: Api<'_>, place: &Place, hook: &Hook) -> Result<(), Failed> {
    let hooks = format!("{}/hooks", place.repository());
    let config = json!({
        "url": hook.url, "content_type": "json", "secret": hook.secret.expose_secret(), "insecure_ssl": "0",
    });
    let wanted = json!({ "name": "web", "active": true, "events": ["push", "pull_request"], "config": config });
    match known(api, &hooks, &hook.url).await? {
        Some(id) => api.tell(Method::PATCH, &format!("{hooks}/{id}"), wanted).await.map(drop),
        None => api.tell(Method::POST, &hooks, wanted).await.map(drop),
    }
}

async fn known(api: Api<'_>, hooks: &str, url: &str) -> Result<Option<u64>, Failed> {
    for page in 1..=HOOK_PAGES {
        let answer = api.get(&format!("{hooks}?per_page={PAGE}&page={page}")).await?;
        let rows = answer.as_array().map_or(&[][..], Vec::as_slice);
        if let Some(row) = rows.iter().find(|row| row["config"]["url"] == url) {
            return Ok(row["id"].as_u64());
        }
        if rows.len() < PAGE {
            break;
        }
    }
    Ok(None)
}
