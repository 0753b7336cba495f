//! Why readers of an address are answered as they are.

use super::builds::written_by;
use super::extract::Asked;
use crate::explaining::{self, Explained, Heading, Step, URL_MAX};
use crate::problem::Problem;
use crate::view::View;
use axum::Json;
use events::access::Mode;
use events::{Actor, AliasName, CommitId, DeployId, SiteId};
use rules::REDIRECTS;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

/// Which address.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// The address, as a reader would ask for it.
    #[param(max_length = 8192)]
    url: String,
}

/// Why readers of an address are answered as they are, who bring no cookie.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(crate) struct Shown {
    /// The host that is asked.
    host: String,
    /// The path that is asked for.
    path: String,
    /// The status of the answer; null if a server elsewhere decides it.
    #[schema(required)]
    status: Option<u16>,
    /// Where the answer leads, if it is a redirect.
    #[schema(required)]
    location: Option<String>,
    /// What decides it.
    decided_by: Deciding,
    /// The rules of `pages.json` and `_headers` that change the answer.
    headers: Vec<Changing>,
    /// What the site is called whose host it is, or that a route shows.
    #[schema(required)]
    site: Option<String>,
    /// That site's identity.
    #[schema(value_type = Option<String>, format = Uuid, required)]
    site_id: Option<SiteId>,
    /// Which of its aliases the host shows; null for the host of one deploy.
    #[schema(value_type = Option<String>, required)]
    alias: Option<AliasName>,
    /// Who is let in there, and answered so: `public`, `password`, `members`, or `link` for whoever has a share link. On the host of
    /// one deploy the strictest of what shows it. Null where no site is shown.
    #[schema(value_type = Option<String>, required)]
    access: Option<Mode>,
    /// The deploy that is shown.
    #[schema(value_type = Option<String>, required)]
    deploy: Option<DeployId>,
    /// The commit that it was built from.
    #[schema(value_type = Option<String>, required)]
    commit: Option<CommitId>,
    /// Who wrote that commit.
    #[schema(required)]
    author: Option<String>,
    /// The facts that led to it, the oldest first.
    chain: Vec<Led>,
}

/// What decides an answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedBy)]
struct Deciding {
    /// `route`, `renamed`, `rule`, `file`, `former_file`, `single_page`, `page_address`, `not_found_page`, `nothing`, `robots`, `malformed` or
    /// `too_long`.
    kind: &'static str,
    /// The same for people.
    text: String,
    /// The file of rules, if one of them decides.
    #[schema(required)]
    file: Option<&'static str>,
    /// The line of it, from 1.
    #[schema(required)]
    line: Option<u32>,
    /// The file of the deploy whose content is sent.
    #[schema(required)]
    page: Option<String>,
}

/// A rule that changes the headers of an answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedHeaders)]
struct Changing {
    /// `_headers` or `pages.json`.
    file: &'static str,
    /// The line of its path, from 1.
    line: u32,
    /// The path that it is for, as it stands there.
    text: String,
}

/// A fact that led to an answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedStep)]
struct Led {
    /// What it was for the answer: `push`, `request`, `schedule` or `upload`, then `build`, `deploy` and `promotion`; `route` for that of
    /// a route, `rename` for that of a host's site.
    step: &'static str,
    /// Its sequence in the log.
    sequence: u64,
    /// Its type.
    #[serde(rename = "type")]
    type_name: String,
    /// What happened, in words; null if this version does not know such facts.
    #[schema(required)]
    text: Option<String>,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    time: OffsetDateTime,
    /// Who is behind it.
    #[schema(value_type = String)]
    actor: Actor,
}

impl From<Step> for Led {
    fn from(Step { what, fact }: Step) -> Self {
        let text = fact.sentence();
        Self {
            step: what,
            sequence: fact.sequence,
            type_name: fact.type_name,
            text,
            time: fact.time,
            actor: fact.actor,
        }
    }
}

impl From<Explained> for Shown {
    fn from(told: Explained) -> Self {
        let Explained { host, path, status, location, decision, headers, shown, steps } = told;
        let deploy = shown.as_ref().and_then(|shown| shown.deploy.as_ref());
        let author = deploy.and_then(|deploy| deploy.why.as_ref()).and_then(|why| why.author.as_ref());
        let changing = |Heading { file, line, text }| Changing { file, line, text };
        Self {
            host,
            path,
            status,
            location,
            decided_by: Deciding {
                kind: decision.kind,
                text: decision.text,
                file: decision.line.map(|_| REDIRECTS),
                line: decision.line,
                page: decision.page,
            },
            headers: headers.into_iter().map(changing).collect(),
            site: shown.as_ref().map(|shown| shown.site.name.to_string()),
            site_id: shown.as_ref().map(|shown| shown.site.id),
            alias: shown.as_ref().and_then(|shown| shown.alias.clone()),
            access: shown.as_ref().map(explaining::Shown::access),
            deploy: deploy.map(|deploy| deploy.id.clone()),
            commit: deploy.map(|deploy| deploy.commit.clone()),
            author: author.map(written_by),
            chain: steps.into_iter().map(Led::from).collect(),
        }
    }
}

/// Explain an answer
///
/// What the host shows, which facts put it there, and which route, rule or file decides what readers are answered.
#[utoipa::path(get, path = "/explain", tag = "hosts", params(Which), responses(
    (status = 200, description = "Why it is answered so", body = Shown),
))]
pub(crate) async fn explain(view: View, Asked(Which { url }): Asked<Which>) -> Result<Json<Shown>, Problem> {
    explaining::explain(&view, &url).await.map(Shown::from).map(Json)
}

const _: () = assert!(URL_MAX == 8192, "the document says how long an address may be");
