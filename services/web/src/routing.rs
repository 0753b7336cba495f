//! Routes as somebody writes them: in a request, in a form, or as lines of a table. Pure.

use crate::place::Place;
use crate::problem::Problem;
use csv::{ReaderBuilder, StringRecord, Trim};
use events::ids::Invalid;
use events::routing::{Destination, HostName, Leads, Origin, Reach, RedirectStatus, RoutePath, Segments};
use serde::Deserialize;
use std::str::FromStr;
use utoipa::ToSchema;

/// Most routes of one import: they are added together or not at all, which is one atomic batch of the log.
pub(crate) const IMPORT_ROUTES_MAX: usize = 500;
/// Longest table of an import, in bytes.
pub(crate) const IMPORT_BYTES_MAX: usize = 1 << 20;
/// What the columns of an import may be called.
const COLUMNS: [&str; 10] = ["host", "path", "kind", "action", "site", "to", "status", "segments", "page", "backend"];
/// Those that there must be.
const NEEDED: usize = 4;

/// A route to be added.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = NewRoute)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    /// The host whose path it is, without a port.
    #[schema(min_length = 3, max_length = 253)]
    pub(crate) host: String,
    /// The path, percent-encoded where it must be.
    #[schema(min_length = 1, max_length = 512)]
    pub(crate) path: String,
    /// Whether it is of this path (`exact`), or of all below it too, by whole segments (`prefix`).
    pub(crate) kind: String,
    /// Where it leads: `site`, `redirect`, `gone` or `backend`.
    pub(crate) action: String,
    /// The site whose live pages are shown, by its name or its id, for `site`.
    #[serde(default)]
    pub(crate) site: Option<String>,
    /// The path or the address that a `redirect` leads to.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub(crate) to: Option<String>,
    /// How a `redirect` is told: 301, which is usual, 302, 307 or 308.
    #[serde(default)]
    pub(crate) status: Option<u16>,
    /// Whether the rest of the path and the query go on behind the address of a `redirect`: `preserve`, usual for `prefix`, or
    /// `ignore`, usual for `exact`.
    #[serde(default)]
    pub(crate) segments: Option<String>,
    /// The page that says so, for `gone`: a path of the site whose host it is; a plain one if absent.
    #[serde(default)]
    #[schema(max_length = 512)]
    pub(crate) page: Option<String>,
    /// The server that is asked, for `backend`: `http` or `https`, a host, perhaps a port.
    #[serde(default)]
    #[schema(max_length = 300)]
    pub(crate) backend: Option<String>,
}

/// A route that can be one, as far as its words tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) host: HostName,
    pub(crate) path: RoutePath,
    pub(crate) kind: Reach,
    pub(crate) goes: Goes,
}

/// Where it leads: a site is named, and has to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Goes {
    Site(Place),
    There(Leads),
}

/// A line of a table with its number, and what it says or what is wrong with it.
pub(crate) type Line = (u64, Result<Draft, String>);

impl Written {
    pub(crate) fn read(&self) -> Result<Draft, Invalid> {
        let (host, path, kind) = (self.host.parse()?, self.path.parse()?, self.kind.parse()?);
        Ok(Draft { host, path, kind, goes: self.goes(kind)? })
    }

    fn goes(&self, kind: Reach) -> Result<Goes, Invalid> {
        let action = self.action.as_str();
        let taken: &[&str] = match action {
            "site" => &["site"],
            "redirect" => &["to", "status", "segments"],
            "gone" => &["page"],
            "backend" => &["backend"],
            other => return Err(wrong(format!("`{}` is none of site, redirect, gone, backend", other.escape_debug()))),
        };
        if let Some(name) = self.given().find(|name| !taken.contains(name)) {
            return Err(wrong(format!("a route of the action `{action}` takes no `{name}`")));
        }
        Ok(match action {
            "site" => Goes::Site(needed(&self.site, "site")?),
            "redirect" => Goes::There(redirect(
                needed(&self.to, "to")?,
                self.status,
                given(&self.segments).map(str::parse).transpose()?.unwrap_or(kind.usual()),
            )?),
            "gone" => Goes::There(Leads::Gone { page: given(&self.page).map(str::parse).transpose()? }),
            _ => Goes::There(Leads::Backend { backend: needed::<Origin>(&self.backend, "backend")? }),
        })
    }

    /// Which of the fields are there that not every action takes.
    fn given(&self) -> impl Iterator<Item = &'static str> {
        let Self { site, to, status, segments, page, backend, .. } = self;
        let texts = [("site", site), ("to", to), ("segments", segments), ("page", page), ("backend", backend)];
        let texts = texts.map(|(name, text)| (name, given(text).is_some()));
        texts.into_iter().chain([("status", status.is_some())]).filter(|(_, is_given)| *is_given).map(|(name, _)| name)
    }
}

impl Goes {
    /// What a path leads to whose route is taken away: nothing any more, or elsewhere.
    pub(crate) fn left(redirect_to: Option<&str>, kind: Reach) -> Result<Self, Invalid> {
        Ok(Self::There(match redirect_to {
            Some(to) => redirect(to.parse()?, None, kind.usual())?,
            None => Leads::Gone { page: None },
        }))
    }
}

fn redirect(to: Destination, status: Option<u16>, segments: Segments) -> Result<Leads, Invalid> {
    let status = status.map_or(Ok(RedirectStatus::PERMANENT), RedirectStatus::try_from)?;
    Ok(Leads::Redirect { to, status, segments })
}

/// A text that is there and says something.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn needed<T: FromStr<Err = Invalid>>(text: &Option<String>, name: &str) -> Result<T, Invalid> {
    given(text).ok_or_else(|| wrong(format!("`{name}` is missing")))?.parse()
}

fn wrong(why: String) -> Invalid {
    Invalid::because(why)
}

/// The lines of a table in CSV, of which the first names the columns.
pub(crate) fn table(text: &str) -> Result<Vec<Line>, Problem> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text.as_bytes());
    let columns = reader.headers().map_err(Problem::invalid)?.clone();
    let refuse = |why: String| Err(Problem::InvalidInput(format!("line 1: {why}")));
    if let Some(unknown) = columns.iter().find(|name| !COLUMNS.contains(name)) {
        return refuse(format!("there is no column `{}`, only {}", unknown.escape_debug(), COLUMNS.join(", ")));
    }
    if let Some(missing) = COLUMNS.iter().take(NEEDED).find(|name| !columns.iter().any(|found| found == **name)) {
        return refuse(format!("the column `{missing}` is missing"));
    }
    let mut lines = Vec::new();
    for record in reader.records() {
        if lines.len() == IMPORT_ROUTES_MAX {
            return Err(Problem::InvalidInput(format!("one import has at most {IMPORT_ROUTES_MAX} routes")));
        }
        lines.push(match record {
            Ok(record) => (record.position().map_or(0, csv::Position::line), line(&record, &columns)),
            Err(error) => {
                (error.position().map_or(0, csv::Position::line), Err("it has another number of columns".to_owned()))
            }
        });
    }
    Ok(lines)
}

fn line(record: &StringRecord, columns: &StringRecord) -> Result<Draft, String> {
    let written: Written =
        record.deserialize(Some(columns)).map_err(|_| "`status` is no number of a status".to_owned())?;
    written.read().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(action: &str, fields: &[(&str, &str)]) -> Written {
        let of = |name: &str| fields.iter().find(|(found, _)| *found == name).map(|(_, text)| (*text).to_owned());
        Written {
            host: "docs.example".to_owned(),
            path: "/a".to_owned(),
            kind: of("kind").unwrap_or_else(|| "exact".to_owned()),
            action: action.to_owned(),
            site: of("site"),
            to: of("to"),
            status: of("status").map(|status| status.parse().unwrap()),
            segments: of("segments"),
            page: of("page"),
            backend: of("backend"),
        }
    }

    #[test]
    fn a_route_is_read_with_what_is_usual_for_what_it_does_not_say() {
        let told = |draft: Result<Draft, Invalid>| match draft {
            Ok(Draft { goes: Goes::Site(place), .. }) => format!("site {place}"),
            Ok(Draft { goes: Goes::There(Leads::Redirect { to, status, segments }), .. }) => {
                format!("{to} {} {}", status.code(), segments.as_str())
            }
            Ok(Draft { goes: Goes::There(leads), .. }) => leads.to_string(),
            Err(error) => error.to_string(),
        };
        for (action, fields, expected) in [
            ("redirect", &[("to", "/b")][..], "/b 301 ignore"),
            ("redirect", &[("to", "/b"), ("kind", "prefix")], "/b 301 preserve"),
            ("redirect", &[("to", "/b"), ("status", "307"), ("segments", "preserve")], "/b 307 preserve"),
            ("redirect", &[], "`to` is missing"),
            ("redirect", &[("to", " ")], "`to` is missing"),
            ("redirect", &[("to", "/b"), ("status", "303")], "`303` is none of the statuses 301, 302, 307 and 308"),
            (
                "redirect",
                &[("to", "/b"), ("backend", "http://a.example")],
                "a route of the action `redirect` takes no `backend`",
            ),
            ("gone", &[], "is gone"),
            ("gone", &[("page", "/bye.html")], "is gone, and `/bye.html` says so"),
            ("gone", &[("page", "bye")], "`bye` is no path of a route: it must begin with a slash"),
            ("redirect", &[("to", "/b"), ("page", "/c")], "a route of the action `redirect` takes no `page`"),
            ("gone", &[("to", "/b")], "a route of the action `gone` takes no `to`"),
            ("gone", &[("kind", "regex")], "`regex` is neither `exact` nor `prefix`"),
            ("site", &[("site", "news")], "site news"),
            ("site", &[], "`site` is missing"),
            ("backend", &[("backend", "http://a.example:81/")], "is answered by `http://a.example:81`"),
            ("shout", &[], "`shout` is none of site, redirect, gone, backend"),
        ] {
            assert_eq!(told(written(action, fields).read()), expected, "{action} {fields:?}");
        }
    }

    #[test]
    fn a_table_tells_each_wrong_line_by_its_number() {
        let text = "host,path,kind,action,to,status\n\
                    a.example,/a,exact,redirect,https://example.org/,301\n\
                    a.example,nopath,exact,redirect,https://example.org/,\n\
                    a.example,/b,prefix,gone,,\n\
                    a.example,/c,exact\n\
                    a.example,/d,exact,redirect,/e,often\n";
        let lines = table(text).unwrap();
        let told: Vec<_> =
            lines.iter().map(|(line, read)| (*line, read.as_ref().map(|draft| draft.path.as_str()).ok())).collect();
        assert_eq!(told, [(2, Some("/a")), (3, None), (4, Some("/b")), (5, None), (6, None)]);
        assert!(lines[1].1.as_ref().unwrap_err().contains("it must begin with a slash"));
    }

    #[test]
    fn a_table_has_columns_that_are_known_and_so_many_lines() {
        let refused = |text: &str| table(text).unwrap_err().to_string();
        assert!(refused("host,path,kind\n").contains("line 1: the column `action` is missing"));
        assert!(refused("host,path,kind,action,colour\n").contains("line 1: there is no column `colour`"));
        let line = "a.example,/a,exact,gone\n";
        let most = format!("host,path,kind,action\n{}", line.repeat(IMPORT_ROUTES_MAX));
        assert_eq!(table(&most).unwrap().len(), IMPORT_ROUTES_MAX);
        assert!(refused(&format!("{most}{line}")).contains("at most 500"));
        assert!(table("host,path,kind,action\n").unwrap().is_empty());
    }
}
