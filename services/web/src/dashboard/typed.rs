//! What somebody typed into a form. A form that is refused is shown once more with all of it, and with what is said at the field
//! that is wrong: nobody types anything twice.

use super::failed::refused;
use super::layout::sentence;
use crate::problem::Problem;
use axum::response::Response;
use events::ids::Invalid;
use maud::{Markup, html};
use serde::Deserialize;
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::collections::BTreeMap;
use std::str::FromStr;

/// The fields of a form by their names, as a browser sends them and as a page shows them.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Typed {
    fields: BTreeMap<String, String>,
    #[serde(skip)]
    said: Option<Said>,
    /// What others have saved meanwhile, where it is not what was typed.
    #[serde(skip)]
    meanwhile: BTreeMap<String, String>,
}

/// Why a form was refused.
#[derive(Debug, Clone)]
struct Said {
    /// The field that it is about, if it is about one.
    field: Option<String>,
    message: String,
    code: &'static str,
}

/// A problem, and the field that it is about if it is about one.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) field: Option<String>,
    pub(super) problem: Problem,
}

impl From<Problem> for Wrong {
    fn from(problem: Problem) -> Self {
        Self { field: field_of(&problem).map(str::to_owned), problem }
    }
}

/// The field that a problem is about, in whichever form: our own messages begin with its name.
fn field_of(problem: &Problem) -> Option<&str> {
    if let Problem::InvalidInput(message) = problem {
        return message.strip_prefix('`')?.split_once('`').map(|(field, _)| field);
    }
    let (code, ..) = problem.kind();
    FIELDS.iter().find(|(of, _)| *of == code).map(|(_, field)| *field)
}

/// The field that problems with these codes are about.
const FIELDS: [(&str, &str); 13] = [
    ("body_too_large", "text"),
    ("branch_moved", "branch"),
    ("branch_not_found", "branch"),
    ("domain_reserved", "name"),
    ("domain_taken", "name"),
    ("no_text", "text"),
    ("organization_exists", "organization"),
    ("organization_full", "organization"),
    ("organization_not_found", "organization"),
    ("organization_suspended", "organization"),
    ("repository_not_allowed", "repository"),
    ("site_exists", "name"),
    ("site_name_retired", "name"),
];

impl Typed {
    pub(super) fn with(mut self, field: &str, value: impl ToString) -> Self {
        self.fields.insert(field.to_owned(), value.to_string());
        self
    }

    /// What is in a field, exactly.
    pub(super) fn text(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    /// What is in a field, unless that is nothing.
    pub(super) fn given(&self, field: &str) -> Option<&str> {
        Some(self.text(field).trim()).filter(|text| !text.is_empty())
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The field at this name as what it should be; none if it is empty.
    pub(super) fn read<T: FromStr<Err = Invalid>>(&self, field: &str) -> Result<Option<T>, Wrong> {
        self.given(field).map(|text| text.parse().map_err(|invalid: Invalid| wrong(field, invalid))).transpose()
    }

    /// The same of a field that asks for the default when it is empty, and for nothing when it is not there.
    pub(super) fn read_or_default<T: FromStr<Err = Invalid>>(&self, field: &str) -> Result<Option<Option<T>>, Wrong> {
        if self.has(field) { self.read(field).map(Some) } else { Ok(None) }
    }

    /// A field of which each line is an entry; nothing when it is not there.
    pub(super) fn lines<T: FromStr<Err = Invalid>>(&self, field: &str) -> Result<Option<Option<Vec<T>>>, Wrong> {
        let Some(text) = self.fields.get(field) else { return Ok(None) };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let entries = lines.map(str::parse).collect::<Result<_, Invalid>>();
        entries.map(|entries| Some(Some(entries))).map_err(|invalid| wrong(field, invalid))
    }

    /// A field that `read` knows how to read: the default when it is empty, nothing when it is not there.
    pub(super) fn read_with<T>(
        &self,
        field: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Option<T>>, Wrong> {
        let read = |text| read(text).map_err(|message| wrong(field, message));
        self.has(field).then(|| self.given(field).map(read).transpose()).transpose()
    }

    /// A field that is one of a few words; nothing when it is not there.
    pub(super) fn choice<T: DeserializeOwned>(&self, field: &str) -> Result<Option<T>, Wrong> {
        let Some(text) = self.fields.get(field) else { return Ok(None) };
        let word: StrDeserializer<'_, Error> = text.as_str().into_deserializer();
        T::deserialize(word).map(Some).map_err(|error| wrong(field, error))
    }

    /// The same with what is in fields that were not typed into.
    pub(super) fn beside(mut self, other: &Self) -> Self {
        for (field, value) in &other.fields {
            self.fields.entry(field.clone()).or_insert_with(|| value.clone());
        }
        self
    }

    /// Says at each field that says something else now what others have saved there.
    pub(super) fn noting(mut self, now: &Self) -> Self {
        let differs = |(field, value): &(&String, &String)| now.fields.get(*field).is_some_and(|now| !same(value, now));
        let changed = self.fields.iter().filter(differs).map(|(field, _)| (field.clone(), now.text(field).to_owned()));
        self.meanwhile = changed.collect();
        self
    }

    /// The form once more, and the status of what was refused.
    pub(super) fn again(mut self, wrong: &Wrong, page: impl FnOnce(&Self) -> Markup) -> Response {
        let (code, ..) = wrong.problem.kind();
        let field = wrong.field.clone().filter(|field| self.has(field));
        self.said = Some(Said { field, message: sentence(&wrong.problem.to_string()), code });
        refused(&wrong.problem, page(&self))
    }

    /// What is said above the form.
    pub(super) fn refusal(&self) -> Markup {
        html! {
            @if let Some(Said { field, message, code }) = &self.said {
                p.notice role="alert" {
                    "Nothing is saved yet. "
                    @match field { Some(field) => a href={ "#" (id(field)) } { (message) }, None => (message) }
                    " " code { (code) }
                }
            }
        }
    }

    /// What is said below a field.
    pub(super) fn said(&self, field: &str) -> Markup {
        let error = self.said.as_ref().filter(|said| said.field.as_deref() == Some(field));
        let meanwhile = self.meanwhile.get(field);
        html! {
            @if error.is_some() || meanwhile.is_some() {
                small.wrong id={ (id(field)) "-error" } {
                    @if let Some(said) = error { (said.message) " " }
                    @if let Some(now) = meanwhile {
                        @if now.is_empty() { "Emptied meanwhile." } @else { "Saved meanwhile: " code { (now) } }
                    }
                }
            }
        }
    }

    /// Whether a field is what a form was refused for, as browsers are told.
    pub(super) fn invalid(&self, field: &str) -> Option<&'static str> {
        self.said.as_ref().filter(|said| said.field.as_deref() == Some(field)).map(|_| "true")
    }

    /// What explains a field: what is said below it, and its help if it has one.
    pub(super) fn described(&self, field: &str, help: Option<&str>) -> Option<String> {
        let said = self.invalid(field).is_some() || self.meanwhile.contains_key(field);
        let error = said.then(|| format!("{}-error", id(field)));
        let parts: Vec<String> = error.into_iter().chain(help.map(str::to_owned)).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

/// What is wrong with this field.
pub(super) fn wrong(field: &str, message: impl std::fmt::Display) -> Wrong {
    Wrong { field: Some(field.to_owned()), problem: Problem::invalid(message) }
}

/// The id of a field of this name.
fn id(field: &str) -> String {
    field.replace('_', "-")
}

/// Whether two texts say the same, however their lines end.
fn same(one: &str, other: &str) -> bool {
    one.trim().lines().map(str::trim_end).eq(other.trim().lines().map(str::trim_end))
}
