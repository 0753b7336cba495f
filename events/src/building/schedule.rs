//! Builds at set times: the lines of cron by which a branch is built anew without a push.

use crate::Branch;
use crate::ids::{Invalid, text};
use croner::Cron as Pattern;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::{self, TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use time::OffsetDateTime;

/// Schedules of one site at most.
pub const SCHEDULES_MAX: usize = 10;
/// Longest line of cron in bytes.
pub const CRON_MAX: usize = 100;
/// The zone of a schedule that names none.
const UTC: &str = "UTC";
/// Fields of a line of cron.
const CRON_FIELDS: usize = 5;

/// When a branch is built without a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The branch, at its tip of that moment.
    pub branch: Branch,
    /// When.
    pub cron: Cron,
    /// The clock that is meant.
    #[serde(default, skip_serializing_if = "Zone::is_utc")]
    pub time_zone: Zone,
}

/// A line of cron as POSIX has it, of five fields: minute, hour, day of the month, month, day of the week. Names of months and
/// days, lists, ranges, steps, `L`, `W`, `#` and `@daily` and the like are understood as by the Open Cron Pattern
/// Specification. At most [`CRON_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("minLength" = 1, "maxLength" = 100))]
pub struct Cron(String);

/// A time zone by its name in the IANA database, such as `Europe/London`; `UTC` by default.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("minLength" = 1, "maxLength" = 64))]
pub struct Zone(String);

text!(Cron, Zone);

impl Schedule {
    /// The first moment after `time` that it names; none if there is none in sight. A time that the clocks leave out is taken
    /// when they have gone on; one that they pass twice counts once.
    #[must_use]
    pub fn next_after(&self, time: OffsetDateTime) -> Option<OffsetDateTime> {
        let now = Timestamp::from_second(time.unix_timestamp()).ok()?.to_zoned(zone(&self.time_zone.0)?);
        let next = pattern(&self.cron.0).ok()?.find_next_occurrence(&now, false).ok()?;
        OffsetDateTime::from_unix_timestamp(next.timestamp().as_second()).ok()
    }

    /// Itself in a few words.
    #[must_use]
    pub fn told(&self) -> String {
        let Self { branch, cron, time_zone } = self;
        format!("`{branch}` is built at `{cron}` ({time_zone})")
    }
}

impl fmt::Display for Schedule {
    /// As people write it on a line: the branch, the line of cron, and the zone if it is not UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { branch, cron, time_zone } = self;
        write!(f, "{branch} {cron}")?;
        if time_zone.is_utc() { Ok(()) } else { write!(f, " {time_zone}") }
    }
}

impl FromStr for Schedule {
    type Err = Invalid;

    fn from_str(line: &str) -> Result<Self, Invalid> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((branch, rest)) = words.split_first() else {
            return Err(Invalid("a schedule is a branch and a line of cron".to_owned()));
        };
        let fields = if rest.first().is_some_and(|first| first.starts_with('@')) { 1 } else { CRON_FIELDS };
        let (cron, zone) = rest.split_at_checked(fields).unwrap_or((rest, &[]));
        let time_zone = match zone {
            [] => Zone::default(),
            [zone] => zone.parse()?,
            _ => return Err(Invalid(format!("`{}` has more than a time zone behind it", line.escape_debug()))),
        };
        Ok(Self { branch: branch.parse()?, cron: cron.join(" ").parse()?, time_zone })
    }
}

impl Zone {
    /// Whether it is the one that is meant where none is named.
    #[must_use]
    pub fn is_utc(&self) -> bool {
        self.0 == UTC
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(UTC.to_owned())
    }
}

impl TryFrom<String> for Cron {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let shown = text.escape_debug();
        if text.len() > CRON_MAX {
            return Err(Invalid(format!("a line of cron is longer than {CRON_MAX} bytes")));
        }
        let why = |error| Invalid(format!("`{shown}` is no line of cron: {error}"));
        let pattern = pattern(&text).map_err(why)?;
        // Any moment does: what never comes in years does not come.
        let since = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        let never = |_| Invalid(format!("`{shown}` is no line of cron: such a moment never comes"));
        pattern.find_next_occurrence(&since, false).map_err(never)?;
        Ok(Self(text))
    }
}

impl TryFrom<String> for Zone {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let found = zone(&text).ok_or_else(|| Invalid(format!("`{}` is no time zone", text.escape_debug())))?;
        Ok(Self(found.iana_name().unwrap_or(UTC).to_owned()))
    }
}

fn pattern(line: &str) -> Result<Pattern, croner::errors::CronError> {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build().parse(line)
}

/// The zone from the database that the executable brings: the same answer on every machine.
fn zone(name: &str) -> Option<TimeZone> {
    tz::db().get(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::format_description::well_known::Rfc3339;

    fn at(moment: &str) -> OffsetDateTime {
        OffsetDateTime::parse(moment, &Rfc3339).unwrap()
    }

    fn next(cron: &str, zone: &str, after: &str) -> String {
        let schedule =
            Schedule { branch: "main".parse().unwrap(), cron: cron.parse().unwrap(), time_zone: zone.parse().unwrap() };
        schedule.next_after(at(after)).map_or_else(String::new, |next| next.format(&Rfc3339).unwrap())
    }

    #[test]
    fn the_next_moment_is_the_first_after_the_given_one() {
        for (cron, after, expected) in [
            ("* * * * *", "2026-03-01T12:00:00Z", "2026-03-01T12:01:00Z"),
            ("* * * * *", "2026-03-01T12:00:59.9Z", "2026-03-01T12:01:00Z"),
            ("0 6 * * *", "2026-03-01T06:00:00Z", "2026-03-02T06:00:00Z"),
            ("0 6 * * MON", "2026-03-01T06:00:00Z", "2026-03-02T06:00:00Z"),
            ("0 0 L * *", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z"),
            ("0 0 29 2 *", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("@daily", "2026-03-01T06:00:00Z", "2026-03-02T00:00:00Z"),
        ] {
            assert_eq!(next(cron, "UTC", after), expected, "{cron} after {after}");
        }
    }

    #[test]
    fn the_clock_of_its_zone_is_meant_whatever_the_season() {
        for (after, expected) in
            [("2026-01-10T12:00:00Z", "2026-01-11T06:00:00Z"), ("2026-07-10T12:00:00Z", "2026-07-11T05:00:00Z")]
        {
            assert_eq!(next("0 6 * * *", "Europe/London", after), expected);
        }
        // In the night of 29 March 2026 the clocks of London leave out the hour from one to two.
        assert_eq!(next("30 1 * * *", "Europe/London", "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
        // In that of 25 October they pass it twice.
        assert_eq!(next("30 1 * * *", "Europe/London", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
    }

    #[test]
    fn what_is_no_line_of_cron_or_no_zone_is_refused() {
        for line in ["", "61 * * * *", "* * * *", "* * * * * *", "0 0 31 2 *", "every day", "* * * * * * 2026"] {
            assert!(line.parse::<Cron>().is_err(), "{line}");
        }
        assert!("0 ".repeat(60).parse::<Cron>().unwrap_err().to_string().contains("longer than 100"));
        for zone in ["", "Mars/Base", "+02:00"] {
            assert!(zone.parse::<Zone>().is_err(), "{zone}");
        }
        assert_eq!(
            "main 0 6 * * * Europe/London".parse::<Schedule>().unwrap().to_string(),
            "main 0 6 * * * Europe/London"
        );
        assert_eq!("main  @daily UTC".parse::<Schedule>().unwrap().to_string(), "main @daily");
        for line in ["", "main", "main 0 6 * *", "main 0 6 * * * UTC UTC", "a..b @daily"] {
            assert!(line.parse::<Schedule>().is_err(), "{line}");
        }
        assert_eq!(" 0  6 *\t* * ".parse::<Cron>().unwrap().to_string(), "0 6 * * *");
    }
}
