//! What people do with their sites from a command line: over the API, as whoever they signed in as.

use crate::access::Access;
use crate::api::Api;
use crate::credentials;
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::io::Write;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Remember a platform and a token of yours for the commands below; the token is read from the standard input
    Login {
        /// The address of the dashboard, such as https://pagefold.example
        url: String,
    },
    /// Forget them
    Logout,
    /// List the sites
    Sites {
        #[command(flatten)]
        with: With,
    },
    /// List the newest builds of a site
    Builds {
        /// Its name or its id
        site: String,
        #[command(flatten)]
        with: With,
    },
    /// Build a branch of a site, its live one if none is named
    Build {
        /// Its name or its id
        site: String,
        /// The branch
        #[arg(long)]
        branch: Option<String>,
        #[command(flatten)]
        with: With,
    },
    /// Build the same commit once more, by the site's settings of today
    Retry {
        /// The id of the build
        build: String,
        #[command(flatten)]
        with: With,
    },
    /// Print the log of a build, or of a site's newest one
    Logs {
        /// The id of a build, or the name of a site
        of: String,
        /// Until the build has ended; then the exit code says how: 0 for success, 1 otherwise
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
        with: With,
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

/// How a list is printed.
#[derive(Debug, clap::Args)]
pub(crate) struct With {
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    access: Access,
}

pub(crate) async fn run(command: Command) -> Result<()> {
    match command {
        Command::Login { url } => login(url).await?,
        Command::Logout => credentials::forget()?,
        Command::Sites { with } => {
            let sites = with.api()?.all("/sites").await?;
            with.print(&sites, &["name", "organization", "branch", "url"])?;
        }
        Command::Builds { site, with } => {
            let builds = with.api()?.get(&format!("/sites/{site}/builds")).await?;
            with.print(items(&builds), &["number", "state", "branch", "created_at", "id", "summary"])?;
        }
        Command::Build { site, branch, with } => {
            let build = with.api()?.post(&format!("/sites/{site}/builds"), json!({ "branch": branch })).await?;
            with.print(&[build], &["id", "state", "branch"])?;
        }
        Command::Retry { build, with } => {
            let build = with.api()?.post(&format!("/builds/{build}/retry"), json!({})).await?;
            with.print(&[build], &["id", "state", "branch"])?;
        }
        Command::Logs { of, follow, access } => logs(&access.api()?, &of, follow).await?,
        Command::Deploys { site, with } => {
            let deploys = with.api()?.get(&format!("/sites/{site}/deploys")).await?;
            with.print(items(&deploys), &["id", "number", "branch", "created_at", "files", "url"])?;
        }
        Command::Promote { site, deploy, alias, access } => {
            point(&access.api()?, &site, &alias, json!({ "deploy": deploy })).await?;
        }
        Command::Rollback { site, alias, access } => rollback(&access.api()?, &site, &alias).await?,
        Command::Open { site, access } => {
            let site = access.api()?.get(&format!("/sites/{site}")).await?;
            say(site["url"].as_str().unwrap_or_default())?;
        }
    }
    Ok(())
}

async fn login(url: String) -> Result<()> {
    let mut token = String::new();
    std::io::stdin().read_line(&mut token).context("cannot read the token")?;
    let token = SecretString::from(token.trim());
    let me = Api::new(&url, token.clone()).get("/me").await?;
    credentials::keep(&url, &token)?;
    say(&format!("signed in to {url} as {}", me["name"].as_str().unwrap_or("somebody without a name")))
}

/// What the alias showed before what it shows, if it still shows that when the request arrives.
async fn rollback(api: &Api, site: &str, alias: &str) -> Result<()> {
    let aliases = api.all(&format!("/sites/{site}/aliases")).await?;
    let shown = aliases.iter().find(|shown| shown["alias"] == alias);
    let Some(shown) = shown else { bail!("`{alias}` of {site} shows nothing") };
    let Some(previous) = shown["previous"].as_str() else { bail!("`{alias}` of {site} showed nothing before") };
    point(api, site, alias, json!({ "deploy": previous, "expected": shown["deploy"] })).await
}

async fn point(api: &Api, site: &str, alias: &str, target: Value) -> Result<()> {
    let pointed = api.put(&format!("/sites/{site}/aliases/{alias}"), target).await?;
    let text = |name: &str| pointed[name].as_str().unwrap_or_default().to_owned();
    say(&format!("{alias} shows deploy {} of build {}: {}", text("deploy"), pointed["number"], text("url")))
}

async fn logs(api: &Api, of: &str, follow: bool) -> Result<()> {
    let build = if of.parse::<uuid::Uuid>().is_ok() {
        of.to_owned()
    } else {
        let builds = api.get(&format!("/sites/{of}/builds?limit=1")).await?;
        let newest = items(&builds).first().and_then(|build| build["id"].as_str().map(str::to_owned));
        newest.with_context(|| format!("{of} was never built"))?
    };
    let query = if follow { "?follow=1" } else { "" };
    api.copy(&format!("/builds/{build}/log{query}"), &mut std::io::stdout()).await?;
    if follow {
        let ended = api.get(&format!("/builds/{build}")).await?;
        if ended["state"] != "success" {
            bail!("the build ended as {}: {}", cell(&ended["state"]), cell(&ended["reason"]));
        }
    }
    Ok(())
}

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().map_or(&[], Vec::as_slice)
}

impl With {
    pub(crate) fn api(&self) -> Result<Api> {
        self.access.api()
    }

    /// A line for each row, its columns as wide as they have to be.
    pub(crate) fn print(&self, rows: &[Value], columns: &[&str]) -> Result<()> {
        if self.json {
            return say(&serde_json::to_string_pretty(rows)?);
        }
        let cells: Vec<Vec<String>> =
            rows.iter().map(|row| columns.iter().map(|name| cell(&row[name])).collect()).collect();
        let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        for row in &cells {
            let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            say(padded.join("  ").trim_end())?;
        }
        Ok(())
    }
}

fn cell(value: &Value) -> String {
    if value.is_null() {
        return "–".to_owned();
    }
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
