//! Which variables the builds of a site are given. Their values are not here.

use crate::Error;
use crate::copy::{Rows, Table, variant};
use crate::model::{self, Model, page};
use crate::table::{Keys, Row};
use events::{Actor, Event, Recorded, SiteEvent, SiteId, VariableName};
use serde::Deserialize;
use time::OffsetDateTime;

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct VariableRow {
    /// Whose builds have it.
    pub site: SiteId,
    /// What it is called.
    pub name: VariableName,
    /// Which builds have it, separated by spaces.
    pub contexts: String,
    /// When it was set last.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// Who set it last.
    pub updated_by: Actor,
}

/// Which variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    site: SiteId,
    name: VariableName,
}

impl Row for VariableRow {
    const TABLE: Table =
        Table { name: "variables", columns: &["site", "name", "contexts", "updated_at", "updated_by"] };
    const KEY: &'static [&'static str] = &["site", "name"];
    type Key = Key;

    fn key(&self) -> Key {
        Key { site: self.site, name: self.name.clone() }
    }

    fn columns(keys: &[&Key]) -> Vec<Keys> {
        let names = keys.iter().map(|key| key.name.to_string()).collect();
        vec![Keys::Uuids(keys.iter().map(|key| key.site.0).collect()), Keys::Texts(names)]
    }

    fn touched(recorded: &Recorded) -> Result<Option<Key>, Error> {
        let Event::Site(SiteEvent::VariableSet { name, .. } | SiteEvent::VariableRemoved { name }) = &recorded.event
        else {
            return Ok(None);
        };
        let subject = &recorded.envelope.subject;
        let named = subject.parse().map_err(|_| Error::Subject { aggregate: "site", subject: subject.clone() });
        Ok(Some(Key { site: named?, name: name.clone() }))
    }

    fn fold(_: Option<Self>, recorded: &Recorded) -> Option<Self> {
        let Event::Site(SiteEvent::VariableSet { name, contexts, .. }) = &recorded.event else { return None };
        Some(Self {
            site: recorded.envelope.subject.parse().ok()?,
            name: name.clone(),
            contexts: contexts.iter().map(variant).collect::<Vec<_>>().join(" "),
            updated_at: recorded.envelope.time,
            updated_by: recorded.envelope.actor.clone(),
        })
    }

    fn write(&self, rows: &mut Rows) {
        rows.row().put(&self.site).put(&self.name).put(&self.contexts).put(&self.updated_at).put(&self.updated_by);
    }
}

impl Model {
    /// The variables of a site by name: those after the name `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`] if Postgres cannot be asked.
    pub async fn variables(&self, site: SiteId, limit: u32, after: Option<&str>) -> Result<Vec<VariableRow>, Error> {
        let text = r#"SELECT to_json(row) FROM @.variables row
            WHERE site = $1 AND name COLLATE "C" > $2 ORDER BY name COLLATE "C" LIMIT $3"#;
        let query: model::Rows<'_, VariableRow> = sqlx::query_scalar(self.sql(text));
        self.all("read variables", query.bind(site.0).bind(after.unwrap_or_default()).bind(page(limit))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Story;
    use events::{Context, Sealed};

    #[test]
    fn a_variable_is_set_again_and_removed() {
        let mut story = Story::default();
        let value = Sealed::of(&[0; 40]);
        let name: VariableName = "API_KEY".parse().unwrap();
        let mut set = |contexts: &[Context]| {
            let (name, contexts) = (name.clone(), contexts.iter().copied().collect());
            story.site("docs", SiteEvent::VariableSet { name, value: value.clone(), contexts })
        };
        let (first, second) = (set(&[Context::Live]), set(&[Context::Preview, Context::Demo]));
        let removed = story.site("docs", SiteEvent::VariableRemoved { name });
        let row = [first.clone(), second.clone()].iter().fold(None, VariableRow::fold).unwrap();
        assert_eq!((row.contexts.as_str(), row.updated_at), ("demo preview", second.envelope.time));
        assert_eq!([first, second, removed].iter().fold(None, VariableRow::fold), None);
    }
}
