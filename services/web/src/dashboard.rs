//! The dashboard: pages rendered here, forms that state commands, and live updates where a browser runs the script.

mod access;
mod account;
mod ansi;
mod audit;
mod begin;
mod build;
mod building;
mod builds;
mod conditions;
mod credentials;
mod deliveries;
mod deploy;
mod deploys;
mod diff;
mod domains;
mod event;
mod explain;
mod failed;
pub(crate) mod form;
mod governance;
mod home;
mod hub;
mod known;
mod layout;
mod link;
mod lock;
mod login;
mod markdown;
mod members;
mod notices;
mod older;
mod open;
mod organization;
mod organizations;
mod past;
mod platform;
mod policy;
mod providers;
mod receivers;
mod restore;
mod routes;
mod rules;
mod secret;
mod serving;
mod settings;
mod site;
mod sites;
mod source;
mod strays;
mod timeline;
mod typed;
mod variables;
mod ways;
mod welcome;
mod why;

use crate::app::Shared;
use crate::auth::{bearer, client};
use crate::bodies::{self, Bodies};
use crate::commands;
use crate::guard;
use crate::problem::Problem;
use crate::repositories::FILE_MAX;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use events::authority::{Holder, PlatformRole};
use failed::FORM_MAX;
pub(crate) use failed::failed;
use http::Method;
use link::link;
use runtime::telemetry;
use std::sync::Arc;

/// Longest form with a text in it, in bytes: a form writes a character in as many as three times as many.
const EDITOR_MAX: usize = 4 * FILE_MAX;
/// Up to where the browser that asks has heard: a page that it fetches because of a fact shows it.
const SEEN: &str = "pagefold-seen";

pub(crate) fn routes(app: &Shared) -> Router<Shared> {
    let pages = Router::new()
        .route("/", get(home::show))
        .route("/sites", post(sites::create))
        .route("/sites/{site}", get(site::show))
        .route("/sites/{site}/settings", get(settings::edit).post(settings::save))
        .route("/sites/{site}/rules", get(rules::show))
        .route("/sites/{site}/lock", post(lock::lock))
        .route("/sites/{site}/lock/end", post(lock::unlock))
        .route("/sites/{site}/builds", get(builds::list).post(site::build))
        .route("/sites/{site}/deliveries", get(deliveries::list))
        .route("/sites/{site}/notices", get(receivers::list).post(receivers::create))
        .route("/sites/{site}/notices/{id}", get(notices::show).post(receivers::change))
        .route("/sites/{site}/notices/{id}/test", post(receivers::test))
        .route("/sites/{site}/notices/{id}/remove", post(receivers::remove))
        .route("/sites/{site}/notices/{id}/{notice}/redeliver", post(notices::redeliver))
        .route("/sites/{site}/deploys", get(deploys::list))
        .route("/sites/{site}/past", get(past::show))
        .route("/deploys/{id}", get(deploy::show))
        .route("/deploys/{id}/diff", get(diff::show))
        .route("/events/{sequence}", get(event::show))
        .route("/explain", get(explain::show))
        .route("/purge", post(explain::purge))
        .route("/sites/{site}/aliases", post(site::promote))
        .route("/sites/{site}/aliases/remove", post(site::take_down))
        .route("/sites/{site}/delete", get(site::confirm_deletion).post(site::delete))
        .route("/sites/{site}/restore", post(restore::restore))
        .route("/deleted-sites", get(restore::list))
        .route("/audit", get(audit::show))
        .route("/sites/{site}/webhook-secret", get(secret::show).post(secret::rotate))
        .route("/deliveries", get(strays::list))
        .route("/deliveries/{id}/redeliver", post(strays::redeliver))
        .merge(credentials::routes())
        .merge(begin::routes())
        .merge(access::routes())
        .merge(domains::routes())
        .route("/open/{site}", get(open::show))
        .route("/sites/{site}/variables", post(variables::set))
        .route("/sites/{site}/variables/{name}/remove", post(variables::remove))
        .route("/timeline", get(timeline::show))
        .route("/logout", post(login::leave))
        .merge(builds())
        .merge(platform())
        .merge(account())
        .merge(organizations())
        .merge(routes::routes())
        .merge(hub::routes())
        .route_layer(middleware::from_fn_with_state(Arc::clone(app), require_person));
    let editor = source::routes().route_layer(middleware::from_fn_with_state(Arc::clone(app), require_person));
    let login = Router::new()
        .route("/login", get(login::show).post(login::enter))
        .route("/login/with/{provider}", get(providers::depart))
        .route("/login/with/{provider}/back", get(providers::arrive))
        .route("/sign-in/{secret}", get(welcome::sign_in).head(welcome::look))
        .route("/invitations/{id}/{secret}", get(welcome::invited).post(welcome::join))
        .route("/invitations/{id}/{secret}/with/{provider}", get(providers::join))
        .route_layer(middleware::from_fn_with_state(Arc::clone(app), tell_guesses));
    let within = |routes: Router<Shared>, max| {
        let bodies = Bodies { budget: app.bodies.clone(), max };
        routes
            .method_not_allowed_fallback(|| async { failed(&Problem::MethodNotAllowed) })
            .layer(middleware::from_fn(check_form))
            .layer(middleware::from_fn_with_state(bodies, bodies::read))
            .layer(middleware::from_fn(guard_forms))
            .layer(DefaultBodyLimit::max(max))
    };
    within(pages.merge(login), FORM_MAX).merge(within(editor, EDITOR_MAX)).layer(middleware::from_fn(policy::apply))
}

fn builds() -> Router<Shared> {
    Router::new()
        .route("/builds/{id}", get(build::show))
        .route("/builds/{id}/cancel", post(build::cancel))
        .route("/builds/{id}/retry", post(build::retry))
}

fn platform() -> Router<Shared> {
    Router::new()
        .route("/platform", get(platform::show))
        .route("/platform/collect", get(platform::collection).post(platform::collect))
        .route("/platform/parked/{id}/retry", post(platform::retry))
        .route("/platform/parked/{id}/drop", post(platform::discard))
        .route("/platform/people/{id}/suspension", post(platform::suspend))
        .route("/platform/people/{id}/suspension/end", post(platform::reinstate))
}

fn account() -> Router<Shared> {
    Router::new()
        .route("/account", get(account::show).post(account::create))
        .route("/account/sessions/{id}/end", post(account::end))
        .route("/account/identities/{id}", post(providers::connect))
        .route("/account/identities/{id}/disconnect", post(providers::disconnect))
        .route("/account/tokens/{id}/revoke", post(account::revoke))
}

fn organizations() -> Router<Shared> {
    Router::new()
        .route("/organizations", get(organizations::overview).post(organizations::create))
        .route("/organizations/{organization}", get(organization::show).post(organization::rename))
        .route("/organizations/{organization}/limits", post(governance::set_limits))
        .route("/organizations/{organization}/sandbox", post(governance::begin_sandbox))
        .route("/organizations/{organization}/sandbox/end", post(governance::end_sandbox))
        .route("/organizations/{organization}/suspension", post(governance::suspend))
        .route("/organizations/{organization}/suspension/end", post(governance::reinstate))
        .route("/organizations/{organization}/invitations", post(members::invite))
        .route("/organizations/{organization}/invitations/{id}/withdraw", post(members::withdraw))
        .route("/organizations/{organization}/members/{user}", post(members::set))
        .route("/organizations/{organization}/members/{user}/remove", post(members::remove))
}

/// Sends whoever is not signed in to the sign-in page, and back afterwards.
async fn require_person(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let caller = match app.asks(&head.extensions, &head.headers).await {
        Ok(caller) => caller,
        Err(problem) => return failed(&problem),
    };
    let mut request = Request::from_parts(head, body);
    let Some(caller) = caller else {
        let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
        let back = if *request.method() == Method::GET { wanted } else { "/" };
        return Redirect::to(&link("/login", &[("next", back)])).into_response();
    };
    telemetry::http_asked_by(&caller.actor);
    let looks_only = looks_only(&app, &caller.holder).await;
    request.extensions_mut().insert(caller);
    if let Some(seen) = request.headers().get(SEEN).and_then(|seen| seen.to_str().ok()?.parse().ok()) {
        commands::shown(&app, seen).await;
    }
    form::made_for(looks_only, known::answer(&app, request, next)).await
}

/// Whether somebody reads everything and may change nothing, not as a member of an organization either.
async fn looks_only(app: &Shared, holder: &Holder) -> bool {
    let Some(user) = holder.user.filter(|_| holder.platform == Some(PlatformRole::Support)) else { return false };
    // Who cannot be told is offered what may be refused.
    app.model.memberships(user).await.is_ok_and(|memberships| memberships.is_empty())
}

/// Tells whoever signs in how often they may try.
async fn tell_guesses(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let client = client(request.extensions());
    let mut response = next.run(request).await;
    app.auth.guesses.tell("sign-in", client, response.headers_mut());
    response
}

/// Takes forms from our own pages only, as browsers tell.
async fn guard_forms(request: Request, next: Next) -> Response {
    if reads(request.method()) || guard::is_from_here(&request) {
        next.run(request).await
    } else {
        failed(&Problem::CrossSite)
    }
}

/// Takes forms that were made for whoever sends them, as their token tells. A token of the API in the header needs none.
async fn check_form(request: Request, next: Next) -> Response {
    if reads(request.method()) || bearer(request.extensions()).is_some() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    // It was read whole before.
    let body = match to_bytes(body, EDITOR_MAX).await {
        Ok(body) => body,
        Err(_) => return failed(&Problem::BodyTooLarge(EDITOR_MAX)),
    };
    if !form::is_ours(&head.extensions, &body) {
        return failed(&Problem::StaleForm);
    }
    next.run(Request::from_parts(head, Body::from(body))).await
}

const fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}
