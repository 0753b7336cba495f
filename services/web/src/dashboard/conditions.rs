//! What the timeline and the audit may be narrowed to: who, what and when.

use crate::problem::Problem;
use maud::{Markup, html};
use projections::timeline::About;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// The conditions as a browser sends them; an empty one is none.
pub(super) struct Conditions<'a> {
    pub(super) actor: &'a str,
    pub(super) kind: &'a str,
    pub(super) since: &'a str,
    pub(super) until: &'a str,
}

impl<'a> Conditions<'a> {
    pub(super) fn about(&self) -> Result<About, Problem> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let (since, until) = (day(self.since)?, day(self.until)?);
        Ok(About { actor: given(self.actor), kind: given(self.kind), since, until })
    }

    /// The same in an address.
    pub(super) fn pairs(&self) -> [(&'static str, &'a str); 4] {
        let Self { actor, kind, since, until } = *self;
        [("actor", actor.trim()), ("kind", kind.trim()), ("since", since.trim()), ("until", until.trim())]
    }

    pub(super) fn fields(&self) -> Markup {
        html! {
            label for="actor" { "Who" }
            input #actor name="actor" value=(self.actor) placeholder="token:operator";
            label for="kind" { "What" }
            input #kind name="kind" value=(self.kind) placeholder="site.deleted";
            label for="since" { "From" }
            input #since name="since" type="date" value=(self.since);
            label for="until" { "Before" }
            input #until name="until" type="date" value=(self.until);
        }
    }
}

/// A moment as programs write it.
pub(super) fn written(time: Option<OffsetDateTime>) -> String {
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

/// A day as a browser sends it begins at midnight UTC; a whole moment is taken as it is.
fn day(text: &str) -> Result<Option<OffsetDateTime>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(Some(time));
    }
    let date = Date::parse(text, format_description!("[year]-[month]-[day]"));
    let invalid = |_| Problem::InvalidInput("a day is written as year-month-day".to_owned());
    Ok(Some(date.map_err(invalid)?.midnight().assume_utc()))
}

#[cfg(test)]
mod tests {
    use super::{day, written};

    #[test]
    fn a_day_begins_at_midnight_and_a_moment_is_itself() {
        for (text, expected) in
            [("2026-11-22", "2026-11-22T00:00:00Z"), (" 2026-11-22T10:00:00Z ", "2026-11-22T10:00:00Z"), ("", "")]
        {
            assert_eq!(written(day(text).unwrap()), expected);
        }
        assert!(day("yesterday").is_err());
    }
}
