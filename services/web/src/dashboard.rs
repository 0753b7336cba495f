//! The dashboard: pages rendered here, forms that state commands, and live updates where a browser runs the script.

mod build;
mod layout;
mod login;
mod organization;
mod organizations;
mod settings;
mod site;
mod sites;
mod timeline;

use crate::app::Shared;
use crate::bodies::{self, Bodies};
use crate::guard;
use crate::problem::{self, Problem};
use axum::Router;
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderValue, Method, header};
use layout::Page;
use maud::html;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

/// Longest form in bytes.
const FORM_MAX: usize = 16 << 10;
/// Everything comes from here, nothing is inline, nobody frames us.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A problem shown as a page.
pub(crate) struct Failed(Problem);

impl<E: Into<Problem>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        failed(&self.0)
    }
}

impl From<FormRejection> for Problem {
    fn from(rejection: FormRejection) -> Self {
        if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
            Self::BodyTooLarge(FORM_MAX)
        } else {
            Self::invalid(rejection)
        }
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::invalid(rejection)
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::invalid(rejection)
    }
}

pub(crate) fn routes(app: &Shared) -> Router<Shared> {
    let pages = Router::new()
        .route("/", get(sites::overview))
        .route("/sites", post(sites::create))
        .route("/sites/{site}", get(site::show))
        .route("/sites/{site}/settings", get(settings::edit).post(settings::save))
        .route("/sites/{site}/builds", post(site::build))
        .route("/sites/{site}/aliases", post(site::promote))
        .route("/sites/{site}/delete", get(site::confirm_deletion).post(site::delete))
        .route("/organizations", get(organizations::overview).post(organizations::create))
        .route("/organizations/{organization}", get(organization::show).post(organization::rename))
        .route("/builds/{id}", get(build::show))
        .route("/builds/{id}/cancel", post(build::cancel))
        .route("/timeline", get(timeline::show))
        .route("/logout", post(login::leave))
        .route_layer(middleware::from_fn_with_state(Arc::clone(app), require_person));
    let login = Router::new().route("/login", get(login::show).post(login::enter));
    pages
        .merge(login)
        .method_not_allowed_fallback(|| async { Failed(Problem::MethodNotAllowed) })
        .layer(middleware::from_fn_with_state(Bodies { budget: app.bodies.clone(), max: FORM_MAX }, bodies::read))
        .layer(middleware::from_fn(guard_forms))
        .layer(DefaultBodyLimit::max(FORM_MAX))
        .layer(middleware::map_response(with_policy))
}

/// Sends whoever is not signed in to the sign-in page, and back afterwards.
async fn require_person(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let caller = match app.auth.person(&head.extensions, &head.headers).await {
        Ok(caller) => caller,
        Err(problem) => return failed(&problem),
    };
    let mut request = Request::from_parts(head, body);
    let Some(caller) = caller else {
        let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
        let back = if *request.method() == Method::GET { wanted } else { "/" };
        return Redirect::to(&link("/login", &[("next", back)])).into_response();
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Takes forms from our own pages only.
async fn guard_forms(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || guard::is_from_here(&request) { next.run(request).await } else { failed(&Problem::CrossSite) }
}

async fn with_policy(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// The page of a problem.
pub(crate) fn failed(problem: &Problem) -> Response {
    let (code, status, title) = problem.kind();
    problem::report(problem, code, status);
    let content = html! {
        h1 { (title) }
        p.lead { (layout::sentence(&problem.to_string())) }
        p { "Code: " code { (code) } }
        p { a href="/" { "All sites" } }
    };
    let page = Page { title, signed_in: true, refreshes: None }.render(&content);
    let mut response = (status, page).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Some(seconds) = problem.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// `path` with a query string.
fn link(path: &str, query: &[(&str, &str)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = query
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}
