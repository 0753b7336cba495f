//! The log up to a point in it, and what of that cannot be read.

use crate::print::Print;
use crate::progress::Progress;
use anyhow::{Result, anyhow};
use events::Recorded;
use futures::StreamExt;
use runtime::{Log, codec};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::str::FromStr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Up to and with this sequence.
    Sequence(u64),
    /// Up to and with this moment.
    Time(OffsetDateTime),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequence(sequence) => sequence.fmt(f),
            Self::Time(time) => f.write_str(&time.format(&Rfc3339).unwrap_or_default()),
        }
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(sequence) = text.parse() {
            return Ok(Self::Sequence(sequence));
        }
        let time = OffsetDateTime::parse(text, &Rfc3339);
        time.map(Self::Time).map_err(|_| format!("`{text}` is neither a sequence nor an RFC 3339 time"))
    }
}

/// Facts that this version cannot read: any of them may be about what is asked for.
#[derive(Debug, Default)]
pub(crate) struct Unread(BTreeMap<String, Vec<u64>>);

/// Facts of one kind that are named one by one.
const NAMED_MAX: usize = 10;

impl Unread {
    fn note(&mut self, sequence: u64, error: &codec::Error) {
        let why = match error.unknown_type() {
            Some(type_name) => format!("`{type_name}`, of a newer version"),
            None => error.to_string(),
        };
        self.0.entry(why).or_default().push(sequence);
    }

    /// A line for each kind.
    fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(why, sequences)| {
            let named: Vec<String> = sequences.iter().take(NAMED_MAX).map(ToString::to_string).collect();
            let more = match sequences.len().saturating_sub(NAMED_MAX) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("  {why}: fact {}{more}", named.join(", "))
        })
    }

    /// Prints what cannot be read after what was `found`, or says it with why nothing was.
    pub(crate) fn told_after(&self, found: Result<()>, print: Print, out: &mut (dyn Write + Send)) -> Result<()> {
        let lines: Vec<String> = self.lines().collect();
        if lines.is_empty() {
            return found;
        }
        let told = format!("facts that may be about it and that this version cannot read:\n{}", lines.join("\n"));
        found.map_err(|error| anyhow!("{error:#}; {told}"))?;
        match print {
            Print::People => writeln!(out, "{told}")?,
            Print::Programs => complain(&told),
        }
        Ok(())
    }
}

/// What is no part of what was asked for, beside it.
#[expect(clippy::print_stderr, reason = "a program reads the standard output")]
fn complain(told: &str) {
    eprintln!("{told}");
}

/// Reads the log from its start up to `at`, or to its end, and gives every fact to `take`; answers what cannot be read.
pub(crate) async fn read(log: &Log, at: Option<At>, mut take: impl FnMut(Recorded)) -> Result<Unread> {
    let end = log.last_sequence().await?;
    let (mut entries, mut position) = (log.follow(0), 0);
    let (mut unread, mut within, progress) = (Unread::default(), true, Progress::new("facts"));
    while position < end {
        let Some(entry) = entries.next().await else { break };
        position = entry.sequence;
        progress.at(position, end);
        // What cannot be read has no time: it stands where the one before it stands.
        within = match (at, &entry.fact) {
            (None, _) => true,
            (Some(At::Sequence(last)), _) => entry.sequence <= last,
            (Some(At::Time(last)), Ok(recorded)) => recorded.envelope.time <= last,
            (Some(At::Time(_)), Err(_)) => within,
        };
        match entry.fact {
            Ok(recorded) if within => take(recorded),
            Err(error) if within => unread.note(entry.sequence, &error),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(unread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::events::DecodeError;

    #[test]
    fn facts_that_cannot_be_read_are_said_by_kind() {
        let mut unread = Unread::default();
        for sequence in 3..16 {
            unread.note(sequence, &codec::Error::Payload(DecodeError::UnknownType("site.moved.v1".to_owned())));
        }
        unread.note(20, &codec::Error::Absent);
        let lines: Vec<String> = unread.lines().collect();
        assert_eq!(lines[0], "  `site.moved.v1`, of a newer version: fact 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 3 more");
        assert_eq!(lines[1], "  the log has nothing here: fact 20");
    }
}
