//! Facts that are in the log, newest first: the log is read backwards, a stretch at a time, until there are enough.

use super::Printer;
use crate::progress::Progress;
use anyhow::Result;
use clap::Args;
use futures::StreamExt;
use runtime::{Entry, Log, clock};
use std::str::FromStr;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// Entries that are read at once: the first stretch, and the longest. Whoever asks for the newest few waits for no more.
const STRETCH: u64 = 500;
const STRETCH_MAX: u64 = 10_000;

/// Which part of the log, and how much of it.
#[derive(Debug, Clone, Args)]
pub struct Range {
    /// Only facts since then: a time such as 2026-03-04T05:06:07Z, or how long ago: `90s`, `15m`, `6h`, `2d`, `1w`
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Only facts after this sequence
    #[arg(long, default_value_t = 0, value_name = "SEQUENCE")]
    pub after: u64,
    /// Only facts before this sequence: to read on where a list ended
    #[arg(long, value_name = "SEQUENCE")]
    pub before: Option<u64>,
    /// Print at most so many
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}

impl Range {
    /// The moment from which on facts are asked for.
    #[must_use]
    pub fn since(&self) -> Option<OffsetDateTime> {
        self.since.map(|Since(since)| since)
    }
}

/// A moment from which on facts are asked for.
#[derive(Debug, Clone, Copy)]
struct Since(OffsetDateTime);

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
            return Ok(Self(time));
        }
        let unknown = || format!("`{text}` is neither an RFC 3339 time nor a duration such as `15m`");
        let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(unknown)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            "w" => 7 * 24 * 60 * 60,
            _ => return Err(unknown()),
        };
        let number: i64 = number.parse().ok().filter(|number| *number >= 0).ok_or_else(unknown)?;
        let ago = number.checked_mul(seconds).map(Duration::seconds).ok_or_else(unknown)?;
        clock::now().checked_sub(ago).map(Self).ok_or_else(unknown)
    }
}

/// What a list came to.
struct Listed {
    printed: usize,
    /// The oldest entry that was looked at.
    oldest: u64,
    looked_at: u64,
    /// Whether everything that was asked for was looked at.
    is_whole: bool,
}

/// Prints what is asked for, and says on the standard error what was left out.
pub(super) async fn newest_first(log: &Log, range: &Range, mut printer: Printer<'_>) -> Result<()> {
    let end = log.last_sequence().await?;
    let newest = range.before.map_or(end, |before| before.saturating_sub(1).min(end));
    let listed = read(log, range, newest, &mut printer).await?;
    printer.out.flush()?;
    tell(range, &listed, end.saturating_sub(newest));
    Ok(())
}

async fn read(log: &Log, range: &Range, newest: u64, printer: &mut Printer<'_>) -> Result<Listed> {
    let (mut upper, mut length, progress) = (newest, STRETCH, Progress::new("facts"));
    let mut listed = Listed { printed: 0, oldest: newest + 1, looked_at: 0, is_whole: true };
    while upper > range.after {
        let lower = upper.saturating_sub(length).max(range.after);
        for entry in stretch(log, lower, upper).await?.iter().rev() {
            if range.since.is_some_and(|Since(since)| is_before(entry, since)) {
                return Ok(listed);
            }
            if printer.takes(entry) {
                if listed.printed == range.limit {
                    return Ok(Listed { is_whole: false, ..listed });
                }
                progress.clear();
                printer.print(entry).await?;
                listed.printed += 1;
            }
            (listed.oldest, listed.looked_at) = (entry.sequence, listed.looked_at + 1);
        }
        progress.at(newest - lower, newest - range.after);
        (upper, length) = (lower, (length * 2).min(STRETCH_MAX));
    }
    Ok(listed)
}

/// The entries after `lower` up to and with `upper`, oldest first.
async fn stretch(log: &Log, lower: u64, upper: u64) -> Result<Vec<Entry>> {
    let (mut entries, mut found) = (log.follow(lower), Vec::new());
    while let Some(entry) = entries.next().await {
        let is_last = entry.sequence >= upper;
        found.push(entry);
        if is_last {
            break;
        }
    }
    Ok(found)
}

fn is_before(entry: &Entry, since: OffsetDateTime) -> bool {
    entry.fact.as_ref().is_ok_and(|recorded| recorded.envelope.time < since)
}

#[expect(clippy::print_stderr, reason = "what was left out is for people, and no part of the list")]
fn tell(range: &Range, listed: &Listed, newer: u64) {
    let Listed { printed, oldest, looked_at, is_whole } = listed;
    if newer > 0 && range.before.is_some() {
        eprintln!("left out: {newer} newer facts");
    }
    let unfit = looked_at - (*printed as u64);
    if unfit > 0 {
        eprintln!("left out: {unfit} facts of other kinds among the {looked_at} that were looked at");
    }
    if !is_whole {
        eprintln!("left out: older facts, from {} on (--before {oldest} lists them, --limit more at once)", oldest - 1);
    } else if range.since.is_some() || range.after > 0 {
        eprintln!("left out: {} facts that are older than was asked for", oldest - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::Since;

    #[test]
    fn since_is_a_moment_or_how_long_ago() {
        let Since(moment) = "2026-03-04T05:06:07Z".parse().unwrap();
        assert_eq!(moment, time::macros::datetime!(2026-03-04 05:06:07 UTC));
        let ([minute, week], now) = (["1m", "1w"].map(|text| text.parse::<Since>().unwrap().0), runtime::clock::now());
        assert!((now - minute).whole_seconds().abs_diff(60) < 10 && (now - week).whole_days() == 7);
        for wrong in ["", "m", "5", "5y", "-5m", "yesterday", "9223372036854775807w", "é"] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong}");
        }
    }
}
