//! `pagefold source`: the files of a site's own repository, without a clone.

use crate::access::Access;
use crate::api::{self, encoded};
use anyhow::{Context, Result};
use clap::Subcommand;
use ctl::Print;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the files of a branch, the live one if none is named
    List {
        /// The name or the id of the site
        site: String,
        /// The branch
        #[arg(long)]
        branch: Option<String>,
    },
    /// Print a text file
    Show {
        /// The name or the id of the site
        site: String,
        /// The path of the file
        path: String,
        /// The branch
        #[arg(long)]
        branch: Option<String>,
    },
    /// Commit what the standard input says as a text file
    Save {
        /// The name or the id of the site
        site: String,
        /// The path of the file
        path: String,
        /// The branch; one that is not there yet begins at the live one
        #[arg(long)]
        branch: String,
        /// Why
        #[arg(long)]
        message: Option<String>,
    },
    /// Bring a branch into the live one
    Publish {
        /// The name or the id of the site
        site: String,
        /// The branch
        branch: String,
    },
}

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let (api, print) = (access.api()?, access.print());
    match command {
        Command::List { site, branch } => {
            let source = api.get(&format!("/sites/{site}/source{}", query(branch.as_deref()))).await?;
            print.list(source["files"].as_array().map_or(&[], Vec::as_slice), &["path", "bytes"])
        }
        Command::Show { site, path, branch } => {
            let file = api.get(&format!("/sites/{site}/source/{}{}", encoded(&path), query(branch.as_deref()))).await?;
            if print == Print::Programs {
                return print.one(&file, "");
            }
            Ok(write!(std::io::stdout(), "{}", text(&file, "text"))?)
        }
        Command::Save { site, path, branch, message } => {
            let mut said = String::new();
            std::io::stdin().read_to_string(&mut said).context("the standard input is no text")?;
            let at = match api.get(&format!("/sites/{site}/source{}", query(Some(&branch)))).await {
                Ok(tip) => tip,
                Err(_) => api.get(&format!("/sites/{site}/source")).await?,
            };
            let change = json!({ "text": said, "branch": branch, "commit": at["commit"], "message": message });
            tell(print, &api.put(&format!("/sites/{site}/source/{}", encoded(&path)), change).await?)
        }
        Command::Publish { site, branch } => {
            let tip = api.get(&format!("/sites/{site}/source{}", query(Some(&branch)))).await?;
            let wanted = json!({ "branch": branch, "commit": tip["commit"] });
            tell(print, &api.post(&format!("/sites/{site}/publish"), wanted).await?)
        }
    }
}

fn tell(print: Print, tip: &Value) -> Result<()> {
    print.one(tip, &format!("{} is at {}", text(tip, "branch"), text(tip, "commit")))
}

fn query(branch: Option<&str>) -> String {
    api::query("", &[("branch", branch.unwrap_or_default())])
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
