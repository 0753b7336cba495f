//! What people do with their sites from a command line: over the API, as whoever they signed in as.

use crate::access::Access;
use crate::api::{Api, query};
use crate::course;
use crate::credentials;
use crate::exit::Why;
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use ctl::Print;
use ctl::print::cell;
use secrecy::SecretString;
use serde_json::{Value, json};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Remember a platform and a token of yours for the commands below; the token is read from the standard input
    Login {
        /// The address of the dashboard, such as https://pagefold.example
        url: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget them
    Logout,
    /// List the sites
    Sites {
        /// Only those that have it in their names or their repositories' addresses
        #[arg(long)]
        search: Option<String>,
        #[command(flatten)]
        access: Access,
    },
    /// List the newest builds of a site
    Builds {
        /// Its name or its id
        site: String,
        #[command(flatten)]
        access: Access,
    },
    /// Print how a build went: where it stands and why, its steps, and what it took
    Show {
        /// The id of the build
        build: String,
        #[command(flatten)]
        access: Access,
    },
    /// Build a branch of a site, its live one if none is named
    Build {
        /// Its name or its id
        site: String,
        /// The branch
        #[arg(long)]
        branch: Option<String>,
        #[command(flatten)]
        access: Access,
    },
    /// Build the same commit once more, by the site's settings of today
    Retry {
        /// The id of the build
        build: String,
        /// Throw away what builds of the site have kept for later ones, such as packages
        #[arg(long)]
        clear_cache: bool,
        #[command(flatten)]
        access: Access,
    },
    /// Print the log of a build, or of a site's newest one
    Logs {
        /// The id of a build, or the name of a site
        of: String,
        /// Until the build has ended; then the exit code says how: 0 for success, 3 otherwise
        #[arg(long, short)]
        follow: bool,
        #[command(flatten)]
        access: Access,
    },
    /// List the newest deploys of a site
    Deploys {
        /// Its name or its id
        site: String,
        #[command(flatten)]
        access: Access,
    },
    /// Print the rules of what is live, and which lines of its files of rules are not used
    Rules {
        /// The name or the id of the site
        site: String,
        #[command(flatten)]
        access: Access,
    },
    /// Print why readers of an address are answered as they are: the push, the build, the deploy, the promotion and the rule
    Explain {
        /// The address, such as https://docs.example.org/page
        url: String,
        #[command(flatten)]
        access: Access,
    },
    /// Have every edge ask the store again for what it keeps of pages
    Purge {
        /// A host, such as docs.example.org, or the name of a site for all its hosts
        of: String,
        /// The path of one page; all pages if absent
        path: Option<String>,
        #[command(flatten)]
        access: Access,
    },
    /// Show a deploy as `live`, or as another alias
    Promote {
        /// The name or the id of the site
        site: String,
        /// The deploy
        deploy: String,
        /// `live`, `demo` or `preview/<branch>`
        #[arg(long, default_value = "live")]
        alias: String,
        #[command(flatten)]
        access: Access,
    },
    /// Take the preview of a branch down, until the branch is pushed to again
    TakeDown {
        /// The name or the id of the site
        site: String,
        /// The branch
        branch: String,
        #[command(flatten)]
        access: Access,
    },
    /// Show what an alias showed before
    Rollback {
        /// The name or the id of the site
        site: String,
        /// `live`, `demo` or `preview/<branch>`
        #[arg(long, default_value = "live")]
        alias: String,
        #[command(flatten)]
        access: Access,
    },
    /// Print where a site is read
    Open {
        /// The name or the id of the site
        site: String,
        #[command(flatten)]
        access: Access,
    },
}

pub(crate) async fn run(command: Command) -> Result<()> {
    match command {
        Command::Login { url, json } => login(&url, Print::of(json)).await,
        Command::Logout => credentials::forget(),
        Command::Sites { search, access } => {
            let sites =
                access.api()?.all(&query("/sites", &[("search", search.as_deref().unwrap_or_default())])).await?;
            access.print().list(&sites, &["name", "organization", "branch", "url"])
        }
        Command::Builds { site, access } => {
            let builds = access.api()?.get(&format!("/sites/{site}/builds")).await?;
            access.print().list(items(&builds), &["number", "state", "branch", "created_at", "id", "summary"])
        }
        Command::Rules { site, access } => {
            let rules = access.api()?.get(&format!("/sites/{site}/rules")).await?;
            access.print().one(&rules, &crate::rules::told(&rules))
        }
        Command::Explain { url, access } => {
            let explained = access.api()?.get(&query("/explain", &[("url", &url)])).await?;
            access.print().one(&explained, &crate::explain::told(&explained))
        }
        Command::Purge { of, path, access } => {
            let whose = if of.contains('.') { "host" } else { "site" };
            let purged = access.api()?.post("/purge", json!({ whose: of, "path": path })).await?;
            let count = purged["sites"].as_array().map_or(0, Vec::len);
            access.print().one(&purged, &format!("purged what {count} site(s) show there"))
        }
        Command::Show { build, access } => {
            let build = access.api()?.get(&format!("/builds/{build}")).await?;
            access.print().one(&build, &course::told(&build))
        }
        Command::Build { site, branch, access } => {
            let build = access.api()?.post(&format!("/sites/{site}/builds"), json!({ "branch": branch })).await?;
            asked(&access, &build)
        }
        Command::Retry { build, clear_cache, access } => {
            let how = json!({ "clear_cache": clear_cache });
            let build = access.api()?.post(&format!("/builds/{build}/retry"), how).await?;
            asked(&access, &build)
        }
        Command::Logs { of, follow, access } => logs(&access, &of, follow).await,
        Command::Deploys { site, access } => {
            let deploys = access.api()?.get(&format!("/sites/{site}/deploys")).await?;
            access.print().list(items(&deploys), &["id", "number", "branch", "created_at", "files", "url"])
        }
        Command::Promote { site, deploy, alias, access } => {
            point(&access, &site, &alias, json!({ "deploy": deploy })).await
        }
        Command::TakeDown { site, branch, access } => {
            access.api()?.delete(&format!("/sites/{site}/aliases/preview/{branch}")).await?;
            access.print().one(&json!({ "branch": branch }), &format!("the preview of {branch} is taken down"))
        }
        Command::Rollback { site, alias, access } => rollback(&access, &site, &alias).await,
        Command::Open { site, access } => {
            let site = access.api()?.get(&format!("/sites/{site}")).await?;
            access.print().one(&json!({ "url": site["url"] }), site["url"].as_str().unwrap_or_default())
        }
    }
}

/// Tells of a build that was asked for.
fn asked(access: &Access, build: &Value) -> Result<()> {
    access.print().one(build, &["id", "state", "branch"].map(|name| cell(&build[name])).join("  "))
}

async fn login(url: &str, print: Print) -> Result<()> {
    let mut token = String::new();
    std::io::stdin().read_line(&mut token).context("cannot read the token")?;
    let token = SecretString::from(token.trim());
    let me = Api::new(url, token.clone()).get("/me").await?;
    credentials::keep(url, &token)?;
    let name = me["name"].as_str().unwrap_or("somebody without a name");
    print.one(&json!({ "url": url, "name": me["name"] }), &format!("signed in to {url} as {name}"))
}

/// What the alias showed before what it shows, if it still shows that when the request arrives.
async fn rollback(access: &Access, site: &str, alias: &str) -> Result<()> {
    let aliases = access.api()?.all(&format!("/sites/{site}/aliases")).await?;
    let shown = aliases.iter().find(|shown| shown["alias"] == alias);
    let Some(shown) = shown else { bail!("`{alias}` of {site} shows nothing") };
    let Some(previous) = shown["previous"].as_str() else { bail!("`{alias}` of {site} showed nothing before") };
    point(access, site, alias, json!({ "deploy": previous, "expected": shown["deploy"] })).await
}

async fn point(access: &Access, site: &str, alias: &str, target: Value) -> Result<()> {
    let pointed = access.api()?.put(&format!("/sites/{site}/aliases/{alias}"), target).await?;
    let text = |name: &str| pointed[name].as_str().unwrap_or_default().to_owned();
    let told = format!("{alias} shows deploy {} of build {}: {}", text("deploy"), pointed["number"], text("url"));
    access.print().one(&pointed, &told)
}

async fn logs(access: &Access, of: &str, follow: bool) -> Result<()> {
    let api = access.api()?;
    let build = if of.parse::<uuid::Uuid>().is_ok() {
        of.to_owned()
    } else {
        let builds = api.get(&format!("/sites/{of}/builds?limit=1")).await?;
        let newest = items(&builds).first().and_then(|build| build["id"].as_str().map(str::to_owned));
        newest.with_context(|| format!("{of} was never built"))?
    };
    let path = format!("/builds/{build}/log{}", if follow { "?follow=1" } else { "" });
    match access.print() {
        Print::People => api.copy(&path, &mut std::io::stdout()).await?,
        Print::Programs => {
            let mut text = Vec::new();
            api.copy(&path, &mut text).await?;
            let build = api.get(&format!("/builds/{build}")).await?;
            let told = json!({ "build": build, "log": String::from_utf8_lossy(&text) });
            Print::Programs.one(&told, "")?;
        }
    }
    if follow { succeeded(&api.get(&format!("/builds/{build}")).await?) } else { Ok(()) }
}

/// Whether a build that has ended made its pages.
fn succeeded(build: &Value) -> Result<()> {
    if build["state"] == "success" {
        return Ok(());
    }
    let why = format!("the build ended as {}: {}", cell(&build["state"]), cell(&build["reason"]));
    Err(Why::Unsuccessful(why).into())
}

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().map_or(&[], Vec::as_slice)
}
