//! The HTTP API under `/api/v1`: its routes, its OpenAPI document, and how requests are read.

#![expect(unused_qualifications, reason = "`utoipa::path` writes the types of parameters with their paths")]

mod aliases;
mod audit;
mod building;
mod builds;
mod collect;
mod credentials;
mod declared;
mod deliveries;
pub(crate) mod deploys;
mod domains;
mod effort;
mod events;
mod exact;
mod explain;
mod extract;
mod files;
mod governance;
mod hub;
mod identities;
mod lock;
mod logs;
mod me;
mod members;
mod notices;
mod organizations;
mod page;
pub(crate) mod past;
mod platform;
mod purge;
mod receivers;
mod repeated;
mod restore;
mod routes;
pub(crate) mod rules;
mod secrets;
mod serving;
mod sessions;
mod shares;
mod sites;
mod source;
mod source_check;
mod strays;
pub(crate) mod texts;
pub(crate) mod tokens;
mod told;
mod uploads;
mod users;
mod variables;
mod version;

pub(crate) use events::subject;

use crate::app::Shared;
use crate::bodies::{self, Bodies};
use crate::guard;
use crate::once;
use crate::problem::{self, Problem};
use crate::repositories::FILE_MAX;
use crate::routing::IMPORT_BYTES_MAX;
use crate::urls::API;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum::{Json, Router, middleware};
use extract::BODY_MAX;
use serde_json::Value;
use std::sync::Arc;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi, PathItem};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest body with a text in it, in bytes: as JSON a text may be longer than it is.
const TEXT_BODY_MAX: usize = 4 * FILE_MAX;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Pagefold",
        description = "Builds and publishes static sites. Answers other than 2xx are problems (RFC 9457) with a stable `code`.",
        version = "1",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(),
    ),
    servers((url = "/api/v1")),
    security(("token" = [])),
    components(schemas(problem::Body)),
    modifiers(&Token),
)]
struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut OpenApi) {
        if let Some(components) = &mut openapi.components {
            let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
            components.security_schemes.insert("token".to_owned(), bearer.into());
        }
    }
}

fn described() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(commands()).merge(texts()).merge(tables())
}

/// Commands whose bodies are texts of people.
fn texts() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(source::show, source::save))
}

/// Commands whose bodies are tables.
fn tables() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(routes::import))
}

fn commands() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(people())
        .routes(routes!(sites::list, sites::create))
        .routes(routes!(sites::show, sites::change, sites::delete))
        .routes(routes!(restore::list))
        .routes(routes!(rules::rules))
        .routes(routes!(routes::list, routes::add))
        .routes(routes!(routes::remove))
        .routes(routes!(domains::list, domains::add))
        .routes(routes!(domains::show, domains::remove))
        .routes(routes!(explain::explain))
        .routes(routes!(purge::purge))
        .routes(routes!(restore::restore))
        .routes(routes!(source::list))
        .routes(routes!(source::publish))
        .routes(routes!(lock::lock, lock::unlock))
        .routes(routes!(secrets::rotate))
        .routes(routes!(source_check::check))
        .routes(routes!(credentials::make_key, credentials::show_key, credentials::remove_key))
        .routes(routes!(credentials::set_token, credentials::show_token, credentials::remove_token))
        .routes(routes!(receivers::list, receivers::create))
        .routes(routes!(receivers::show, receivers::change, receivers::remove))
        .routes(routes!(notices::test))
        .routes(routes!(notices::list))
        .routes(routes!(notices::redeliver))
        .routes(routes!(shares::list, shares::create))
        .routes(routes!(shares::revoke))
        .routes(routes!(variables::list))
        .routes(routes!(variables::set, variables::remove))
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(builds::list, builds::request))
        .routes(routes!(builds::show))
        .routes(routes!(builds::retry))
        .routes(routes!(builds::cancel))
        .routes(routes!(logs::read))
        .routes(routes!(deliveries::list))
        .routes(routes!(strays::list))
        .routes(routes!(strays::redeliver))
        .routes(routes!(deploys::list, uploads::publish))
        .routes(routes!(uploads::put))
        .routes(routes!(uploads::missing))
        .routes(routes!(deploys::show))
        .routes(routes!(files::list))
        .routes(routes!(files::compare))
        .routes(routes!(files::text))
        .routes(routes!(aliases::list))
        .routes(routes!(aliases::point, aliases::remove))
        .routes(routes!(collect::collect))
        .routes(routes!(platform::queue))
        .routes(routes!(platform::pace))
        .routes(routes!(platform::consumers))
        .routes(routes!(platform::shelf))
        .routes(routes!(platform::retry))
        .routes(routes!(platform::discard))
        .routes(routes!(platform::usage))
        .routes(routes!(platform::export))
        .routes(routes!(events::list))
        .routes(routes!(events::of_site))
        .routes(routes!(events::live))
        .routes(routes!(events::show))
}

/// Commands about people, what they belong to, and what they come in with.
fn people() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(organizations::list, organizations::create))
        .routes(routes!(organizations::show, organizations::change))
        .routes(routes!(organizations::sites))
        .routes(routes!(governance::suspend, governance::reinstate))
        .routes(routes!(governance::limit))
        .routes(routes!(governance::begin_sandbox, governance::end_sandbox))
        .routes(routes!(members::list))
        .routes(routes!(members::set, members::remove))
        .routes(routes!(members::invitations, members::invite))
        .routes(routes!(members::withdraw))
        .routes(routes!(me::show))
        .routes(routes!(me::link))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(identities::list))
        .routes(routes!(identities::disconnect))
        .routes(routes!(hub::show, hub::disconnect))
        .routes(routes!(hub::repositories))
        .routes(routes!(hub::install))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(users::list))
        .routes(routes!(users::erase))
        .routes(routes!(users::set_role))
        .routes(routes!(users::suspend, users::reinstate))
}

/// The OpenAPI 3.1 document of the API.
#[must_use]
pub fn openapi() -> Value {
    let mut document = described().split_for_parts().1;
    let paths = std::mem::take(&mut document.paths.paths);
    // `{*name}` is the router's word for a parameter that may have slashes; OpenAPI has none.
    let whole = |(path, item): (String, PathItem)| {
        let path = path.replace("{*", "{");
        let item = whole(&path, item);
        (path, item)
    };
    document.paths.paths = paths.into_iter().map(whole).collect();
    // A document is made of what the compiler knows: it can always be written.
    let mut document = serde_json::to_value(&document).unwrap_or_default();
    exact::narrow_all(&mut document);
    document
}

/// Every operation has a name of its own, and tells which problems it may be answered with.
fn whole(path: &str, mut item: PathItem) -> PathItem {
    let operations = [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
    ];
    for (method, operation) in operations {
        let Some(operation) = operation else { continue };
        let tag = operation.tags.iter().flatten().next();
        operation.operation_id = operation.operation_id.take().zip(tag).map(|(name, tag)| format!("{tag}_{name}"));
        repeated::headers(&method, operation);
        declared::declare(&method, path, operation);
    }
    item
}

pub(crate) fn routes(app: &Shared) -> Router<Shared> {
    let within = |routes: OpenApiRouter<Shared>, max| {
        let bodies = Bodies { budget: app.bodies.clone(), max };
        let once = middleware::from_fn_with_state(Arc::clone(app), once::once);
        let routes = routes.split_for_parts().0.layer(once).layer(DefaultBodyLimit::max(max));
        routes.layer(middleware::from_fn_with_state(bodies, bodies::read))
    };
    let guarded = within(commands(), BODY_MAX)
        .merge(within(texts(), TEXT_BODY_MAX))
        .merge(within(tables(), IMPORT_BYTES_MAX))
        .fallback(|| async { Problem::NotFound })
        .method_not_allowed_fallback(|| async { Problem::MethodNotAllowed })
        .layer(middleware::from_fn(version::conditional))
        .layer(middleware::from_fn_with_state(Arc::clone(app), guard::require_token));
    let document = Arc::new(openapi());
    let document = move || async move { Json(Arc::clone(&document)) };
    Router::new().route("/api/v1/openapi.json", get(document)).nest(API, guarded)
}
