//! What of a deploy decides an answer: a rule, a file, or that there is none.

use super::address::Address;
use super::{NOTHING, Shown};
use crate::problem::Problem;
use crate::view::View;
use answers::{Answer, has_extension, path_of};
use events::event::{AliasEvent, NotFoundHandling, Serving};
use events::{AliasName, DeployId, Event, SiteId, subject};
use projections::Sight;
use projections::timeline::{About, Query};
use rules::pages::PAGES;
use rules::{Asked, HEADERS, Headers, Matcher, REDIRECTS, Rules};
use runtime::clock;
use std::sync::Arc;
use storage::Manifest;

/// Promotions that are looked back through.
const PROMOTIONS: u32 = 100;

/// What decides an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The kind of it, for programs.
    pub(crate) kind: &'static str,
    /// For people.
    pub(crate) text: String,
    /// The line of `_redirects`, if a rule does.
    pub(crate) line: Option<u32>,
    /// The file whose content is sent.
    pub(crate) page: Option<String>,
}

/// A rule of `_headers`, or of `pages.json`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    /// The path that it is for, as it stands there.
    pub(crate) text: String,
}

/// An answer with what decides it.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) status: Option<u16>,
    pub(super) location: Option<String>,
    pub(super) decision: Decision,
    pub(super) headers: Vec<Heading>,
}

impl Decision {
    pub(super) fn of(kind: &'static str, text: String) -> Self {
        Self { kind, text, line: None, page: None }
    }
}

impl Decided {
    pub(super) fn plainly(status: u16, decision: Decision) -> Self {
        Self { status: Some(status), location: None, decision, headers: Vec::new() }
    }

    pub(super) fn to(self, location: String) -> Self {
        Self { location: Some(location), ..self }
    }
}

/// Asks what the edge asks of the deploy that is shown.
pub(super) async fn decide(view: &View, address: &Address, shown: &Shown) -> Result<Decided, Problem> {
    let nothing = |text: &str| Ok(Decided::plainly(NOTHING, Decision::of("nothing", text.to_owned())));
    let Some(deploy) = &shown.deploy else { return nothing("nothing is shown on this host") };
    if deploy.collected_at.is_some() {
        return nothing("the deploy of this host is kept no longer");
    }
    let manifest = view.storage.site(deploy.site).manifest(&deploy.id).await?;
    let Some(manifest) = manifest else { return nothing("the deploy of this host is not there") };
    let matcher = match manifest.rules() {
        Some(rules) => Some(ready(Arc::clone(rules)).await?),
        None => None,
    };
    let Address { host, path, query, .. } = address;
    if answers::keeps_away(shown.alias == Some(AliasName::Live), path) {
        let text = "hosts that do not show what is live are not for search engines".to_owned();
        return Ok(Decided::plainly(200, Decision::of("robots", text)));
    }
    let asked = Asked { host, path, query: query.as_deref(), ..Asked::default() };
    let serving = shown.site.settings.serving;
    let found = answers::answer(&manifest, matcher.as_ref(), serving, &asked);
    if matches!(found.answer, Answer::NotFound(_))
        && has_extension(path)
        && let Some(decided) = former(view, shown, path).await?
    {
        return Ok(decided);
    }
    let headers = match (&matcher, manifest.rules()) {
        (Some(matcher), Some(rules)) => headings(rules, matcher, address),
        (Some(_), None) | (None, _) => Vec::new(),
    };
    let location = match &found.answer {
        Answer::Led { location, .. } => Some(location.clone()),
        Answer::Redirect(path) => Some(answers::with_query(path, address.query.as_deref())),
        Answer::File(_) | Answer::As(..) | Answer::NotFound(_) | Answer::Malformed | Answer::TooLong => None,
    };
    let decision = decision(&manifest, serving, path, &found);
    Ok(Decided { status: Some(found.answer.status()), location, decision, headers })
}

/// Many rules take a while to make ready.
async fn ready(rules: Arc<Rules>) -> Result<Matcher, Problem> {
    let ready = tokio::task::spawn_blocking(move || Matcher::new(&rules)).await;
    ready.map_err(|error| Problem::Internal(error.into()))
}

fn headings(rules: &Rules, matcher: &Matcher, Address { host, path, .. }: &Address) -> Vec<Heading> {
    let of = |file, among: &[Headers], line| {
        let rule = among.iter().find(|rule| rule.line == line)?;
        Some(Heading { file, line, text: rule.from.clone() })
    };
    let paged = matcher.paged_by(path).and_then(|line| of(PAGES, &rules.pages, line));
    let amended = matcher.amended_by(host, path).into_iter().filter_map(|line| of(HEADERS, &rules.headers, line));
    paged.into_iter().chain(amended).collect()
}

fn decision(manifest: &Manifest, serving: Serving, path: &str, found: &answers::Decided<'_>) -> Decision {
    let page = match &found.answer {
        Answer::File(file) | Answer::As(file, _) => Some(file.path.clone()),
        Answer::NotFound(page) => page.map(|page| page.path.clone()),
        Answer::Led { .. } | Answer::Redirect(_) | Answer::Malformed | Answer::TooLong => None,
    };
    if let Some(line) = found.line {
        let rule = manifest.rules().and_then(|rules| rules.redirects.iter().find(|rule| rule.line == line));
        let text =
            format!("line {line} of `{REDIRECTS}` says so: `{}`", rule.map(ToString::to_string).unwrap_or_default());
        return Decision { kind: "rule", text, line: Some(line), page };
    }
    let named = page.as_deref().unwrap_or_default();
    let (kind, text) = match &found.answer {
        Answer::File(_) if !answers::is_there(manifest, serving, path) => {
            let handling = NotFoundHandling::SinglePageApplication;
            ("single_page", format!("there is no such file, and the site shows `{named}` then (`{handling}`)"))
        }
        Answer::File(_) | Answer::As(..) => ("file", format!("the file `{named}` is there")),
        Answer::Redirect(_) | Answer::Led { .. } => (
            "page_address",
            format!("the page has another address, as the site wants it (`{}`)", serving.html_handling),
        ),
        Answer::NotFound(Some(_)) => {
            ("not_found_page", format!("there is no such file; `{named}` is the nearest page that says so"))
        }
        Answer::NotFound(None) => ("nothing", "there is no such file, and no page of the site that says so".to_owned()),
        Answer::Malformed => ("malformed", "it is no path that a file could have".to_owned()),
        Answer::TooLong => ("too_long", "no path of a file is so long".to_owned()),
    };
    Decision { kind, text, line: None, page }
}

/// What a page of before needs is found in what was shown lately.
async fn former(view: &View, shown: &Shown, path: &str) -> Result<Option<Decided>, Problem> {
    let (Some(alias), Some(path)) = (&shown.alias, path_of(path)) else { return Ok(None) };
    for deploy in before(view, shown.site.id, alias).await? {
        let manifest = view.storage.site(shown.site.id).manifest(&deploy).await?;
        let file = manifest.as_ref().and_then(|manifest| manifest.get(path.strip_prefix('/')?));
        if let Some(file) = file {
            let text = format!(
                "the file `{}` is one of deploy {deploy}, which was shown lately and may still be read",
                file.path
            );
            let decision = Decision { page: Some(file.path.clone()), ..Decision::of("former_file", text) };
            return Ok(Some(Decided::plainly(200, decision)));
        }
    }
    Ok(None)
}

/// What an alias showed lately, the newest first.
async fn before(view: &View, site: SiteId, alias: &AliasName) -> Result<Vec<DeployId>, Problem> {
    let since = clock::now() - time::Duration::seconds(answers::FORMER_SECONDS);
    let about = About { kind: Some("alias.promoted.".to_owned()), since: Some(since), ..About::default() };
    let subject = Some(("alias".to_owned(), subject::alias_id(site, alias)));
    let query = Query { subject, limit: PROMOTIONS, about, ..Query::default() };
    let mut former = Vec::new();
    for fact in view.model.latest_events(&query, &Sight::All).await? {
        let Some(Event::Alias(AliasEvent::Promoted { previous: Some(previous), .. })) = fact.event() else { continue };
        if !former.contains(&previous) {
            former.push(previous);
        }
    }
    former.truncate(answers::FORMER_MAX);
    Ok(former)
}
