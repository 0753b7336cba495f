//! The check of a build: one run, which begins when the build is queued and says in the end how it came out and where that is seen.

use super::comment::quoted;
use super::repository::Repository;
use crate::news::{Build, News};
use events::CommitId;
use events::receiver::Occasion;
use github::Failed;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

/// Longest title, in characters.
const TITLE_MAX: usize = 200;

/// Makes the check of a build say what there is to say. An app that was installed before it wanted to write checks may not, and
/// what it can say by the state of the commit is said.
pub(super) async fn keep(repository: &Repository<'_>, app: u64, commit: &CommitId, news: &News) -> Result<(), Failed> {
    let (Some(build), Some(state)) = (&news.build, State::of(news.occasion)) else { return Ok(()) };
    let told = async {
        let known = known(repository, app, commit, build, news).await?;
        // What a check has said last stays said: a build does not begin again after its end.
        if known.as_ref().is_some_and(|run| run["status"] == "completed") && state.conclusion.is_none() {
            return Ok(());
        }
        let (method, path) = match known.and_then(|run| run["id"].as_u64()) {
            Some(id) => (Method::PATCH, format!("/check-runs/{id}")),
            None => (Method::POST, "/check-runs".to_owned()),
        };
        repository.tell(method, &path, run(&state, commit, build, news)).await.map(drop)
    };
    match told.await {
        Err(Failed::Answered(StatusCode::FORBIDDEN)) => {
            tracing::warn!(repository = repository.url, "the app of GitHub may not write checks there");
            Ok(())
        }
        told => told,
    }
}

/// What GitHub calls how far a build is.
struct State {
    status: &'static str,
    conclusion: Option<&'static str>,
}

impl State {
    fn of(occasion: Occasion) -> Option<Self> {
        let completed = |conclusion| Self { status: "completed", conclusion: Some(conclusion) };
        Some(match occasion {
            Occasion::BuildQueued => Self { status: "queued", conclusion: None },
            Occasion::BuildStarted => Self { status: "in_progress", conclusion: None },
            Occasion::BuildSucceeded | Occasion::Promoted => completed("success"),
            Occasion::BuildFailed => completed("failure"),
            Occasion::BuildCanceled => completed("cancelled"),
            Occasion::Removed | Occasion::Locked | Occasion::Unlocked | Occasion::Test => return None,
        })
    }
}

/// The run that was begun for the build before.
async fn known(
    repository: &Repository<'_>,
    app: u64,
    commit: &CommitId,
    build: &Build,
    news: &News,
) -> Result<Option<Value>, Failed> {
    let path = format!("/commits/{commit}/check-runs?filter=all&per_page=100&app_id={app}&check_name={}", name(news));
    let found = repository.get(&path).await?;
    let id = build.id.to_string();
    let is_ours = |run: &&Value| run["app"]["id"].as_u64() == Some(app) && run["external_id"] == id.as_str();
    Ok(found["check_runs"].as_array().and_then(|runs| runs.iter().find(is_ours)).cloned())
}

/// As the state of the commit is called too; it needs no escapes in an address.
fn name(news: &News) -> String {
    format!("pagefold/{}", news.site.name)
}

fn run(state: &State, commit: &CommitId, build: &Build, news: &News) -> Value {
    let title: String = news.sentence.chars().take(TITLE_MAX).collect();
    let mut run = json!({
        "name": name(news),
        "head_sha": commit,
        "external_id": build.id,
        "status": state.status,
        "output": { "title": title, "summary": summary(build, news) },
    });
    if let Some(url) = &news.url {
        run["details_url"] = json!(url);
    }
    if let Some(conclusion) = state.conclusion {
        run["conclusion"] = json!(conclusion);
        run["completed_at"] = json!(news.time.format(&Rfc3339).unwrap_or_default());
    }
    run
}

/// What happened with its reason, what helps, where it is seen, and how long it took.
fn summary(build: &Build, news: &News) -> String {
    let mut lines = vec![quoted(&news.sentence)];
    lines.extend(build.hint.as_deref().map(|hint| format!("What usually helps: {}", quoted(hint))));
    lines.extend(news.shown().map(|shown| format!("It is shown at {shown}")));
    lines.extend(build.duration_ms.map(|duration| format!("It took {:.1} seconds.", duration as f64 / 1000.0)));
    lines.extend(news.url.as_ref().map(|url| format!("[How it was built]({url})")));
    lines.join("\n\n")
}
