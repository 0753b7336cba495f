//! `pagefold routes`: where paths of hosts lead, over the API.

use crate::access::Access;
use crate::api::{Api, query};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Routes of one import, which are added together: the platform takes no more.
const PART: usize = 500;

/// What to do with routes.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List them by host and path
    List {
        /// Only those of this host
        #[arg(long)]
        host: Option<String>,
        /// Only those of hosts of this site
        #[arg(long)]
        site: Option<String>,
    },
    /// Lead a path of a host somewhere
    Add(Add),
    /// Take a route away
    Remove {
        /// Its id
        id: String,
        /// Leave a redirect there, to this path or address
        #[arg(long, value_name = "TO", conflicts_with = "gone")]
        redirect: Option<String>,
        /// Leave the news that it is gone for good
        #[arg(long)]
        gone: bool,
    },
    /// Add the routes of a table in CSV: what is there already is passed over, and nothing is added if a line is wrong
    Import {
        /// The table; its first line names the columns host,path,kind,action,site,to,status,segments,page,backend
        file: PathBuf,
        /// Only tell what would come of it
        #[arg(long)]
        dry_run: bool,
    },
}

/// A route.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The host
    host: String,
    /// The path
    path: String,
    /// It is of all below the path too, by whole segments
    #[arg(long)]
    prefix: bool,
    #[command(flatten)]
    action: Action,
    /// How a redirect is told: 301, 302, 307 or 308
    #[arg(long, requires = "redirect")]
    status: Option<u16>,
    /// Whether the rest of the path and the query go on behind a redirect: `preserve` or `ignore`
    #[arg(long, requires = "redirect")]
    segments: Option<String>,
    /// Page that says that it is gone, a path of the site whose host it is
    #[arg(long, requires = "gone", value_name = "PATH")]
    page: Option<String>,
}

/// Where it leads.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Action {
    /// To this path or address
    #[arg(long, value_name = "TO")]
    redirect: Option<String>,
    /// Nowhere, for good
    #[arg(long)]
    gone: bool,
    /// To the live pages of this site
    #[arg(long)]
    site: Option<String>,
    /// To this server, such as https://api.example.org
    #[arg(long)]
    backend: Option<String>,
}

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let api = access.api()?;
    match command {
        Command::List { host, site } => {
            let asked = [("host", host.as_deref().unwrap_or_default()), ("site", site.as_deref().unwrap_or_default())];
            let routes = api.all(&query("/routes", &asked)).await?;
            access.print().list(&routes, &["id", "host", "path", "kind", "action", "to", "status", "site", "backend"])
        }
        Command::Add(add) => {
            let added = api.post("/routes", add.body()).await?;
            let text = |field: &str| added[field].as_str().unwrap_or_default().to_owned();
            let told = format!("{}{} has route {}", text("host"), text("path"), text("id"));
            access.print().one(&added, &told)
        }
        Command::Remove { id, redirect, gone } => {
            let leave = match (redirect, gone) {
                (Some(to), _) => json!({ "leave": { "redirect": to } }),
                (None, true) => json!({ "leave": "gone" }),
                (None, false) => json!({}),
            };
            api.delete_with(&format!("/routes/{id}"), leave).await?;
            access.print().one(&json!({ "id": id }), &format!("route {id} is taken away"))
        }
        Command::Import { file, dry_run } => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            import(access, &api, &text, dry_run).await
        }
    }
}

/// All of it is tried before any of it is done; then part after part is added, each whole or not at all.
async fn import(access: &Access, api: &Api, text: &str, dry_run: bool) -> Result<()> {
    let (parts, mut errors, mut sum) = (parts(text)?, Vec::new(), [0, 0]);
    for (first, part) in &parts {
        let told = api.post_csv("/routes/import?dry_run=true", part.clone()).await?;
        for (sum, field) in sum.iter_mut().zip(["added", "unchanged"]) {
            *sum += told[field].as_u64().unwrap_or_default();
        }
        for error in told["errors"].as_array().into_iter().flatten() {
            let line = first + error["line"].as_u64().unwrap_or_default();
            errors.push(json!({ "line": line, "message": error["message"] }));
        }
    }
    let [added, unchanged] = sum;
    let told = json!({ "dry_run": dry_run, "added": added, "unchanged": unchanged, "errors": errors });
    if !errors.is_empty() {
        let lines: Vec<String> = errors
            .iter()
            .map(|error| format!("line {}: {}", error["line"], error["message"].as_str().unwrap_or_default()))
            .collect();
        access.print().one(&told, &lines.join("\n"))?;
        bail!("nothing was added, since {} lines cannot be routes", errors.len());
    }
    if !dry_run {
        for (_, part) in parts {
            api.post_csv("/routes/import", part).await?;
        }
    }
    let words = if dry_run { "routes would be added" } else { "routes added" };
    access.print().one(&told, &format!("{added} {words}, {unchanged} are so already"))
}

/// The table in parts that are imported one by one, each with the names of the columns, and how many lines its numbers are
/// behind those of the table.
fn parts(text: &str) -> Result<Vec<(u64, String)>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = reader.records();
    let Some(columns) = records.next() else { bail!("the table is empty") };
    let columns = columns?;
    let records: Vec<csv::StringRecord> = records.collect::<Result<_, _>>()?;
    let part = |records: &[csv::StringRecord]| {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        for record in std::iter::once(&columns).chain(records) {
            writer.write_record(record)?;
        }
        let line = records.first().and_then(|record| record.position()).map_or(2, csv::Position::line);
        Ok((line - 2, String::from_utf8(writer.into_inner()?)?))
    };
    if records.is_empty() { Ok(vec![part(&[])?]) } else { records.chunks(PART).map(part).collect() }
}

impl Add {
    fn body(self) -> Value {
        let Self { host, path, prefix, action, status, segments, page } = self;
        let Action { redirect, gone: _, site, backend } = action;
        let name = match (&redirect, &site, &backend) {
            (Some(_), _, _) => "redirect",
            (None, Some(_), _) => "site",
            (None, None, Some(_)) => "backend",
            (None, None, None) => "gone",
        };
        let kind = if prefix { "prefix" } else { "exact" };
        let mut body =
            Map::from_iter([("host", host), ("path", path)].map(|(name, text)| (name.to_owned(), json!(text))));
        body.extend([("kind", kind), ("action", name)].map(|(name, text)| (name.to_owned(), json!(text))));
        let texts = [("to", redirect), ("site", site), ("backend", backend), ("segments", segments), ("page", page)];
        body.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))));
        body.extend(status.map(|status| ("status".to_owned(), json!(status))));
        Value::Object(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_table_goes_in_parts_whose_lines_are_found_again() {
        let line = |number: usize| format!("a.example,/{number},exact,gone\n");
        let text = format!("host,path,kind,action\n{}", (0..PART + 2).map(line).collect::<String>());
        let parts = parts(&text).unwrap();
        let [(0, first), (500, second)] = &parts[..] else { panic!("{parts:?}") };
        assert_eq!((first.lines().count(), second.lines().count()), (PART + 1, 3));
        assert_eq!(second.lines().nth(1), Some("a.example,/500,exact,gone"));
        assert!(second.starts_with("host,path,kind,action\n"));
        assert!(super::parts("").is_err());
    }
}
