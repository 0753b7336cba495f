//! `pagefold events` for whoever signed in: the same history by the API, as far as they may know it.

use crate::access::Access;
use crate::api::{Api, query};
use anyhow::{Context, Result, bail};
use ctl::events::{Command, Filter, Range};
use ctl::print::cell;
use ctl::render::{Format, line};
use serde_json::Value;
use std::io::Write;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Facts that are asked for at once.
const PART: u32 = 500;

pub(crate) async fn run(access: &Access, command: Command) -> Result<()> {
    let (api, programs) = (access.api()?, access.print() == ctl::Print::Programs);
    let wanted = |format| if programs { Format::Json } else { format };
    match command {
        Command::List { filter, range, format } => list(&api, &filter, &range, wanted(format)).await,
        Command::Show { fact, .. } => {
            let sequence: u64 = fact.parse().context("by the API a fact is found by its sequence")?;
            print(&whole(&api, sequence).await?)
        }
        Command::Tail { .. } => {
            bail!(
                "to watch the log takes the operator's access to it (--data or --nats-url); `events list` reads it by the API"
            )
        }
    }
}

/// Prints what is asked for, newest first, and says on the standard error if there is more.
async fn list(api: &Api, filter: &Filter, range: &Range, format: Format) -> Result<()> {
    let since = range.since().map(|since| since.format(&Rfc3339)).transpose()?.unwrap_or_default();
    // More than one kind is chosen here.
    let kind = filter.types.first().filter(|_| filter.types.len() == 1).map_or("", String::as_str);
    let (mut before, limit) = (range.before.map(|before| before.to_string()).unwrap_or_default(), PART.to_string());
    let mut printed = 0;
    loop {
        let site = filter.site.as_deref().unwrap_or_default();
        let asked = [("site", site), ("type", kind), ("since", &since), ("after", &before), ("limit", &limit)];
        let part = api.get(&query("/audit", &asked)).await?;
        for entry in part["items"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let sequence = entry["sequence"].as_u64().unwrap_or_default();
            if sequence <= range.after {
                return Ok(());
            }
            if !takes(filter, entry) {
                continue;
            }
            if printed == range.limit {
                left_out(sequence);
                return Ok(());
            }
            let told = if format == Format::Json { whole(api, sequence).await? } else { told(entry)? };
            print(&told)?;
            printed += 1;
        }
        match part["next"].as_str() {
            Some(next) => next.clone_into(&mut before),
            None => return Ok(()),
        }
    }
}

fn takes(filter: &Filter, entry: &Value) -> bool {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let (aggregate, subject) = text("subject").split_once('/').unwrap_or_default();
    filter.is_about(aggregate, subject)
        && filter.is_of_type(text("type"))
        && text("correlation").parse().is_ok_and(|story| filter.is_of_story(story))
}

fn told(entry: &Value) -> Result<String> {
    let time = OffsetDateTime::parse(entry["time"].as_str().unwrap_or_default(), &Rfc3339)?;
    let site = entry["site"].as_str().map(|site| format!("{site}: ")).unwrap_or_default();
    let sentence = format!("{site}{}", cell(&entry["sentence"]));
    Ok(line(
        entry["sequence"].as_u64().unwrap_or_default(),
        time,
        entry["type"].as_str().unwrap_or_default(),
        &sentence,
    ))
}

/// A fact as a CloudEvent on one line.
async fn whole(api: &Api, sequence: u64) -> Result<String> {
    Ok(api.get(&format!("/events/{sequence}")).await?.to_string())
}

fn print(told: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{told}")?)
}

#[expect(clippy::print_stderr, reason = "what was left out is for people, and no part of the list")]
fn left_out(newest: u64) {
    eprintln!("left out: older facts, from {newest} on (--before {} lists them, --limit more at once)", newest + 1);
}
