//! The rules of a site: what its files `_redirects`, `_headers` and `pages.json` were read as, and which of their lines are not used.

use super::extract::Named;
use crate::app::App;
use crate::place::Place;
use crate::problem::Problem;
use crate::view::View;
use axum::Json;
use events::event::RulesDialect;
use events::{AliasName, DeployId, SiteId};
use rules::pages::PAGES;
use rules::{HEADERS, Rules};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Rules of each kind that are told; all are counted.
const TOLD_MAX: usize = 1_000;

/// The rules of what is live.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SiteRules)]
pub(crate) struct Shown {
    /// The live deploy; null if nothing is live.
    #[schema(required, value_type = Option<String>)]
    deploy: Option<DeployId>,
    /// By whose grammar they were read: `netlify` or `cloudflare`.
    #[schema(value_type = String)]
    dialect: RulesDialect,
    /// How many redirects and rewrites there are.
    redirects_total: usize,
    /// The first 1,000 of them, in the order of their file.
    redirects: Vec<Redirect>,
    /// How many paths have headers.
    headers_total: usize,
    /// The first 1,000 of them: those of `pages.json`, of which the first that is for a file counts, and those of `_headers`.
    headers: Vec<Headers>,
    /// What is not used as it stands, at most 100.
    diagnostics: Vec<Diagnostic>,
}

/// A redirect or a rewrite.
#[derive(Debug, Serialize, ToSchema)]
struct Redirect {
    /// Where it stands in `_redirects`, from 1.
    line: u32,
    /// The host it is for; null for any.
    #[schema(required)]
    host: Option<String>,
    /// The path it is for.
    from: String,
    /// What the query must have, as `name=value`.
    query: Vec<String>,
    /// Where it leads.
    to: String,
    /// With which status; one of 300 and more is a redirect.
    status: u16,
    /// Whether it goes before a file of that path.
    forced: bool,
    /// What else must hold, as `name=value,value`.
    conditions: Vec<String>,
}

/// Headers of a path.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleHeaders)]
struct Headers {
    /// `_headers` or `pages.json`.
    file: &'static str,
    /// Where the path stands there, from 1.
    line: u32,
    /// The path it is for.
    from: String,
    /// What is set, as `name: value`.
    set: Vec<String>,
    /// What is taken away.
    unset: Vec<String>,
}

/// A line that is not used as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleDiagnostic)]
struct Diagnostic {
    /// `_redirects`, `_headers` or `pages.json`.
    file: String,
    /// From 1.
    line: u32,
    /// What stands there.
    text: String,
    /// What is wrong with it.
    message: String,
}

impl Shown {
    fn of(deploy: Option<DeployId>, rules: Option<&Rules>, dialect: RulesDialect) -> Self {
        let redirects = rules.map_or(&[][..], |rules| &rules.redirects);
        let of_pages = rules.into_iter().flat_map(|rules| &rules.pages).map(|rule| Headers::of(PAGES, rule));
        let of_headers = rules.into_iter().flat_map(|rules| &rules.headers).map(|rule| Headers::of(HEADERS, rule));
        let diagnostics = rules.map_or(&[][..], |rules| &rules.diagnostics);
        Self {
            deploy,
            dialect: rules.map_or(dialect, |rules| rules.dialect),
            redirects_total: redirects.len(),
            redirects: redirects.iter().take(TOLD_MAX).map(Redirect::from).collect(),
            headers_total: rules.map_or(0, |rules| rules.pages.len() + rules.headers.len()),
            headers: of_pages.chain(of_headers).take(TOLD_MAX).collect(),
            diagnostics: diagnostics.iter().cloned().map(Diagnostic::from).collect(),
        }
    }
}

impl From<&rules::Redirect> for Redirect {
    fn from(rule: &rules::Redirect) -> Self {
        let rules::Redirect { line, host, from, query, to, status, forced, conditions } = rule.clone();
        let query = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self {
            line,
            host,
            from,
            query,
            to,
            status,
            forced,
            conditions: conditions.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Headers {
    fn of(file: &'static str, rule: &rules::Headers) -> Self {
        let set = rule.set.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let from = rule.host.as_ref().map_or_else(|| rule.from.clone(), |host| format!("https://{host}{}", rule.from));
        Self { file, line: rule.line, from, set, unset: rule.unset.clone() }
    }
}

impl From<rules::Diagnostic> for Diagnostic {
    fn from(rules::Diagnostic { file, line, text, message }: rules::Diagnostic) -> Self {
        Self { file, line, text, message }
    }
}

/// Read the rules of what is live
///
/// They are those of its files `_redirects`, `_headers` and `pages.json`.
#[utoipa::path(get, path = "/sites/{site}/rules", tag = "sites", params(("site" = String, Path)), responses(
    (status = 200, description = "They, and which lines are not used", body = Shown),
))]
pub(crate) async fn rules(view: View, Named(site): Named<Place>) -> Result<Json<Shown>, Problem> {
    let site = view.site(&site).await?;
    let live = live(&view, site.id).await?;
    let rules = match &live {
        Some(deploy) => of_deploy(&view, site.id, deploy).await?,
        None => None,
    };
    Ok(Json(Shown::of(live, rules.as_deref(), site.settings.serving.rules_dialect)))
}

/// What is live.
pub(crate) async fn live(app: &App, site: SiteId) -> Result<Option<DeployId>, Problem> {
    // In the order of names only the demo may stand before it.
    let aliases = app.model.aliases(site, 2, None).await?;
    Ok(aliases.into_iter().find(|alias| alias.alias == AliasName::Live).map(|alias| alias.deploy))
}

/// The rules of a deploy, which are read from the store as its files are.
pub(crate) async fn of_deploy(app: &App, site: SiteId, deploy: &DeployId) -> Result<Option<Arc<Rules>>, Problem> {
    let manifest = app.storage.site(site).manifest(deploy).await?;
    Ok(manifest.and_then(|manifest| manifest.rules().cloned()))
}
